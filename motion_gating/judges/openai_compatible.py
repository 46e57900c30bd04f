"""Any OpenAI-compatible server through the openai package: vLLM with a video part, others with pictures."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from motion_gating.judges.answers import SCHEMA
from motion_gating.judges.service import Attempt, CallFailure, Failure, Reply, delay_in_seconds, short, video_type
from motion_gating.judges.video_frames import jpeg_frames
from motion_rep.common.errors import InputError

VIDEO, FRAMES = "video", "frames"
NO_KEY = "none"  # the package wants one; servers without keys ignore it
PATCH = 28  # pixels a token side, as in the usual open video models
FRAMES_PER_VIDEO_TOKEN = 2


@dataclass(frozen=True)
class OpenAICompatibleService:
    """Asks a model behind ``/chat/completions``.

    Attributes:
        key: None where the server wants none.
        media: ``video`` sends the file in vLLM's form with the sampling rate; ``frames`` sends JPEG frames with their times.
        sampling_fps: frames per second that the model sees.
        temperature: sent only where given.
    """

    key: str | None = field(repr=False)
    model: str
    base_url: str
    media: str = VIDEO
    sampling_fps: float = 5.0
    temperature: float | None = None
    name: str = field(default="openai", init=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key, and a password in the address."""
        password = urllib.parse.urlsplit(self.base_url).password
        return tuple(filter(None, (self.key, password and urllib.parse.unquote(password))))

    def settings(self) -> dict:
        """What changes an answer; see Service."""
        asked = {
            "model": self.model,
            "base_url": _without_user(self.base_url),
            "fps": self.sampling_fps,
            "media": self.media,
        }
        return {**asked, "temperature": self.temperature}

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """About how many prompt tokens a clip takes, by the usual 28-pixel patches."""
        frames = max(seconds * self.sampling_fps, 1)
        return round(frames * width * height / PATCH**2 / (FRAMES_PER_VIDEO_TOKEN if self.media == VIDEO else 1))

    @contextmanager
    def attach(self, video: Path, data: bytes) -> Iterator[_Clip]:
        """The clip; encoded at the first call."""
        yield _Clip(video, data, self.media, self.sampling_fps)

    def ask(self, prompt: str, media: _Clip, attempt: Attempt) -> Reply:
        """One call of chat/completions.

        Raises:
            CallFailure: whatever went wrong, by kind.
        """
        import openai

        try:
            parts = media.parts
        except InputError as error:
            raise CallFailure(Failure.REJECTED, str(error)) from None
        try:
            return _reply(self._completion([*parts, {"type": "text", "text": prompt}], attempt))
        except openai.APIStatusError as error:
            raise _status_failure(error) from None
        except openai.APITimeoutError:
            raise CallFailure(Failure.TIMEOUT, f"no answer from the server in {attempt.timeout:.0f} s") from None
        except openai.APIConnectionError as error:
            raise CallFailure(
                Failure.NETWORK, f"no answer from the server: {short(error.__cause__ or error, 160)}"
            ) from None
        except (
            openai.APIResponseValidationError,
            json.JSONDecodeError,
            AttributeError,
            TypeError,
            IndexError,
        ) as error:
            raise CallFailure(Failure.MALFORMED, f"the server's response cannot be read: {short(error, 120)}") from None

    def _completion(self, content: list[dict], attempt: Attempt):
        # Servers ignore fields they do not know, also silently: the prompt tokens in the report show whether the rate was honoured.
        sampling = (
            {"media_io_kwargs": {"video": {"fps": self.sampling_fps, "num_frames": -1}}} if self.media == VIDEO else {}
        )
        chosen = {} if self.temperature is None else {"temperature": self.temperature}
        return self._client.chat.completions.create(
            model=self.model,
            messages=[{"role": "user", "content": content}],
            max_tokens=attempt.max_tokens,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA},
            },
            extra_body=sampling,
            timeout=attempt.timeout,
            **chosen,
        )

    @cached_property
    def _client(self):
        import openai

        return openai.OpenAI(api_key=self.key or NO_KEY, base_url=self.base_url, max_retries=0)


@dataclass(frozen=True)
class _Clip:
    """A clip in the form that the server takes."""

    path: Path
    data: bytes
    media: str
    fps: float

    @cached_property
    def parts(self) -> list[dict]:
        """Content parts; for frames each picture follows its time."""
        if self.media == VIDEO:
            mime_type = video_type(self.path) or "video/mp4"
            return [{"type": "video_url", "video_url": {"url": _data_url(mime_type, self.data)}}]
        parts = [{"type": "text", "text": "The clip as pictures, each after its time:"}]
        for seconds, jpeg in jpeg_frames(self.path, self.fps):
            parts += [
                {"type": "text", "text": f"{seconds:.2f} s"},
                {"type": "image_url", "image_url": {"url": _data_url("image/jpeg", jpeg)}},
            ]
        return parts


def _reply(completion) -> Reply:
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        raise CallFailure(Failure.TRUNCATED, "the answer was cut at its token limit")
    if choice.finish_reason == "content_filter" or getattr(choice.message, "refusal", None):
        raise CallFailure(
            Failure.BLOCKED, f"the server held its answer back ({choice.message.refusal or choice.finish_reason})"
        )
    text = choice.message.content
    if not isinstance(text, str) or not text.strip():
        raise CallFailure(Failure.EMPTY, "the answer is empty")
    return Reply(text, completion.model, completion.usage.prompt_tokens if completion.usage else None)


def _status_failure(error) -> CallFailure:
    """A CallFailure for an answer with an HTTP error code."""
    code, message = error.status_code, f"the server answered {error.status_code}: {short(error.message, 200)}"
    if code in (401, 403):
        return CallFailure(Failure.STOP, f"{message}. Check OPENAI_API_KEY.")
    if code == 404:
        return CallFailure(Failure.STOP, f"{message}. Check --vlm-model and --vlm-base-url (it usually ends in /v1).")
    if code == 429 and getattr(error, "code", None) == "insufficient_quota":
        return CallFailure(Failure.STOP, f"{message}. The quota is used up; raise it.")
    headers = error.response.headers
    wanted = delay_in_seconds(headers.get("retry-after"), headers.get("date"))
    if code == 429:
        return CallFailure(Failure.RATE_LIMIT, message, wanted)
    if code == 408 or code >= 500:
        return CallFailure(Failure.SERVER, message, wanted)
    return CallFailure(Failure.REJECTED, message)


def _data_url(mime_type: str, data: bytes) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def _without_user(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
