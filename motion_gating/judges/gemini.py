"""Gemini through google-genai: inline video with its sampling rate, or the Files API above the inline limit."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from google import genai
from google.genai import types

from motion_gating.judges.flags import STANDARD
from motion_gating.judges.inquiry import Inquiry, Schema, fields_of
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
from motion_gating.judges.transport import client_arguments, error_details, within
from motion_rep.common.errors import UsageError
from motion_rep.common.hidden_secrets import address_secrets, proxy_secrets, shown_address

ADDRESS = "https://generativelanguage.googleapis.com"
INLINE_BASE64_BYTES = 20_000_000
TOKENS_PER_FRAME = 70  # for Gemini 3 at its default resolution
POLL_SECONDS, DELETE_SECONDS = 2.0, 10.0
BLOCKED_REASONS = {
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"),
}
KEY_HINT = "Check the key (--gemini-api-key, GEMINI_API_KEY or GOOGLE_API_KEY)."
HINTS = {
    401: KEY_HINT,
    403: "Check that the key may use this model and that the API is enabled for its project.",
    404: "The model may be retired; choose another one with --gemini-model.",
}
ANSWER_KEYS = {"candidates", "promptFeedback", "usageMetadata", "modelVersion"}  # of a response; at least one
# Errors that the SDK raises if a body does not have the documented form.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)


@dataclass(frozen=True)
class GeminiService:
    """A service that asks a Gemini model.

    Attributes:
        key: None only if nothing will be asked.
        sampling_fps: frames per second that the model sees (the service's own default, 1, misses motion).
        temperature: sent only if given; newer models reject it.
        base_url: None for Google's own address.
        service_tier: flex costs half and may take up to 15 minutes.
    """

    key: str | None = field(repr=False)
    model: str
    sampling_fps: float = 5.0
    service_tier: str = STANDARD
    temperature: float | None = None
    base_url: str | None = field(default=None, repr=False)
    name: str = field(default="gemini", init=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key, and the secrets of the address and of the environment's proxies."""
        return (*filter(None, [self.key]), *address_secrets(self.base_url or ""), *proxy_secrets())

    def settings(self) -> dict[str, object]:
        """The settings that change an answer; see Service."""
        address = self.base_url and shown_address(self.base_url)
        asked = {"model": self.model, "base_url": address, "fps": self.sampling_fps, "media": "video"}
        return {**asked, "temperature": self.temperature}

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """The approximate number of prompt tokens for a clip; it does not depend on the picture size."""
        return round(max(seconds * self.sampling_fps, 1) * TOKENS_PER_FRAME)

    @contextmanager
    def attach(self, clips: Sequence[Clip]) -> Iterator[Ask]:
        """See Service. Uploaded clips are deleted when the block ends."""
        uploads = _Uploads(self, [_Upload(self, clip, INLINE_BASE64_BYTES // len(clips)) for clip in clips])
        try:
            yield uploads.ask
        finally:
            for upload in uploads.uploads:
                upload.delete()

    def ask(self, parts: list[types.Part], inquiry: Inquiry, attempt: Attempt, end: float) -> Reply:
        """Make one call of generateContent."""
        contents: Any = [*parts, inquiry.prompt]
        config = self._config(inquiry, attempt, end)
        return _reply(self.client.models.generate_content(model=self.model, contents=contents, config=config))

    @cached_property
    def client(self) -> genai.Client:
        """One client for all threads and the whole run; it closes its connections when it is garbage-collected."""
        # If both variables are set, the package logs that it uses GOOGLE_API_KEY. That is wrong: it gets the key from
        # us.
        logging.getLogger("google_genai").setLevel(logging.ERROR)
        arguments = client_arguments(self.base_url or ADDRESS, _stop_hint, _is_answer)
        options = types.HttpOptions(base_url=self.base_url, api_version="v1beta", client_args=arguments)
        return genai.Client(api_key=self.key, vertexai=False, http_options=options)

    def _config(self, inquiry: Inquiry, attempt: Attempt, end: float) -> types.GenerateContentConfig:
        standard = self.service_tier == STANDARD
        tier: dict[str, Any] = {} if standard else {"service_tier": types.ServiceTier(self.service_tier)}
        return types.GenerateContentConfig(
            response_mime_type="application/json",
            response_schema=_schema(inquiry.schema),
            max_output_tokens=attempt.max_tokens,
            temperature=self.temperature,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            **tier,
            http_options=types.HttpOptions(timeout=_milliseconds_until(end)),
        )


@dataclass(frozen=True)
class _Uploads:
    """The clips of a question, while they are sent to the service."""

    service: GeminiService
    uploads: list[_Upload]

    def ask(self, inquiry: Inquiry, attempt: Attempt) -> Reply:
        """The model's answer, after the upload of large clips.

        Raises:
            CallFailure: what went wrong, by kind.
        """
        end = time.monotonic() + attempt.timeout
        try:
            uploads = self.uploads if inquiry.sees_clip else []
            parts = [part for upload in uploads for part in upload.parts(end)]
            return self.service.ask(parts, inquiry, attempt, end)
        except CallFailure:
            raise
        except UNREADABLE as error:
            raise CallFailure(Failure.MALFORMED, f"the service's response cannot be read: {error}") from None
        except Exception as error:  # the transport below changes its exceptions between versions of the SDK
            kind = Failure.TIMEOUT if "timeout" in type(error).__name__.lower() else Failure.NETWORK
            raise CallFailure(kind, f"no answer from the service: {type(error).__name__}: {error}") from None


@dataclass
class _Upload:
    """One clip; ``remote`` is set after the upload.

    most_inline: largest number of base64 bytes that is sent inline.
    """

    service: GeminiService
    clip: Clip
    most_inline: int
    remote: types.File | None = None

    def parts(self, end: float) -> list[types.Part]:
        """The clip, preceded by its label if it has one."""
        label = [types.Part(text=f"{self.clip.label}:")] if self.clip.label else []
        return [*label, self._part(end)]

    def delete(self) -> None:
        """Delete the uploaded clip; if that fails, it expires after two days."""
        remote = self.remote
        if remote is not None and remote.name is not None:
            name = remote.name
            with suppress(Exception):
                within(DELETE_SECONDS, lambda: self.service.client.files.delete(name=name))

    def _part(self, end: float) -> types.Part:
        clip = self.clip
        metadata = types.VideoMetadata(fps=self.service.sampling_fps)
        if (len(clip.data) + 2) // 3 * 4 <= self.most_inline:
            blob = types.Blob(data=clip.data, mime_type=clip.media_type)
            return types.Part(inline_data=blob, video_metadata=metadata)
        data = types.FileData(file_uri=self._uploaded(end).uri, mime_type=clip.media_type)
        return types.Part(file_data=data, video_metadata=metadata)

    def _uploaded(self, end: float) -> types.File:
        """The clip in the Files API when it is ready; uploaded only once."""
        files = self.service.client.files
        if self.remote is None:
            options = types.HttpOptions(timeout=_milliseconds_until(end))
            config = types.UploadFileConfig(mime_type=self.clip.media_type, http_options=options)
            self.remote = files.upload(file=self.clip.path, config=config)
        while _name(self.remote.state) != "ACTIVE":
            if _name(self.remote.state) == "FAILED":
                raise CallFailure(Failure.REJECTED, "the service could not process the uploaded video")
            if time.monotonic() + POLL_SECONDS > end:
                raise CallFailure(Failure.TIMEOUT, "the uploaded video was not ready in time")
            time.sleep(POLL_SECONDS)
            options = types.HttpOptions(timeout=_milliseconds_until(end))
            self.remote = files.get(name=self.remote.name or "", config=types.GetFileConfig(http_options=options))
        return self.remote


def has_service_tiers() -> bool:
    """Whether the installed package supports service tiers."""
    return "service_tier" in types.GenerateContentConfig.model_fields


def resolve_key(given: str | None) -> str:
    """The given key, else GEMINI_API_KEY, else GOOGLE_API_KEY (SDKs disagree about their order).

    Raises:
        UsageError: there is no key, or it cannot be one; the message never shows it.
    """
    key = (given or os.environ.get("GEMINI_API_KEY") or os.environ.get("GOOGLE_API_KEY") or "").strip()
    if not key:
        raise UsageError(
            "no Gemini key. Set GEMINI_API_KEY (or GOOGLE_API_KEY, or give --gemini-api-key), "
            "or use --judge manual --verdicts FILE."
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise UsageError("the Gemini key contains a space or a character that no key has. Copy it again.")
    return key


def _is_answer(address: str, value: object) -> bool:
    """Whether a response of generateContent has the form of the API; other calls are not checked."""
    return ":generateContent" not in address or (isinstance(value, dict) and not ANSWER_KEYS.isdisjoint(value))


def _reply(response: types.GenerateContentResponse) -> Reply:
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
    tokens = (usage.prompt_token_count, _output_tokens(usage)) if usage else (None, None)
    return Reply(text, version_or_none(response.model_version), *map(count_or_none, tokens))


def _output_tokens(usage: types.GenerateContentResponseUsageMetadata) -> int | None:
    """Tokens charged as output: the answer and the thoughts."""
    counts = [count for count in (usage.candidates_token_count, usage.thoughts_token_count) if count is not None]
    return sum(counts) if counts else None


def _schema(schema: Schema) -> types.Schema:
    """A JSON schema in the form of the service, with the order of the keys."""
    kind = types.Type(str(schema["type"]).upper())
    if kind == types.Type.OBJECT:
        fields = fields_of(schema)
        properties = {name: _schema(field) for name, field in fields.items()}
        return types.Schema(type=kind, properties=properties, required=list(fields), property_ordering=list(fields))
    items, choices = schema.get("items"), schema.get("enum")
    return types.Schema(
        type=kind,
        items=_schema(items) if isinstance(items, dict) else None,
        enum=choices if isinstance(choices, list) else None,
    )


def _stop_hint(code: int, words: str, value: object) -> str | None:
    """The advice for an error after which no further call can succeed."""
    if code == 400 and _is_key_problem(words, value):
        return KEY_HINT
    if code == 429 and _is_quota_gone(words, value):
        return "The quota is used up; re-run the command when it is renewed, or raise it."
    return HINTS.get(code)


def _is_key_problem(words: str, value: object) -> bool:
    text = f"{json.dumps(error_details(value))} {words}".lower()
    return "api_key_invalid" in text or "api key not valid" in text or "api key expired" in text


def _is_quota_gone(words: str, value: object) -> bool:
    """Whether waiting a minute cannot help: every violated quota is per day, or a quota is zero."""
    if re.search(r"limit:\s*0\b", words):
        return True
    violations = [detail.get("violations") for detail in error_details(value)]
    listed: list[Any] = [item for items in violations if isinstance(items, list) for item in items]
    violated = [str(item.get("quotaId", "")) for item in listed if isinstance(item, dict)]
    return bool(violated) and all("perday" in quota.lower() for quota in violated)


def _milliseconds_until(end: float) -> int:
    return max(int((end - time.monotonic()) * 1000), 1000)


def _name(value: object) -> str:
    return "" if value is None else str(getattr(value, "value", value))
