"""Rules for all HTTP calls: one server, limited size and time of a body, and the server's error text in failures."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from motion_gating.judges.service import CallFailure, Failure, delay_in_seconds, short
from motion_rep.common.errors import UsageError

T = TypeVar("T")
MOST_BODY_BYTES = 4_000_000
PROXY_SCHEMES = ("http", "https")
PROXY_HINT = "The proxy of the environment wants another login. Check HTTP_PROXY and HTTPS_PROXY."
DEFAULT_PORTS = {"http": 80, "https": 443}
# Fields in which servers put an error message, in this order; they may be nested.
WORD_KEYS = ("error", "message", "detail", "msg", "reason")
ERROR_KEYS = {*WORD_KEYS, "code", "status", "type", "object", "success"}

# Advice for an error after which no call can succeed, from HTTP code, server's text and JSON; None for other errors.
StopHint = Callable[[int, str, object], str | None]
# Whether the JSON of a response from an address has the form of the service.
AnswerTest = Callable[[str, object], bool]


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of ``work``; after ``seconds``, its thread is abandoned, even if it waits for I/O.

    Raises:
        CallFailure: TIMEOUT.
    """
    future: Future[T] = Future()
    threading.Thread(target=_complete, args=(future, work), daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        raise CallFailure(Failure.TIMEOUT, f"no complete answer in {seconds:.0f} s") from None


def _complete(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # re-raised by result()
        future.set_exception(error)


def require_proxies() -> None:
    """Check that the SDKs can use the environment's proxies.

    Raises:
        UsageError: a proxy has another scheme; its address may contain a password, so it is not shown.
    """
    for name, address in urllib.request.getproxies().items():
        scheme, mark, _ = address.partition("://")
        socks = scheme.startswith("socks") and importlib.util.find_spec("socksio") is not None
        if name in (*PROXY_SCHEMES, "all") and mark and scheme not in PROXY_SCHEMES and not socks:
            raise UsageError(
                f"the environment's {name.upper()}_PROXY is a proxy of the scheme {short(scheme, 20)}, expected "
                f"{' or '.join(PROXY_SCHEMES)}. Give such a proxy, or, for socks5: pip install 'httpx[socks]'."
            )


def client_arguments(address: str, stop_hint: StopHint, is_answer: AnswerTest | None = None) -> dict[str, Any]:
    """Arguments for the httpx client of an SDK. Failed calls raise CallFailure inside it.

    Args:
        address: the only scheme, host and port to which anything is sent.
    """
    origin = _origin(address)

    def check_request(request: Any) -> None:
        _require_origin(str(request.url), origin)

    def check_response(response: Any) -> None:
        _bound(response)
        text = response.read().decode("utf-8", "replace")
        if response.has_redirect_location:
            _require_origin(urllib.parse.urljoin(str(response.url), response.headers["location"]), origin)
        else:
            value = _require_success(response.status_code, text, response.headers, stop_hint)
            if is_answer is not None and not is_answer(str(response.url), value):
                raise CallFailure(Failure.MALFORMED, f"the response is no answer of this service: {text or 'empty'}")

    return {
        "headers": {"Accept-Encoding": "identity"},
        "event_hooks": {"request": [check_request], "response": [check_response]},
    }


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _require_origin(address: str, origin: tuple[str, str | None, int | None]) -> None:
    try:
        found = _origin(address)
    except ValueError:
        found = ("", None, None)
    if found != origin:
        name = f"{found[0]}://{found[1]}:{found[2]}"
        raise CallFailure(
            Failure.STOP,
            f"the service redirects to {name}, another server; neither key nor clip was sent there. "
            "Give the address of the server that answers itself.",
        )


def _bound(response: Any) -> None:
    """Limit the size and the time of a response's body, before reading it."""
    timeout = response.request.extensions.get("timeout", {}).get("read") or 600.0
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    chunks = _limited(response.stream, encoding, time.monotonic() + timeout)
    if "content-encoding" in response.headers:
        del response.headers["content-encoding"]
    httpx = sys.modules[type(response).__module__.partition(".")[0]]  # httpx or httpx2, whichever the SDK uses

    class Bounded(httpx.SyncByteStream):  # type: ignore[name-defined]
        def __init__(self, stream: Any) -> None:
            self.close = stream.close

        def __iter__(self) -> Iterator[bytes]:
            return chunks

    response.stream = Bounded(response.stream)


def _limited(stream: Any, encoding: str, end: float) -> Iterator[bytes]:
    if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise CallFailure(Failure.MALFORMED, f"the response is compressed ({encoding}), which was not asked for")
    unpack = None if encoding == "identity" else zlib.decompressobj(wbits=47)
    size = 0
    for chunk in stream:
        try:
            data = chunk if unpack is None else unpack.decompress(chunk, MOST_BODY_BYTES - size + 1)
        except zlib.error as error:
            raise CallFailure(Failure.MALFORMED, f"the response is compressed and damaged: {error}") from None
        size += len(data)
        if size > MOST_BODY_BYTES:
            raise CallFailure(Failure.MALFORMED, f"the response has more than {MOST_BODY_BYTES:,} bytes")
        if time.monotonic() > end:
            raise CallFailure(Failure.TIMEOUT, "the response did not end in time")
        yield data


def _require_success(code: int, text: str, headers: Mapping[str, str], stop_hint: StopHint) -> object:
    """The JSON of a response without an error."""
    try:
        value = json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        if 200 <= code < 300:
            raise CallFailure(Failure.MALFORMED, f"the response is not JSON: {text}") from None
        value = text
    if 200 <= code < 300:
        if not _is_error(value):
            return value
        code = _code_in(value)
    raise _failure(code, value, text, headers, stop_hint)


def _is_error(value: object) -> bool:
    """Whether a body is an error despite its HTTP code."""
    if not isinstance(value, dict) or value.get("choices") or value.get("candidates"):
        return False
    return bool(value.get("error")) or bool(server_words(value) and set(value) <= ERROR_KEYS)


def _code_in(value: object) -> int:
    """The HTTP code inside an error; 500 if there is none."""
    inner = value.get("error") if isinstance(value, dict) else None
    for place in (inner, value):
        code = place.get("code") if isinstance(place, dict) else None
        if type(code) is int and 400 <= code < 600:
            return code
    return 500


def _failure(code: int, value: object, text: str, headers: Mapping[str, str], stop_hint: StopHint) -> CallFailure:
    words = server_words(value) or text or "no message"
    hint = PROXY_HINT if code == 407 else stop_hint(code, words, value)
    message = f"the service answered {code}: {words}"
    if hint is not None:
        # The hint comes first, because messages are cut at the end.
        return CallFailure(Failure.STOP, f"the service answered {code}. {hint} It says: {words}")
    wanted = _wanted_delay(value, headers)
    if code == 429:
        return CallFailure(Failure.RATE_LIMIT, message, wanted)
    if code == 408 or code >= 500:
        return CallFailure(Failure.SERVER, message, wanted)
    return CallFailure(Failure.REJECTED, message)


def server_words(value: object, depth: int = 6) -> str:
    """The error message in a server's JSON; empty if there is none."""
    if depth == 0:
        return ""
    if isinstance(value, dict):
        return next((words for key in WORD_KEYS if (words := server_words(value.get(key), depth - 1))), "")
    if isinstance(value, list):
        return "; ".join(filter(None, (server_words(item, depth - 1) for item in value[:5])))
    return value if isinstance(value, str) else ""


def error_details(value: object) -> list[dict[str, Any]]:
    """The ``details`` of an error in Google's form."""
    error = value.get("error", value) if isinstance(value, dict) else {}
    details = error.get("details") if isinstance(error, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _wanted_delay(value: object, headers: Mapping[str, str]) -> float | None:
    delays = [delay_in_seconds(detail.get("retryDelay")) for detail in error_details(value)]
    delays.append(delay_in_seconds(headers.get("retry-after"), headers.get("date")))
    return max((delay for delay in delays if delay is not None), default=None)
