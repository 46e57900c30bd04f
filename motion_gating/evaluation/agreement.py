"""Agreement of decisions with people, and the uncertainty of the figures."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

Z_95 = 1.959964
RESAMPLES = 4000


@dataclass(frozen=True)
class Counts:
    """Decided cases by label (first word) and decision (second word). A rate is None if it is not defined."""

    yes_yes: int
    yes_no: int
    no_yes: int
    no_no: int

    @property
    def total(self) -> int:
        return self.yes_yes + self.yes_no + self.no_yes + self.no_no

    @property
    def precision(self) -> float | None:
        return _ratio(self.yes_yes, self.yes_yes + self.no_yes)

    @property
    def recall(self) -> float | None:
        return _ratio(self.yes_yes, self.yes_yes + self.yes_no)

    @property
    def accuracy(self) -> float | None:
        return _ratio(self.yes_yes + self.no_no, self.total)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance, (observed - expected) / (1 - expected); None if chance always
        agrees.
        """
        value = float(_kappas(np.array([[self.yes_yes, self.yes_no, self.no_yes, self.no_no]]))[0])
        return None if math.isnan(value) else value


@dataclass(frozen=True)
class Agreement:
    """Agreement on labelled cases.

    Attributes:
        labelled: cases with a label, decided or not.
        kappa_low, kappa_high: 95 % bootstrap interval.
    """

    labelled: int
    counts: Counts
    kappa_low: float | None
    kappa_high: float | None

    @property
    def coverage(self) -> float | None:
        """Share of the labelled cases that were decided."""
        return _ratio(self.counts.total, self.labelled)

    def as_dict(self) -> dict[str, object]:
        """All figures, for a file."""
        counts = self.counts
        rates = {name: getattr(counts, name) for name in ("precision", "recall", "accuracy", "kappa")}
        interval = {"kappa_low": self.kappa_low, "kappa_high": self.kappa_high}
        return {
            "labelled": self.labelled,
            "decided": counts.total,
            "coverage": self.coverage,
            **rates,
            **interval,
            "counts": asdict(counts),
        }


def count_decisions(labels: Sequence[bool], decisions: Sequence[bool | None]) -> Counts:
    """The four kinds of decided cases."""
    pairs = list(zip(labels, decisions, strict=True))
    return Counts(*(pairs.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))))


def measure_agreement(labels: Sequence[bool], decisions: Sequence[bool | None], seed: int = 0) -> Agreement:
    """Agreement of decisions with labels; undecided cases count only for the coverage."""
    counts = count_decisions(labels, decisions)
    return Agreement(len(labels), counts, *_kappa_interval(counts, seed))


def wilson_interval(hits: int, trials: int) -> tuple[float, float] | None:
    """95 % interval of a rate (Wilson's score interval); 0 of 20 gives at most 0.16. None without trials."""
    if trials == 0:
        return None
    rate, z2 = hits / trials, Z_95**2
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(centre - half, 0.0), min(centre + half, 1.0)


@functools.lru_cache(maxsize=4096)  # many reviewers have many pairs with the same counts
def _kappa_interval(counts: Counts, seed: int) -> tuple[float | None, float | None]:
    cells = np.array([counts.yes_yes, counts.yes_no, counts.no_yes, counts.no_no])
    if cells.sum() == 0:
        return None, None
    kappas = _kappas(np.random.default_rng(seed).multinomial(cells.sum(), cells / cells.sum(), size=RESAMPLES))
    kappas = kappas[~np.isnan(kappas)]
    if kappas.size == 0:
        return None, None
    return float(np.percentile(kappas, 2.5)), float(np.percentile(kappas, 97.5))


def _kappas(cells: np.ndarray) -> np.ndarray:
    """(K,) kappas of (K, 4) counts; NaN where not defined."""
    yes_yes, yes_no, no_yes, no_no = cells.astype(float).T
    total = cells.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = (yes_yes + no_no) / total
        expected = ((yes_yes + yes_no) * (yes_yes + no_yes) + (no_yes + no_no) * (yes_no + no_no)) / total**2
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
