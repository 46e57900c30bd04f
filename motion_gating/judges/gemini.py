"""Gemini through google-genai: inline video with its sampling rate, the Files API above the inline limit."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from motion_gating.judges.answers import SCHEMA
from motion_gating.judges.service import Attempt, CallFailure, Failure, Reply, delay_in_seconds, short, video_type
from motion_rep.common.errors import UsageError

DEFAULT_MODEL = "gemini-3.8-flash"
INLINE_BASE64_BYTES = 20_000_000
TOKENS_PER_FRAME = 258
POLL_SECONDS = 2.0
BLOCKED_REASONS = {
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "MODEL_ARMOR",
}
HINTS = {
    400: "Check the key (--gemini-api-key, GEMINI_API_KEY or GOOGLE_API_KEY).",
    401: "Check the key (--gemini-api-key, GEMINI_API_KEY or GOOGLE_API_KEY).",
    403: "Check that the key may use this model and that the API is enabled for its project.",
    404: "The model may be retired; name another one with --gemini-model.",
    429: "The quota is used up; run again when it is renewed, or raise it.",
}


@dataclass
class _Clip:
    """A clip on its way to the service; ``remote`` is set once it was uploaded."""

    path: Path
    data: bytes
    mime_type: str
    remote: object = None


@dataclass(frozen=True)
class GeminiService:
    """Asks a Gemini model.

    Attributes:
        key: None only where nothing will be asked.
        sampling_fps: frames per second that the model sees (the service's own default, 1, misses motion).
        temperature: sent only where given; newer models reject it.
        base_url: None for the service's own.
    """

    key: str | None = field(repr=False)
    model: str = DEFAULT_MODEL
    sampling_fps: float = 5.0
    temperature: float | None = None
    base_url: str | None = None
    name: str = field(default="gemini", init=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.key,) if self.key else ()

    def settings(self) -> dict:
        """What changes an answer; see Service."""
        return {
            "model": self.model,
            "base_url": self.base_url,
            "fps": self.sampling_fps,
            "media": "video",
            "temperature": self.temperature,
        }

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """About how many prompt tokens a clip takes; the size of the picture does not change it."""
        return round(max(seconds * self.sampling_fps, 1) * TOKENS_PER_FRAME)

    @contextmanager
    def attach(self, video: Path, data: bytes) -> Iterator[_Clip]:
        """The clip; what was uploaded for it is deleted when the block ends."""
        clip = _Clip(video, data, video_type(video) or "video/mp4")
        try:
            yield clip
        finally:
            if clip.remote is not None:
                with suppress(Exception):  # it expires by itself after two days
                    self._client.files.delete(name=clip.remote.name)

    def ask(self, prompt: str, media: _Clip, attempt: Attempt) -> Reply:
        """One call of generateContent, after the upload where the clip is large.

        Raises:
            CallFailure: whatever went wrong, by kind.
        """
        from google.genai import errors

        end = time.monotonic() + attempt.timeout
        try:
            part = self._part(media, end)
            response = self._client.models.generate_content(
                model=self.model, contents=[part, prompt], config=self._config(attempt, end)
            )
        except errors.APIError as error:
            raise _api_failure(error) from None
        except (
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
            RecursionError,
        ) as error:  # a body that is not JSON, or not of the documented form
            raise CallFailure(
                Failure.MALFORMED, f"the service's response cannot be read: {short(error, 120)}"
            ) from None
        except CallFailure:
            raise
        except Exception as error:  # the transport below changes its exceptions between versions of the SDK
            raise _transport_failure(error) from None
        return _reply(response)

    @cached_property
    def _client(self):
        """One client for all threads and the whole run: it closes its connections when it is collected."""
        from google import genai
        from google.genai import types

        # It would say that it uses GOOGLE_API_KEY where both keys are set, which is not so: the key is given to it.
        logging.getLogger("google_genai").setLevel(logging.ERROR)
        options = types.HttpOptions(base_url=self.base_url, api_version="v1beta")
        return genai.Client(api_key=self.key, vertexai=False, http_options=options)

    def _config(self, attempt: Attempt, end: float):
        from google.genai import types

        return types.GenerateContentConfig(
            response_mime_type="application/json",
            response_schema=types.Schema(
                type=types.Type.OBJECT,
                properties={
                    "analysis": types.Schema(type=types.Type.STRING),
                    "matches": types.Schema(type=types.Type.BOOLEAN),
                },
                required=SCHEMA["required"],
                property_ordering=SCHEMA["required"],
            ),
            max_output_tokens=attempt.max_tokens,
            temperature=self.temperature,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            http_options=types.HttpOptions(timeout=_milliseconds_until(end)),
        )

    def _part(self, clip: _Clip, end: float):
        from google.genai import types

        metadata = types.VideoMetadata(fps=self.sampling_fps)
        if (len(clip.data) + 2) // 3 * 4 <= INLINE_BASE64_BYTES:
            return types.Part(inline_data=types.Blob(data=clip.data, mime_type=clip.mime_type), video_metadata=metadata)
        remote = self._uploaded(clip, end)
        return types.Part(
            file_data=types.FileData(file_uri=remote.uri, mime_type=clip.mime_type), video_metadata=metadata
        )

    def _uploaded(self, clip: _Clip, end: float):
        """The clip in the Files API, once it is ready; uploaded once, whatever happens after."""
        from google.genai import types

        files = self._client.files
        if clip.remote is None:
            options = types.HttpOptions(timeout=_milliseconds_until(end))
            clip.remote = files.upload(
                file=clip.path, config=types.UploadFileConfig(mime_type=clip.mime_type, http_options=options)
            )
        while _name(clip.remote.state) != "ACTIVE":
            if _name(clip.remote.state) == "FAILED":
                raise CallFailure(Failure.REJECTED, "the service could not process the uploaded video")
            if time.monotonic() + POLL_SECONDS > end:
                raise CallFailure(Failure.TIMEOUT, "the uploaded video was not ready in time")
            time.sleep(POLL_SECONDS)
            clip.remote = files.get(name=clip.remote.name)
        return clip.remote


def resolve_key(given: str | None) -> str:
    """The key: as given, else GEMINI_API_KEY, else GOOGLE_API_KEY (SDKs disagree about their order).

    Raises:
        UsageError: none there, or one that cannot be a key; the message never shows it.
    """
    key = (given or os.environ.get("GEMINI_API_KEY") or os.environ.get("GOOGLE_API_KEY") or "").strip()
    if not key:
        raise UsageError(
            "no Gemini key. Set GEMINI_API_KEY (or GOOGLE_API_KEY, or give --gemini-api-key), or use --judge manual --verdicts FILE."
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise UsageError("the Gemini key holds a space or a character that no key has. Copy it again.")
    return key


def _reply(response) -> Reply:
    """The answer's text without its thoughts."""
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        raise CallFailure(Failure.BLOCKED, f"the service blocked the question ({_name(feedback.block_reason)})")
    candidate = response.candidates[0] if response.candidates else None
    finish = _name(candidate.finish_reason) if candidate else ""
    if finish in BLOCKED_REASONS:
        raise CallFailure(Failure.BLOCKED, f"the service held its answer back ({finish})")
    if finish == "MAX_TOKENS":
        raise CallFailure(Failure.TRUNCATED, "the answer was cut at its token limit")
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    if not text.strip():
        raise CallFailure(Failure.EMPTY, "the answer is empty" + (f" ({finish})" if finish not in ("", "STOP") else ""))
    usage = response.usage_metadata
    return Reply(text, response.model_version, usage.prompt_token_count if usage else None)


def _api_failure(error) -> CallFailure:
    """A CallFailure for an answer with an HTTP error code."""
    code, details = error.code, _details(error.details)
    message = f"the service answered {code}: {short(error.message or error.status or 'no message', 200)}"
    if code in (401, 403, 404) or (code == 400 and _is_key_problem(details, error.message)):
        return CallFailure(Failure.STOP, f"{message}. {HINTS[code]}")
    if code == 429 and _is_quota_gone(details, error.message):
        return CallFailure(Failure.STOP, f"{message}. {HINTS[429]}")
    if code == 429:
        return CallFailure(Failure.RATE_LIMIT, message, _wanted_delay(details, error.response))
    if code == 408 or (isinstance(code, int) and code >= 500):
        return CallFailure(Failure.SERVER, message, _wanted_delay(details, error.response))
    return CallFailure(Failure.REJECTED, message)


def _transport_failure(error: Exception) -> CallFailure:
    kind = Failure.TIMEOUT if "timeout" in type(error).__name__.lower() else Failure.NETWORK
    return CallFailure(kind, f"no answer from the service: {type(error).__name__}: {short(error, 160)}")


def _details(body: object) -> list[dict]:
    error = body.get("error", body) if isinstance(body, dict) else {}
    details = error.get("details") if isinstance(error, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _is_key_problem(details: list[dict], message: str | None) -> bool:
    text = f"{json.dumps(details)} {message}".lower()
    return "api_key_invalid" in text or "api key not valid" in text or "api key expired" in text


def _is_quota_gone(details: list[dict], message: str | None) -> bool:
    """Whether waiting a minute does not help: every violated quota is per day, or a quota is zero."""
    if re.search(r"limit:\s*0\b", message or ""):
        return True
    violated = [
        str(item.get("quotaId", ""))
        for detail in details
        for item in detail.get("violations") or []
        if isinstance(item, dict)
    ]
    return bool(violated) and all("perday" in quota.lower() for quota in violated)


def _wanted_delay(details: list[dict], response) -> float | None:
    delays = [delay_in_seconds(detail.get("retryDelay")) for detail in details]
    headers = getattr(response, "headers", None) or {}
    delays.append(
        delay_in_seconds(
            headers.get("retry-after") or headers.get("Retry-After"), headers.get("date") or headers.get("Date")
        )
    )
    return max((delay for delay in delays if delay is not None), default=None)


def _milliseconds_until(end: float) -> int:
    return max(int((end - time.monotonic()) * 1000), 1000)


def _name(value: object) -> str:
    return "" if value is None else str(getattr(value, "value", value))
