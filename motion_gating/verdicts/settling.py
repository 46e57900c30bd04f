"""Settle which of several reviewers' verdicts on an entry counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motion_gating.verdicts.flags import LATEST, MAJORITY, UNDECIDED
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts, last_of_each

WORDS = {True: "match", False: "no match", None: "unsure"}


@dataclass(frozen=True)
class Settled:
    """The combined verdict of the reviewers.

    Attributes:
        verdict: the one that counts; None if the reviewers contradict each other and no rule decides.
        conflict: the contradicting verdicts with their reviewers, even if a rule decided.
    """

    verdict: HumanVerdict | None
    conflict: str = ""


def settle(verdicts: Sequence[HumanVerdict], rule: str = UNDECIDED) -> Settled:
    """The verdict that counts among one or more on the current content; a decision precedes "unsure", which precedes
    "not chosen".

    Args:
        rule: for conflicts, one of ``verdicts.flags.RULES``. A tie, or verdicts without times, stay undecided.
    """
    verdicts = last_of_each(verdicts)
    standing = [verdict for verdict in verdicts if not verdict.overruled] or list(verdicts)
    if not is_conflict(standing):
        decided = [verdict for verdict in standing if verdict.matches is not None]
        said = [verdict for verdict in standing if not verdict.says_nothing]
        return Settled((decided or said or standing)[0])
    found = {UNDECIDED: lambda _: None, LATEST: _latest, MAJORITY: _majority}[rule](standing)
    return Settled(found, "; ".join(f"{verdict.reviewer}: {_words(verdict)}" for verdict in standing))


def settle_all(verdicts: Verdicts, rule: str = UNDECIDED) -> dict[str, HumanVerdict]:
    """The verdict that counts for each entry; entries without one are omitted."""
    settled = {identifier: settle(found, rule).verdict for identifier, found in verdicts.items()}
    return {identifier: verdict for identifier, verdict in settled.items() if verdict is not None}


def conflicts_in(verdicts: Verdicts) -> list[str]:
    """The ids of the entries with an unsettled contradiction between reviewers."""
    return [identifier for identifier, found in verdicts.items() if settle(found).conflict]


def is_conflict(verdicts: Sequence[HumanVerdict]) -> bool:
    """Whether one reviewer says yes and another says no; "unsure" does not contradict."""
    return any({True, False} <= {getattr(verdict, key) for verdict in verdicts} for key in ("matches", "usable"))


def _words(verdict: HumanVerdict) -> str:
    usable = {True: ", usable", False: ", not usable", None: ""}[verdict.usable]
    return WORDS[verdict.matches] + usable


def _latest(verdicts: Sequence[HumanVerdict]) -> HumanVerdict | None:
    times = [verdict.time for verdict in verdicts if verdict.time is not None]
    last = [verdict for verdict in verdicts if times and verdict.time == max(times)]
    return last[0] if len(times) == len(verdicts) and len(last) == 1 else None


def _majority(verdicts: Sequence[HumanVerdict]) -> HumanVerdict | None:
    """A verdict of the majority; None in a tie, also between usable and not usable."""
    sides = [[verdict for verdict in verdicts if (verdict.matches, verdict.usable) == said] for said in _said(verdicts)]
    first, *others = sorted(sides, key=len, reverse=True)
    return first[0] if not others or len(first) > len(others[0]) else None


def _said(verdicts: Sequence[HumanVerdict]) -> set[tuple[bool | None, bool | None]]:
    return {(verdict.matches, verdict.usable) for verdict in verdicts if verdict.matches is not None}
