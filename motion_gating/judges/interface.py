"""The question to a judge, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from motion_gating.archives.content import Content
from motion_gating.judges.cost import Meter
from motion_gating.verdicts.verdict_file import Verdicts
from motion_rep.files.locations import Location

NO_QUESTION = "no_question"  # error kind: no question about this entry is possible
RUN_ENDED = "run_ended"  # error kind: the run ended before this question
SPLIT = "split"  # error kind: the evidence is contradictory
UNEXPECTED = "unexpected"  # error kind: an error of this program


@dataclass(frozen=True)
class Question:
    """The question whether a clip matches a description.

    Attributes:
        identifier: id of the entry.
        video: the rendered clip; None if the entry has none.
        description: the text; data, never an instruction.
        motion: the motion file that the clip shows; None if the entry has none.
        for_people: the clip for people, which may have more frames.
        measured: digests of the clip and the motion that were measured; what the judge reads must have the same. None
            for what was not measured.
    """

    identifier: object
    video: Location | None
    description: str | None
    motion: Location | None = None
    for_people: Location | None = None
    measured: Content = Content()


@dataclass(frozen=True)
class Verdict:
    """Match (True), mismatch (False) or undecided (None); an undecided verdict always carries a kind and a reason.

    Attributes:
        judge: the name of the judge that answered.
        error_kind, error: why there is no verdict; both None if there is one.
        model_versions: the distinct versions that the service reported.
        votes_for, votes_against: number of answers.
        cached: number of answers that came from the cache.
        prompt_tokens, output_tokens: as counted by the service; None if it did not count them.
        evidence: the parts of a protocol that has several, in order, ready for JSON.
        remarks: sentences for the reader of the record; they do not affect the decision.
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
    output_tokens: int | None = None
    evidence: tuple[dict[str, object], ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.matches is None) != (self.error_kind is not None):
            raise ValueError("a verdict is either decided or carries the kind of its error")


@dataclass(frozen=True)
class Preference:
    """The clip that shows a description better: the first (1), the second (2), or neither (0).

    Attributes:
        better: None if there is no answer; a kind and a reason are then set.
        cached: whether the answer came from the cache.
    """

    better: int | None
    analysis: str | None = None
    error_kind: str | None = None
    error: str | None = None
    cached: bool = False


@dataclass(frozen=True)
class Stop:
    """Why a judge answers no further questions; ``exit_code`` is 2 if the user must change something first."""

    message: str
    exit_code: int


class Judge(Protocol):
    """A source of verdicts: people, a model, or both (the model is asked if no person decided)."""

    @property
    def name(self) -> str: ...

    @property
    def is_remote_service(self) -> bool:
        """Whether a question mostly waits for a service, in which case threads help."""

    @property
    def stop(self) -> Stop | None: ...

    @property
    def people(self) -> Verdicts:
        """Verdicts of people; they override the model's."""

    @property
    def refused(self) -> Sequence[str]:
        """Ids of entries for which all verdicts by people are about another motion, clip or description."""

    @property
    def model(self) -> Model | None:
        """The model that is asked if no person decided."""

    def judge(self, question: Question) -> Verdict: ...


class Model(Judge, Protocol):
    """A judge whose calls can be counted in advance."""

    @property
    def least_calls(self) -> int:
        """The number of calls for a question if no answer is in the cache."""

    @property
    def more_calls(self) -> int:
        """The largest number of additional calls for a question."""

    @property
    def wordings(self) -> str | list[str]:
        """The texts of all questions."""

    def settings(self) -> dict[str, object]:
        """The settings that change an answer; no secrets."""

    @property
    def meter(self) -> Meter:
        """The cost of this run's calls so far."""

    def unanswered(self, question: Question) -> int:
        """The smallest number of calls for the question; see :class:`motion_gating.judges.vlm_judge.VlmJudge`."""

    def prefer(self, first: Question, second: Question, least: bool = False, ask: bool = True) -> Preference:
        """The better of two clips for one description; see :class:`motion_gating.judges.vlm_judge.VlmJudge`."""

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """The approximate number of prompt tokens for a clip."""


def undecided(judge: str, kind: str, reason: str) -> Verdict:
    """An undecided verdict with its reason."""
    return Verdict(matches=None, analysis=None, judge=judge, error_kind=kind, error=reason)
