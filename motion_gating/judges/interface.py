"""The question to a judge, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from motion_gating.judges.cost import Meter
from motion_gating.verdicts.verdict_file import Verdicts
from motion_rep.files.locations import Location

NO_QUESTION = "no_question"  # error kind: nothing can be asked about this entry
RUN_ENDED = "run_ended"  # error kind: the run ended before this question
SPLIT = "split"  # error kind: the evidence speaks for both
UNEXPECTED = "unexpected"  # error kind: an error of this program


@dataclass(frozen=True)
class Question:
    """Does this clip show what the description says?

    Attributes:
        identifier: id of the entry.
        video: the rendered clip, None where the entry has none.
        description: the text; data, never an instruction.
        motion: the motion file that the clip shows, None where the entry names none.
        for_people: the clip that people see, which may have more frames.
    """

    identifier: object
    video: Location | None
    description: str | None
    motion: Location | None = None
    for_people: Location | None = None


@dataclass(frozen=True)
class Verdict:
    """Match (True), mismatch (False) or undecided (None); an undecided verdict always carries a kind and a reason.

    Attributes:
        judge: the name of the judge that answered.
        error_kind, error: why there is no verdict; both None where there is one.
        model_versions: the distinct versions that the service named.
        votes_for, votes_against: number of answers.
        cached: number of answers that came from the cache.
        prompt_tokens, output_tokens: as the service counted them, None where it did not.
        evidence: the parts of a protocol that has several, in the order in which they came, ready for JSON.
        remarks: sentences that decide nothing, for the person who reads the record.
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
    """Which of two clips shows a description better: the first (1), the second (2), or none of them (0).

    Attributes:
        better: None where there is no answer; it then carries a kind and a reason.
        cached: whether the answer came from the cache.
    """

    better: int | None
    analysis: str | None = None
    error_kind: str | None = None
    error: str | None = None
    cached: bool = False


@dataclass(frozen=True)
class Stop:
    """Why a judge answers no further questions; ``exit_code`` is 2 where the user must change something first."""

    message: str
    exit_code: int


class Judge(Protocol):
    """One way to get verdicts: from people, from a model, or from a model where no person decided."""

    @property
    def name(self) -> str: ...

    @property
    def is_remote_service(self) -> bool:
        """Whether a question mostly waits for a service, so that threads help."""

    @property
    def stop(self) -> Stop | None: ...

    @property
    def people(self) -> Verdicts:
        """Verdicts of people; they precede the model's."""

    @property
    def refused(self) -> Sequence[str]:
        """Ids of entries whose verdicts by people were all given on another motion, clip or description."""

    @property
    def model(self) -> Model | None:
        """The model that is asked where no person decided."""

    def judge(self, question: Question) -> Verdict: ...


class Model(Judge, Protocol):
    """A judge whose calls can be counted before they are made."""

    @property
    def least_calls(self) -> int:
        """How many calls a question takes where no answer is in the cache."""

    @property
    def more_calls(self) -> int:
        """How many calls a question may take beyond those that it takes at least."""

    @property
    def wordings(self) -> str | list[str]:
        """The words of all questions."""

    def settings(self) -> dict[str, object]:
        """The settings that change an answer; no secrets."""

    @property
    def meter(self) -> Meter:
        """What the calls of this run cost so far."""

    def unanswered(self, question: Question) -> int:
        """The least number of calls that the question takes; see :class:`motion_gating.judges.vlm_judge.VlmJudge`."""

    def prefer(self, first: Question, second: Question, least: bool = False, ask: bool = True) -> Preference:
        """The better of two clips of one description; see :class:`motion_gating.judges.vlm_judge.VlmJudge`."""

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """About how many prompt tokens a clip takes."""


def undecided(judge: str, kind: str, reason: str) -> Verdict:
    """A verdict that decides nothing, and why."""
    return Verdict(matches=None, analysis=None, judge=judge, error_kind=kind, error=reason)
