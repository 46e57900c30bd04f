"""The ranks of a group's candidates, with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motion_gating.archives.fields import CHOSEN, RANK, RANK_REASONS
from motion_gating.judges.interface import Preference
from motion_gating.ranking.candidate import Candidate, by_figures
from motion_gating.ranking.contest import Contest, Hearing, hold_contest
from motion_gating.verdicts.flags import LATEST, MAJORITY, UNDECIDED

JUDGE, FIGURES, PERSON, ONLY, NOBODY = "judge", "figures", "person", "only one left", "no winner"
AskAboutTwo = Callable[[Candidate, Candidate, bool], Preference]


@dataclass(frozen=True)
class Group:
    """The candidates of one text, in the order of the archive."""

    name: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Rank:
    """The rank of a candidate (1 is best, None means dropped out) and the reasons, in sentences."""

    candidate: Candidate
    rank: int | None
    chosen: bool
    reasons: tuple[str, ...]

    def fields(self) -> dict[str, object]:
        """The fields for the archive."""
        return {RANK: self.rank, CHOSEN: self.chosen, RANK_REASONS: list(self.reasons)}


@dataclass(frozen=True)
class RankedGroup:
    """A group with its ranks, from best to worst.

    Attributes:
        decided_by: JUDGE, FIGURES, PERSON, ONLY or NOBODY.
        hearings: the pairs shown to the judge; their numbers are positions in ``contenders``.
    """

    name: str
    ranks: tuple[Rank, ...]
    decided_by: str
    contenders: tuple[Candidate, ...] = ()
    hearings: tuple[Hearing, ...] = ()

    @property
    def winner(self) -> Candidate | None:
        return next((one.candidate for one in self.ranks if one.chosen), None)

    @property
    def missing(self) -> tuple[Preference, ...]:
        """The missing answers; the figures decided these pairs."""
        return tuple(hearing.missing for hearing in self.hearings if hearing.missing is not None)

    def line(self) -> str:
        """One line for the user."""
        chosen = "no winner" if self.winner is None else f"{self.winner.identifier} chosen ({self.decided_by})"
        return f"group {self.name}: {chosen}"

    def as_dict(self) -> dict[str, object]:
        """The block for the run file."""
        winner = None if self.winner is None else self.winner.identifier
        pairs = [_hearing_as_dict(hearing, self.contenders) for hearing in self.hearings]
        return {"group": self.name, "winner": winner, "decided_by": self.decided_by, "pairs": pairs}


def rank_group(group: Group, ask: AskAboutTwo | None, conflicts: str = UNDECIDED) -> RankedGroup:
    """Rank a group: candidates that passed the gate, then undecided ones, then those that dropped out.

    A person's choice comes first. Otherwise, the judge compares the best ones; if it cannot decide, the figures decide.

    Args:
        ask: a judge's answer about two candidates; None without a judge.
        conflicts: the rule for reviewers who chose different candidates.
    """
    able = [one for one in group.candidates if not one.dropped]
    dropped = tuple(
        Rank(one, None, False, (*one.dropped, *([f"chosen by {_names(one)}, but it drops out"] if one.choices else [])))
        for one in group.candidates
        if one.dropped
    )
    passed = any(one.passed for one in able)
    foremost = by_figures([one for one in able if bool(one.passed) == passed])
    behind = by_figures([one for one in able if bool(one.passed) != passed])
    chosen = [one for one in (*foremost, *behind) if one.choices]
    picked = _picked(chosen, conflicts)
    if picked is not None:
        others = [one for one in (*foremost, *behind) if one is not picked]
        ranks = _ranks([picked, *others], {id(picked): [f"chosen by {_names(picked)}"]})
        return RankedGroup(group.name, (*ranks, *dropped), PERSON)
    contest = Contest(tuple(range(len(foremost))))
    why_not = _why_no_pairs(foremost) if ask is not None else None
    if ask is not None and why_not is None and len(foremost) > 1:
        contest = hold_contest(
            len(foremost), lambda first, second, least: ask(foremost[first], foremost[second], least)
        )
    reasons = _reasons(foremost, contest.hearings)
    for one in chosen:
        reasons.setdefault(id(one), []).append(f"chosen by {_names(one)}; others chose another candidate")
    for one in behind:
        reasons[id(one)] = ["undecided by the gate; ranks behind those that passed"]
    if why_not is not None and foremost:
        reasons.setdefault(id(foremost[0]), []).append(why_not)
    ranks = _ranks([*(foremost[place] for place in contest.order), *behind], reasons)
    decided_by = NOBODY if not able else ONLY if len(able) == 1 else JUDGE if _was_answered(contest) else FIGURES
    return RankedGroup(group.name, (*ranks, *dropped), decided_by, tuple(foremost), contest.hearings)


def _names(candidate: Candidate) -> str:
    """The reviewers who chose it."""
    return ", ".join(verdict.reviewer for verdict in candidate.choices)


def _picked(chosen: Sequence[Candidate], conflicts: str) -> Candidate | None:
    """The candidate that people chose; None without a choice, or if choices contradict each other and no rule
    decides.
    """
    if len(chosen) < 2:
        return chosen[0] if chosen else None
    times_missing = any(verdict.time is None for one in chosen for verdict in one.choices)
    if conflicts == UNDECIDED or (conflicts == LATEST and times_missing):
        return None
    counts = [_count_or_time(one, conflicts) for one in chosen]
    found = [one for one, count in zip(chosen, counts, strict=True) if count == max(counts)]
    return found[0] if len(found) == 1 else None


def _count_or_time(candidate: Candidate, conflicts: str) -> float:
    """The number of reviewers who chose it, or the time of the latest choice."""
    if conflicts == MAJORITY:
        return len(candidate.choices)
    return max(one.time.timestamp() for one in candidate.choices if one.time is not None)


def _ranks(ordered: Sequence[Candidate], reasons: dict[int, list[str]]) -> tuple[Rank, ...]:
    return tuple(
        Rank(one, number, number == 1, (*reasons.get(id(one), ()), one.figures_in_words()))
        for number, one in enumerate(ordered, 1)
    )


def _was_answered(contest: Contest) -> bool:
    return any(hearing.missing is None for hearing in contest.hearings)


def _why_no_pairs(candidates: Sequence[Candidate]) -> str | None:
    """Why a judge cannot compare the candidates; None if it can."""
    texts = {one.question.description for one in candidates}
    return "the candidates have different descriptions, so the judge was not asked" if len(texts) > 1 else None


def _reasons(contenders: Sequence[Candidate], hearings: Sequence[Hearing]) -> dict[int, list[str]]:
    """Sentences about each candidate that was in a pair, keyed by candidate."""
    found: dict[int, list[str]] = {}
    for hearing in hearings:
        challenger, holder = contenders[hearing.challenger], contenders[hearing.holder]
        about_challenger, about_holder = _sentences(hearing, challenger.identifier, holder.identifier)
        found.setdefault(id(challenger), []).append(about_challenger)
        found.setdefault(id(holder), []).append(about_holder)
    return found


def _sentences(hearing: Hearing, challenger: object, holder: object) -> tuple[str, str]:
    """The result of a pair, as a sentence about the challenger and one about the holder."""
    if (missing := hearing.missing) is not None:
        unknown = f"the judge gave no answer ({missing.error_kind}), the figures decided: {missing.error}"
        return f"against {holder} {unknown}", f"against {challenger} {unknown}"
    if hearing.won:
        return f"preferred to {holder} in both orders", f"{challenger} was preferred in both orders"
    if hearing.depends_on_order:
        tie = "the answer depends on the order, so the figures decided"
        return f"against {holder} {tie}", f"against {challenger} {tie}"
    return f"not preferred to {holder}", f"kept against {challenger}"


def _hearing_as_dict(hearing: Hearing, contenders: Sequence[Candidate]) -> dict[str, object]:
    answers = [
        {"better": answer.better, "analysis": answer.analysis, "error_kind": answer.error_kind, "error": answer.error}
        for answer in hearing.answers
    ]
    return {
        "holder": contenders[hearing.holder].identifier,
        "challenger": contenders[hearing.challenger].identifier,
        "asked_for": "worse" if hearing.least else "better",
        "answers": answers,
        "challenger_won": hearing.won,
    }
