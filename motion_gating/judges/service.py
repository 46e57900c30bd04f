"""The interface of a service with a model, its kinds of failures, and the display of its texts."""

from __future__ import annotations

import datetime
import email.utils
import mimetypes
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from motion_gating.judges.inquiry import Inquiry
from motion_rep.common.errors import one_line
from motion_rep.common.hidden_secrets import without_secrets

MESSAGE_CHARACTERS, ANALYSIS_CHARACTERS, VERSION_CHARACTERS = 300, 2000, 120
# Longer texts are cut before secrets are hidden. The rest is still longer than the part that is shown.
SEARCHED_CHARACTERS = 100_000
MOST_TOKENS = 10**9


class Failure(Enum):
    """Kinds of failed calls; the kind determines the retry policy."""

    STOP = "stop"  # key, model, quota or address: every further call would fail in the same way
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    TIMEOUT = "timeout"
    NETWORK = "network"
    MALFORMED = "malformed"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NO_SCHEMA = "no_schema"  # rejected, perhaps because of the schema: the next attempt omits it
    BLOCKED = "blocked"
    REJECTED = "rejected"
    UNEXPECTED = "unexpected"


class CallFailure(Exception):
    """Raised for a call without an answer.

    Attributes:
        kind: a Failure.
        wanted_delay: seconds to wait, as requested by the service; None without a request.
    """

    def __init__(self, kind: Failure, message: str, wanted_delay: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.wanted_delay = kind, message, wanted_delay


@dataclass(frozen=True)
class Attempt:
    """Limits of one call: tokens of the answer (including thoughts) and seconds until the answer is complete."""

    max_tokens: int
    timeout: float


@dataclass(frozen=True)
class Clip:
    """A video of a question: its path and its bytes; a service gets nothing else.

    label: its name in a question about several clips.
    """

    path: Path
    data: bytes
    label: str = ""

    @property
    def media_type(self) -> str:
        return video_type(self.path) or "video/mp4"


@dataclass(frozen=True)
class Reply:
    """The raw text of an answer, and the model version and token counts that the service reported."""

    text: str
    model_version: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None


Ask = Callable[[Inquiry, Attempt], Reply]


class Service(Protocol):
    """A model that judges clips. Its calls raise CallFailure with full messages; the caller hides secrets."""

    @property
    def name(self) -> str: ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not appear in any file or message."""

    def settings(self) -> dict[str, object]:
        """All settings of the service that can change an answer; no secrets."""

    def attach(self, clips: Sequence[Clip]) -> AbstractContextManager[Ask]:
        """A function that asks about the clips, each after its label; its resources are freed when the block ends."""

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """About how many prompt tokens a clip takes."""


def video_type(path: Path) -> str | None:
    """The media type of a file by its name; None if it is not a video."""
    kind = mimetypes.guess_type(path.name)[0] or ""
    return kind if kind.startswith("video/") else None


def shown(text: object, secrets: tuple[str, ...], length: int = MESSAGE_CHARACTERS) -> str:
    """One printable line without secrets, cut at ``length``; for all stored or printed texts of a service."""
    return short(without_secrets(str(text)[:SEARCHED_CHARACTERS], secrets), length)


def short(text: object, length: int = MESSAGE_CHARACTERS) -> str:
    """One line of printable characters, cut at ``length``."""
    line = "".join(
        part if part.isprintable() else part.encode("unicode_escape").decode()
        for part in one_line(str(text)[: 4 * length])
    )
    return line if len(line) <= length else line[: length - 3] + "..."


def version_or_none(value: object) -> str | None:
    """The model version that a service reported; None if it is not a text."""
    return short(value, VERSION_CHARACTERS) if isinstance(value, str) and value.strip() else None


def count_or_none(value: object) -> int | None:
    """The number of tokens that a service reported; None if it is not a valid number."""
    return value if type(value) is int and 0 <= value < MOST_TOKENS else None


def delay_in_seconds(text: object, server_time: object = None) -> float | None:
    """Seconds in ``"3.5s"`` or ``"3"``, or until an HTTP date; None for other texts.

    Args:
        server_time: the HTTP date of the same answer; it is used instead of our clock, because clocks differ.
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
