"""Compare candidates in pairs: a judge replaces the holder only if it prefers the challenger in both orders.

The candidates are sorted by their figures, so the holder has better figures than its challenger. It stays if the answer
depends on the order, is "the same" or is missing: figures decide ties. A judge that prefers a position can therefore
never replace the candidate with the best figures. One answer for the holder ends a pair, because a second answer could
not replace it. The calls saved from the 2 (N - 1) go to a second round, which asks which clip is worse: first about
pairs whose answers depended on the order, then about the others.

If 80 % of the answers are right, independently of each other, and the figures are useless, this finds the best of 4 in
71 % of the groups; a knockout of pairs in both orders finds it in 64 % with the same number of calls
(``scripts/dev/evaluate_ranking.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from motion_gating.judges.interface import Preference

# First clip, second clip (by their positions in the order of the figures), and whether the question is which is worse.
Prefer = Callable[[int, int, bool], Preference]


@dataclass(frozen=True)
class Hearing:
    """One pair shown to the judge.

    Attributes:
        challenger, holder: positions in the order of the figures.
        least: whether the question was which clip is worse.
        answers: the first with the holder's clip first, the second with the clips swapped; only one if that decided.
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
        """The missing answer, which leaves the pair unknown."""
        return next((answer for answer in self.answers if answer.better is None), None)

    @property
    def depends_on_order(self) -> bool:
        """Whether the challenger was preferred in only one order."""
        return len(self.answers) == 2 and not self.won and self.missing is None


@dataclass(frozen=True)
class Contest:
    """The candidates from best to worst, by their positions in the order of the figures, and all pairs shown to the
    judge.
    """

    order: tuple[int, ...]
    hearings: tuple[Hearing, ...] = ()

    @property
    def calls(self) -> int:
        """The number of answers requested."""
        return sum(len(hearing.answers) for hearing in self.hearings)


def most_calls(count: int) -> int:
    """The largest possible number of answers for ``count`` candidates."""
    return 2 * max(count - 1, 0)


def hold_contest(count: int, prefer: Prefer) -> Contest:
    """Let each candidate challenge the holder, the best by figures first.

    Args:
        count: number of candidates; a candidate is identified by its position in the order of the figures.
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
