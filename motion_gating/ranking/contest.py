"""Pairs of candidates before a judge: the holder stays unless a challenger is preferred in both orders.

The candidates come in the order of their figures, so the holder has the better figures than its challenger, and stays
where the answer depends on the order, is "the same" or is missing: ties are decided by the figures. A judge that
answers by the place of a clip can therefore never replace the best by figures. One answer for the holder ends a pair,
since a second one could not replace it. What this saves of the 2 (N - 1) calls goes to a second round, in which the
judge is asked which clip is worse: first about pairs whose answers depended on the order, then about the others.

With answers that are right in 80 % of the cases, independent of each other, and figures that say nothing, this finds
the best of 4 in 71 % of the groups; a knockout of pairs in both orders, which takes the same calls, in 64 %
(``scripts/dev/evaluate_ranking.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from motion_gating.judges.interface import Preference

# First clip, second clip (by their places in the order of the figures), and whether the worse one is asked for.
Prefer = Callable[[int, int, bool], Preference]


@dataclass(frozen=True)
class Hearing:
    """One pair before the judge.

    Attributes:
        challenger, holder: places in the order of the figures.
        least: whether the worse clip was asked for.
        answers: the first with the holder's clip in front, the second the other way round; one where it decided.
    """

    challenger: int
    holder: int
    least: bool
    answers: tuple[Preference, ...]

    @property
    def won(self) -> bool:
        """Whether the challenger was preferred in both orders."""
        return [answer.better for answer in self.answers] == [2, 1]

    @property
    def missing(self) -> Preference | None:
        """The answer that is missing; the pair is unknown then."""
        return next((answer for answer in self.answers if answer.better is None), None)

    @property
    def depends_on_order(self) -> bool:
        """Whether the challenger was preferred in one order only."""
        return len(self.answers) == 2 and not self.won and self.missing is None


@dataclass(frozen=True)
class Contest:
    """The candidates from best to worst, by their places in the order of the figures, and all pairs that were heard."""

    order: tuple[int, ...]
    hearings: tuple[Hearing, ...] = ()

    @property
    def calls(self) -> int:
        """The number of answers that were asked for."""
        return sum(len(hearing.answers) for hearing in self.hearings)


def most_calls(count: int) -> int:
    """The largest number of answers for so many candidates."""
    return 2 * max(count - 1, 0)


def hold_contest(count: int, prefer: Prefer) -> Contest:
    """Let each candidate challenge the holder, the best by figures first.

    Args:
        count: of the candidates, which are named by their places in the order of the figures.
    """
    first = _hold_round(Contest(tuple(range(min(count, 1)))), range(1, count), False, count, prefer)
    failed = [one for one in first.hearings if not one.won and one.missing is None]
    again = sorted(failed, key=lambda one: not one.depends_on_order)
    return _hold_round(first, [one.challenger for one in again], True, count, prefer)


def _hold_round(found: Contest, challengers: range | list[int], least: bool, count: int, prefer: Prefer) -> Contest:
    for challenger in challengers:
        if found.calls + 2 > most_calls(count):
            break
        hearing = _hear(challenger, found.order[0], least, prefer)
        others = tuple(one for one in found.order if one != challenger)
        if hearing.won:
            order = (challenger, *others)
        else:
            order = found.order if challenger in found.order else (*found.order, challenger)
        found = Contest(order, (*found.hearings, hearing))
    return found


def _hear(challenger: int, holder: int, least: bool, prefer: Prefer) -> Hearing:
    first = prefer(holder, challenger, least)
    if first.better != 2:
        return Hearing(challenger, holder, least, (first,))
    return Hearing(challenger, holder, least, (first, prefer(challenger, holder, least)))
