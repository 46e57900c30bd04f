"""The jitter threshold with the best agreement with labels, and the curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from motion_gating.evaluation.agreement import Counts, count_decisions
from motion_rep.files.atomic_writing import atomic_path


@dataclass(frozen=True)
class LabelledCase:
    """A decided entry with a label: whether to use it, its jitter, and whether all other checks accept it."""

    label: bool
    jitter_degree: float
    accepted_without_jitter: bool


@dataclass(frozen=True)
class CurvePoint:
    """The gate's agreement with the labels at this threshold."""

    threshold: float
    counts: Counts


def threshold_curve(cases: Sequence[LabelledCase]) -> list[CurvePoint]:
    """Agreement at every relevant threshold: between neighbouring jitters, below all and above all."""
    jitters = sorted({case.jitter_degree for case in cases})
    if not jitters:
        return []
    between = [(low + high) / 2 for low, high in zip(jitters, jitters[1:], strict=False)]
    return [_point(threshold, cases) for threshold in (jitters[0] / 2, *between, jitters[-1] * 1.5)]


def best_point(curve: Sequence[CurvePoint], near: float) -> CurvePoint | None:
    """The point with the highest kappa; of several, the one nearest to the threshold in use; None if no kappa is
    defined.
    """
    defined = [(point.counts.kappa, point) for point in curve if point.counts.kappa is not None]
    ranked = [(-kappa, abs(point.threshold - near), number) for number, (kappa, point) in enumerate(defined)]
    return defined[min(ranked)[2]][1] if ranked else None


def draw_curve(curve: Sequence[CurvePoint], used: float, best: CurvePoint, path: Path) -> None:
    """Precision, recall and kappa over the threshold, as a picture."""
    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    thresholds = [point.threshold for point in curve]
    for name, colour in (("precision", "tab:blue"), ("recall", "tab:orange"), ("kappa", "tab:green")):
        values = [getattr(point.counts, name) for point in curve]
        axes.plot(
            thresholds,
            [float("nan") if value is None else value for value in values],
            "o-",
            markersize=3,
            color=colour,
            label=name,
        )
    axes.axvline(used, color="0.4", linestyle="--", label=f"in use: {used:g}")
    axes.axvline(best.threshold, color="tab:green", linestyle=":", label=f"best kappa: {best.threshold:.3g}")
    axes.set(
        xscale="log",
        xlabel="jitter threshold (m per frame²)",
        ylabel="agreement of the whole gate with people",
        ylim=(min(0, *axes.get_ylim()), 1.05),
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="best")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _point(threshold: float, cases: Sequence[LabelledCase]) -> CurvePoint:
    decisions = [case.jitter_degree < threshold and case.accepted_without_jitter for case in cases]
    return CurvePoint(threshold, count_decisions([case.label for case in cases], decisions))
