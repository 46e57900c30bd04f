"""What a model behind a service must offer, and how its calls can fail."""

from __future__ import annotations

import datetime
import email.utils
import json
import mimetypes
import re
import urllib.parse
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from motion_rep.common.errors import one_line


class Failure(Enum):
    """Kinds of failed calls; the retry policy is chosen by them."""

    STOP = "stop"  # key, model or quota: the next call would fail alike
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    TIMEOUT = "timeout"
    NETWORK = "network"
    MALFORMED = "malformed"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    UNEXPECTED = "unexpected"


class CallFailure(Exception):
    """One call that brought no answer.

    Attributes:
        kind: a Failure.
        wanted_delay: seconds that the service asked to wait, None where it did not say.
    """

    def __init__(self, kind: Failure, message: str, wanted_delay: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.wanted_delay = kind, message, wanted_delay


@dataclass(frozen=True)
class Attempt:
    """Bounds of one call: tokens the answer may take (thinking included) and seconds until it must be there."""

    max_tokens: int
    timeout: float


@dataclass(frozen=True)
class Reply:
    """The text of an answer as it came, the model version that the service named, and its count of prompt tokens."""

    text: str
    model_version: str | None = None
    prompt_tokens: int | None = None


class Service(Protocol):
    """A model that looks at a clip. Its failures are CallFailure and nothing else that is expected."""

    name: str
    secrets: tuple[str, ...]

    def settings(self) -> dict:
        """Everything about the service that changes an answer; no secrets."""

    def attach(self, video: Path, data: bytes) -> AbstractContextManager[object]:
        """The clip in the service's form, released when the block ends. Calls nothing yet."""

    def ask(self, prompt: str, media: object, attempt: Attempt) -> Reply: ...

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """About how many prompt tokens a clip takes."""


def video_type(path: Path) -> str | None:
    """The media type that a file's name says, None where it is no video's; files of other kinds are never sent."""
    kind = mimetypes.guess_type(path.name)[0] or ""
    return kind if kind.startswith("video/") else None


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret hidden, also where a server sent it back quoted."""
    for secret in filter(None, secrets):
        for form in {secret, urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            text = text.replace(form, "[key]")
    return text


def short(text: object, length: int = 300) -> str:
    """One line, cut at ``length`` characters."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 3] + "..."


def delay_in_seconds(text: object, server_time: object = None) -> float | None:
    """Seconds in ``"3.5s"`` or ``"3"``, or until an HTTP date; None for everything else.

    Args:
        server_time: the HTTP date of the answer that says so; clocks differ, so it goes before ours.
    """
    found = re.fullmatch(r"\s*(\d{1,7}(?:\.\d+)?)\s*s?\s*", str(text)) if text is not None else None
    if found:
        return float(found.group(1))
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(server_time) or datetime.datetime.now(datetime.UTC)
    return max((until - now).total_seconds(), 0.0)


def _http_date(text: object) -> datetime.datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(str(text))
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
