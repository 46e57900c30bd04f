"""What every protocol offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from motion_gating.judges.conversation import Conversation


@dataclass(frozen=True)
class Part:
    """One piece of evidence, in the order in which it came.

    name: what was asked.
    supports: whether it speaks for a match (True), against one (False) or neither.
    said: the model's sentence.
    details: more for the record, ready for JSON.
    """

    name: str
    supports: bool | None
    said: str
    details: dict[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """For the record."""
        return {"part": self.name, "supports": self.supports, "said": self.said, **self.details}


class QuestionProtocol(Protocol):
    """How a model is questioned, and what follows from its answers."""

    @property
    def name(self) -> str: ...

    @property
    def wordings(self) -> str | list[str]:
        """The words of all questions, for the run block."""

    @property
    def least_calls(self) -> int:
        """How many calls a clip takes at least where no answer is in the cache."""

    @property
    def more_calls(self) -> int:
        """How many calls a clip may take beyond those that it takes at least."""

    def examine(self, conversation: Conversation) -> Iterator[Part]:
        """Ask until the decision cannot change.

        Raises:
            CallFailure, RunStopped: an answer is missing.
        """

    def settle(self, parts: Sequence[Part]) -> bool | None:
        """What the parts decide; None where they are split."""

    def missing(self, conversation: Conversation) -> int:
        """The least number of calls that it takes: answers that are not in the cache."""


def count_support(parts: Sequence[Part]) -> tuple[int, int]:
    """How many parts speak for a match and how many against it."""
    supports = [part.supports for part in parts]
    return supports.count(True), supports.count(False)
