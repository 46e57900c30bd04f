"""Agreement of reviewers with each other: Cohen's kappa for pairs, Krippendorff's alpha for more than two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from motion_gating.evaluation.agreement import measure_agreement
from motion_gating.verdicts.settling import conflicts_in
from motion_gating.verdicts.verdict_file import Verdicts, last_of_each, reviewers_of
from motion_rep.common.errors import counted, listed

LISTED = 20  # pairs of reviewers


@dataclass(frozen=True)
class Pair:
    """Two reviewers on the entries that both decided.

    kappa: None if undefined: no common entries, or only one kind of answer.
    kappa_low, kappa_high: 95 % bootstrap interval.
    """

    reviewers: tuple[str, str]
    shared: int
    agreed: int
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None


@dataclass(frozen=True)
class ReviewerAgreement:
    """Agreement on match or no match; "unsure" counts as no answer, an overruled verdict as an answer.

    alpha: for three reviewers or more; None if undefined.
    conflicts: ids of the entries that stay undecided.
    """

    pairs: tuple[Pair, ...]
    alpha: float | None
    conflicts: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """For the evaluation file."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Sentences for the user."""
        for pair in sorted(self.pairs, key=lambda pair: -pair.shared)[:LISTED]:
            kappa = "undefined" if pair.kappa is None else f"{pair.kappa:.2f}"
            low, high = pair.kappa_low, pair.kappa_high
            interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
            names = " and ".join(pair.reviewers)
            yield f"{names}: agree on {pair.agreed} of {pair.shared} shared entries, kappa {kappa}{interval}"
        if len(self.pairs) > LISTED:
            yield f"{len(self.pairs) - LISTED} more pairs of reviewers share as many entries or fewer"
        if len(self.pairs) > 1:
            yield f"all reviewers: Krippendorff's alpha {'undefined' if self.alpha is None else f'{self.alpha:.2f}'}"
        if self.conflicts:
            shown = listed(self.conflicts, most=5)
            yield f"{counted(len(self.conflicts), 'entry', 'entries')} with contradicting verdicts: {shown}"


def reviewer_agreement(verdicts: Verdicts, seed: int = 0) -> ReviewerAgreement | None:
    """The agreement of all reviewers; None for fewer than two."""
    names = reviewers_of(verdicts)
    if len(names) < 2:
        return None
    decided = {name: {} for name in names}  # type: dict[str, dict[str, bool]]
    for identifier, found in verdicts.items():
        for verdict in last_of_each(found):
            if verdict.matches is not None:
                decided[verdict.reviewer][identifier] = verdict.matches
    pairs = tuple(_pair((a, b), decided[a], decided[b], seed) for a, b in combinations(names, 2))
    units = [[answers[name] for answers in decided.values() if name in answers] for name in verdicts]
    alpha = krippendorff_alpha(units) if len(names) > 2 else None
    return ReviewerAgreement(pairs, alpha, tuple(conflicts_in(verdicts)))


def krippendorff_alpha(units: Sequence[Sequence[object]]) -> float | None:
    """Krippendorff's alpha of nominal answers, 1 - observed / expected disagreement; None if all answers are equal.

    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): nominal data, any number of
    observers, missing data.

    Args:
        units: the answers on each unit; units with fewer than two are ignored.
    """
    paired = [Counter(answers) for answers in units if len(answers) > 1]
    totals = sum(paired, Counter())
    count = totals.total()
    # In a unit with m answers, each pair has the weight 1 / (m - 1).
    observed = sum((found.total() ** 2 - _squares(found)) / (found.total() - 1) for found in paired)
    expected = count**2 - _squares(totals)
    return None if expected == 0 else float(1 - (count - 1) * observed / expected)


def _squares(counts: Counter) -> int:
    return sum(number**2 for number in counts.values())


def _pair(names: tuple[str, str], first: dict[str, bool], second: dict[str, bool], seed: int) -> Pair:
    shared = [name for name in first if name in second]
    found = measure_agreement([first[name] for name in shared], [second[name] for name in shared], seed)
    agreed = sum(first[name] == second[name] for name in shared)
    return Pair(names, len(shared), agreed, found.counts.kappa, found.kappa_low, found.kappa_high)
