"""What a judge is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from motion_rep.files.locations import Location


@dataclass(frozen=True)
class Question:
    """Does this clip show what the description says?

    Attributes:
        identifier: id of the entry.
        video: the rendered clip, None where the entry has none.
        description: the text; data, never an instruction.
    """

    identifier: object
    video: Location | None
    description: str | None


@dataclass(frozen=True)
class Verdict:
    """Match (True), mismatch (False) or undecided (None); undecided always carries a kind and a reason.

    Attributes:
        judge: who answered.
        error_kind, error: why there is no verdict; both None where there is one.
        model_versions: the versions that the service named, one per distinct version.
        votes_for, votes_against: answers counted.
        cached: answers that were not asked again.
        prompt_tokens: as the service counted them, None where it did not.
    """

    matches: bool | None
    analysis: str | None
    judge: str
    error_kind: str | None = None
    error: str | None = None
    model_versions: tuple[str, ...] = ()
    votes_for: int = 0
    votes_against: int = 0
    cached: int = 0
    prompt_tokens: int | None = None

    def __post_init__(self) -> None:
        if (self.matches is None) != (self.error_kind is not None):
            raise ValueError("a verdict is either decided or carries the kind of its error")


@dataclass(frozen=True)
class Stop:
    """Why a judge answers no further questions in this run; ``exit_code`` 2 where the user must change something first."""

    message: str
    exit_code: int


class Judge(Protocol):
    """One way to get verdicts."""

    name: str
    waits: bool  # whether it spends its time waiting for a service, so that threads help

    @property
    def stop(self) -> Stop | None: ...

    def judge(self, question: Question) -> Verdict: ...


NO_QUESTION = "no_question"  # the error kind of entries about which nothing can be asked
RUN_ENDED = "run_ended"  # the error kind of questions that were not asked because the run ended before


def undecided(judge: str, kind: str, reason: str, **more) -> Verdict:
    """A verdict that is none, and why."""
    return Verdict(matches=None, analysis=None, judge=judge, error_kind=kind, error=reason, **more)
