"""Any OpenAI-compatible server through the openai package: vLLM with a video part, others with pictures."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import openai

from motion_gating.judges.flags import VIDEO
from motion_gating.judges.inquiry import Inquiry
from motion_gating.judges.service import (
    Ask,
    Attempt,
    CallFailure,
    Clip,
    Failure,
    Reply,
    count_or_none,
    version_or_none,
)
from motion_gating.judges.transport import client_arguments
from motion_gating.judges.video_frames import jpeg_frames
from motion_rep.common.errors import InputError
from motion_rep.common.hidden_secrets import address_secrets, proxy_secrets, shown_address

NO_KEY = "none"  # the package needs a key; servers without keys ignore it
PATCH = 28  # pixels per side of a token, as in common open video models
FRAMES_PER_VIDEO_TOKEN = 2
# The fields in which models put their answer. Thinking models may leave the first one empty.
ANSWER_KEYS = ("content", "reasoning_content", "reasoning")

TEXT_PARTS = ("text", "output_text")  # types of the parts of an answer; other parts are thoughts, for example


@dataclass
class _SchemaSupport:
    """Whether questions include a schema; the first rejection by the server decides it for the run."""

    used: bool = True
    known: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def rejected(self, with_schema: bool) -> bool:
        """Record a rejection; returns whether to repeat the question without a schema."""
        with self.lock:
            if with_schema and not self.known:
                self.used = False
                return True
            if not with_schema and not self.known:  # the schema was not the reason
                self.used, self.known = True, True
            return False

    def answered(self) -> None:
        self.known = True


@dataclass(frozen=True)
class OpenAICompatibleService:
    """A service that asks a model behind ``/chat/completions``.

    Attributes:
        key: None if the server needs none.
        media: ``video`` sends the file in vLLM's form with the sampling rate; ``frames`` sends JPEG frames with times.
        sampling_fps: frames per second that the model sees.
        temperature: sent only if given.
    """

    key: str | None = field(repr=False)
    model: str
    base_url: str = field(repr=False)
    media: str = VIDEO
    sampling_fps: float = 5.0
    temperature: float | None = None
    name: str = field(default="openai", init=False)
    schema: _SchemaSupport = field(default_factory=_SchemaSupport, repr=False, compare=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key, and the secrets of the address and of the environment's proxies."""
        return (*filter(None, [self.key]), *address_secrets(self.base_url), *proxy_secrets())

    def settings(self) -> dict[str, object]:
        """The settings that change an answer; see Service."""
        asked = {"model": self.model, "base_url": shown_address(self.base_url), "fps": self.sampling_fps}
        return {**asked, "media": self.media, "temperature": self.temperature}

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """The approximate number of prompt tokens for a clip, with the usual 28-pixel patches."""
        frames = max(seconds * self.sampling_fps, 1)
        return round(frames * width * height / PATCH**2 / (FRAMES_PER_VIDEO_TOKEN if self.media == VIDEO else 1))

    @contextmanager
    def attach(self, clips: Sequence[Clip]) -> Iterator[Ask]:
        """See Service. The first call encodes the clips."""
        yield _Asker(self, tuple(clips)).ask

    def ask(self, parts: list[dict[str, Any]], inquiry: Inquiry, attempt: Attempt) -> Reply:
        """Make one call of chat/completions.

        Raises:
            CallFailure: with the kind of the failure.
        """
        with_schema = self.schema.used
        try:
            reply = _reply(self._completion(parts, inquiry, attempt, with_schema))
        except CallFailure as failure:
            if failure.kind is Failure.REJECTED and self.schema.rejected(with_schema):
                raise CallFailure(Failure.NO_SCHEMA, failure.message) from None
            raise
        self.schema.answered()
        return reply

    def model_names(self, timeout: float) -> list[str]:
        """The models that the server lists.

        Raises:
            CallFailure: the server lists no readable name.
        """
        text = _called(lambda: self._client.models.with_raw_response.list(timeout=timeout), timeout)
        try:
            listed = json.loads(text)["data"]
            return [name for item in listed if isinstance(name := item["id"], str) and name]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise CallFailure(Failure.MALFORMED, f"the list of models cannot be read: {text}") from None

    def _completion(self, parts: list[dict[str, Any]], inquiry: Inquiry, attempt: Attempt, with_schema: bool) -> str:
        # Servers silently ignore unknown fields. The number of prompt tokens shows whether the rate was honoured.
        rate = {"media_io_kwargs": {"video": {"fps": self.sampling_fps, "num_frames": -1}}}
        schema = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": inquiry.schema}}
        optional: dict[str, Any] = {} if self.temperature is None else {"temperature": self.temperature}
        if with_schema:
            optional["response_format"] = schema
        messages: Any = [{"role": "user", "content": [*parts, {"type": "text", "text": inquiry.prompt}]}]
        return _called(
            lambda: self._client.chat.completions.with_raw_response.create(
                model=self.model,
                messages=messages,
                max_tokens=attempt.max_tokens,
                extra_body=rate if self.media == VIDEO and parts else None,
                timeout=attempt.timeout,
                **optional,
            ),
            attempt.timeout,
        )

    @cached_property
    def _client(self) -> openai.OpenAI:
        client = openai.DefaultHttpxClient(**client_arguments(self.base_url, _stop_hint))
        # The package would write its paths after the parameters of the address.
        parts = urllib.parse.urlsplit(self.base_url)
        return openai.OpenAI(
            api_key=self.key or NO_KEY,
            base_url=urllib.parse.urlunsplit(parts._replace(query="", fragment="")),
            default_query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            max_retries=0,
            http_client=client,
        )


@dataclass(frozen=True)
class _Asker:
    """Clips in the form that the server accepts."""

    service: OpenAICompatibleService
    clips: tuple[Clip, ...]

    def ask(self, inquiry: Inquiry, attempt: Attempt) -> Reply:
        try:
            parts = self.parts if inquiry.sees_clip else []
        except InputError as error:
            raise CallFailure(Failure.REJECTED, str(error)) from None
        return self.service.ask(parts, inquiry, attempt)

    @cached_property
    def parts(self) -> list[dict[str, Any]]:
        """Content parts; each clip follows its label, and each picture of frames follows its time."""
        return [part for clip in self.clips for part in self._parts_of(clip)]

    def _parts_of(self, clip: Clip) -> Iterator[dict[str, Any]]:
        if self.service.media == VIDEO:
            if clip.label:
                yield {"type": "text", "text": f"{clip.label}:"}
            yield {"type": "video_url", "video_url": {"url": _data_url(clip.media_type, clip.data)}}
            return
        yield {"type": "text", "text": f"{clip.label or 'The clip'} as pictures, each after its time:"}
        for seconds, jpeg in jpeg_frames(clip.path, self.service.sampling_fps):
            yield {"type": "text", "text": f"{seconds:.2f} s"}
            yield {"type": "image_url", "image_url": {"url": _data_url("image/jpeg", jpeg)}}


def _called(call: Callable[[], Any], timeout: float) -> str:
    """Make the call, and return the body of its response."""
    try:
        return call().http_response.text
    except openai.APITimeoutError:
        raise CallFailure(Failure.TIMEOUT, f"no answer from the server in {timeout:.0f} s") from None
    except openai.APIConnectionError as error:
        cause = error.__cause__ or error
        if isinstance(cause, CallFailure):
            raise cause from None
        raise CallFailure(Failure.NETWORK, f"no answer from the server: {cause}") from None


def _reply(body: str) -> Reply:
    """The answer in a response, whatever its form."""
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise CallFailure(Failure.MALFORMED, f"the response is not JSON: {body}") from None
    choices = value.get("choices") if isinstance(value, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise CallFailure(Failure.MALFORMED, f"the response has no answer in choices: {body or 'empty'}")
    if choice.get("finish_reason") == "length":
        raise CallFailure(Failure.TRUNCATED, "the answer was cut at its token limit")
    if choice.get("finish_reason") == "content_filter" or message.get("refusal"):
        reason = message.get("refusal") or choice.get("finish_reason")
        raise CallFailure(Failure.BLOCKED, f"the server held its answer back ({reason})")
    text = next((text for key in ANSWER_KEYS if (text := _text(message.get(key))).strip()), None)
    if text is None:
        called = ": the model called a tool, which was not asked for" if message.get("tool_calls") else ""
        raise CallFailure(Failure.EMPTY, f"the answer is empty{called}")
    usage = value.get("usage")
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")] if isinstance(usage, dict) else []
    return Reply(text, version_or_none(value.get("model")), *map(count_or_none, counts))


def _text(content: object) -> str:
    """The text of an answer, which some servers send in parts, also with parts that are thoughts."""
    if isinstance(content, list):
        texts = (part.get("text") if isinstance(part, dict) else part for part in content if not _is_thought(part))
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _is_thought(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") not in (None, *TEXT_PARTS)


def _stop_hint(code: int, words: str, value: object) -> str | None:
    """The advice for an error after which no further call can succeed."""
    if code in (401, 403):
        return "Check OPENAI_API_KEY."
    if code == 404:
        return "Check --vlm-model and --vlm-base-url (it usually ends in /v1)."
    error = value.get("error") if isinstance(value, dict) else None
    if code == 429 and isinstance(error, dict) and error.get("code") == "insufficient_quota":
        return "The quota is used up; raise it."
    return None


def _data_url(mime_type: str, data: bytes) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"
