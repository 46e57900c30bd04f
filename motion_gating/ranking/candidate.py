"""A candidate with its figures, and why it drops out."""

from __future__ import annotations

from dataclasses import dataclass

from motion_gating.judges.interface import Question
from motion_gating.metrics.joint_metrics import JointMetrics
from motion_gating.metrics.table import METRICS, TREMBLE
from motion_gating.verdicts.verdict_file import HumanVerdict

SKATE_RATIO = "skate_ratio"
DAMAGE = tuple(metric for metric in METRICS if metric.damage is not None)


@dataclass(frozen=True)
class Candidate:
    """One candidate of a group.

    Attributes:
        identifier: id of the entry.
        question: the clip and description that a judge is shown.
        metrics: None if there are no figures; ``dropped`` then contains the reason.
        passed: the gate's decision; None if it is undecided or missing.
        dropped: why the candidate cannot be chosen; empty if it can.
        choices: verdicts of the reviewers who chose it as the best of its group.
    """

    identifier: object
    question: Question
    metrics: JointMetrics | None
    passed: bool | None = None
    dropped: tuple[str, ...] = ()
    choices: tuple[HumanVerdict, ...] = ()

    def figures_in_words(self) -> str:
        """The figures that decide ties."""
        if self.metrics is None:
            return "no figures"
        fit = self.metrics.image_fit
        known = f"image fit {'unknown' if fit is None else f'{fit:.2f}'}"
        figures = self.metrics.figures
        return f"{known}, skate ratio {figures[SKATE_RATIO]:.2f}, tremble {figures[TREMBLE]:.2f}"


def by_figures(candidates: list[Candidate]) -> list[Candidate]:
    """Sort from best to worst: higher image fit, lower skate ratio (both to 0.01), lower tremble.

    The image fit counts only if all candidates have one. Equal candidates keep their order.
    """
    fits = [None if one.metrics is None else one.metrics.image_fit for one in candidates]
    fit_counts = None not in fits

    def key(candidate: Candidate) -> tuple[float, float, float]:
        metrics = candidate.metrics
        if metrics is None:
            return (0.0, float("inf"), float("inf"))
        fit = metrics.image_fit if fit_counts else None
        return (-round(fit or 0.0, 2), round(metrics.figures[SKATE_RATIO], 2), metrics.figures[TREMBLE])

    return sorted(candidates, key=key)


def damage_in(metrics: JointMetrics) -> tuple[str, ...]:
    """One sentence for each figure that shows damage."""
    found = ((metric, metrics.figures[metric.key]) for metric in DAMAGE)
    return tuple(
        f"{metric.key} {value:.4g} {metric.unit} is damage ({metric.damage:g} and more)"
        for metric, value in found
        if metric.damage is not None and not value < metric.damage
    )
