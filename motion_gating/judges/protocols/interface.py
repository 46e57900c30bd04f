"""The interface of all protocols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from motion_gating.judges.conversation import Conversation


@dataclass(frozen=True)
class Part:
    """One piece of evidence.

    name: the kind of question.
    supports: whether it supports a match (True), opposes it (False) or neither (None).
    said: the model's sentence.
    details: further values for the record, ready for JSON.
    """

    name: str
    supports: bool | None
    said: str
    details: dict[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The part as stored in the record."""
        return {"part": self.name, "supports": self.supports, "said": self.said, **self.details}


class QuestionProtocol(Protocol):
    """How a model is questioned, and how its answers decide."""

    @property
    def name(self) -> str: ...

    @property
    def wordings(self) -> str | list[str]:
        """The texts of all questions, for the run block."""

    @property
    def least_calls(self) -> int:
        """The smallest number of calls for a clip if no answer is in the cache."""

    @property
    def more_calls(self) -> int:
        """The largest number of additional calls for a clip."""

    def examine(self, conversation: Conversation) -> Iterator[Part]:
        """Ask until the decision cannot change.

        Raises:
            CallFailure, RunStopped: an answer is missing.
        """

    def settle(self, parts: Sequence[Part]) -> bool | None:
        """The decision from the parts; None if they are split."""

    def missing(self, conversation: Conversation) -> int:
        """The smallest number of calls: the answers that are not in the cache."""


def count_support(parts: Sequence[Part]) -> tuple[int, int]:
    """The numbers of parts that support a match and that oppose it."""
    supports = [part.supports for part in parts]
    return supports.count(True), supports.count(False)
