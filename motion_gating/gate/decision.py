"""From figures and a verdict to a decision that carries its reasons."""

from __future__ import annotations

from dataclasses import dataclass, fields

from motion_gating.judges.interface import Verdict
from motion_gating.metrics.joint_metrics import JointMetrics


@dataclass(frozen=True)
class Limits:
    """Thresholds; None is off. Metres, or metres per frame at the metrics' rate. A figure must be below a maximum and at or above a minimum."""

    jitter_degree: float = 0.04
    max_ground_penetration: float | None = None
    max_foot_sliding: float | None = None
    max_foot_floating: float | None = None
    max_dynamic_degree: float | None = None
    min_dynamic_degree: float | None = None


@dataclass(frozen=True)
class Check:
    """One condition: held (True), failed (False) or unknown (None), and why in words."""

    name: str
    passed: bool | None
    reason: str


@dataclass(frozen=True)
class Decision:
    """The conjunction of the checks: one failed check rejects, else one unknown check leaves it undecided."""

    checks: tuple[Check, ...]

    @property
    def use_ref_motion(self) -> bool | None:
        results = [check.passed for check in self.checks]
        return False if False in results else None if None in results else True

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(check.name for check in self.checks if check.passed is False)


def decide(
    metrics: JointMetrics | None, metrics_error: str | None, verdict: Verdict | None, limits: Limits
) -> Decision:
    """The decision on one entry.

    Args:
        metrics: None where they could not be computed; ``metrics_error`` says why.
        verdict: None where no judge was asked.
    """
    return Decision((*_metric_checks(metrics, metrics_error, limits), _verdict_check(verdict)))


def jitter_fails(metrics: JointMetrics | None, limits: Limits) -> bool:
    """Whether jitter alone already rejects."""
    return metrics is not None and metrics.jitter_degree >= limits.jitter_degree


def _metric_checks(metrics: JointMetrics | None, error: str | None, limits: Limits) -> list[Check]:
    if metrics is None:
        return [Check("jitter_degree", None, f"no figures: {error}")]
    checks = [_below("jitter_degree", metrics.jitter_degree, limits.jitter_degree)]
    for limit in fields(limits)[1:]:
        bound, name = getattr(limits, limit.name), limit.name[4:]
        if bound is not None:
            value = getattr(metrics, name)
            checks.append(_below(name, value, bound) if limit.name.startswith("max_") else _reaches(name, value, bound))
    return checks


def _below(name: str, value: float, limit: float) -> Check:
    passed = value < limit
    return Check(name, passed, f"{name} {value:.4g} is {'below' if passed else 'not below'} {limit:g}")


def _reaches(name: str, value: float, limit: float) -> Check:
    passed = value >= limit
    return Check(name, passed, f"{name} {value:.4g} {'reaches' if passed else 'does not reach'} {limit:g}")


def _verdict_check(verdict: Verdict | None) -> Check:
    if verdict is None:
        return Check("vlm", None, "no judge was asked")
    if verdict.matches is None:
        return Check("vlm", None, f"no verdict from {verdict.judge} ({verdict.error_kind}): {verdict.error}")
    votes = verdict.votes_for + verdict.votes_against
    counted = (
        f" ({verdict.votes_for if verdict.matches else verdict.votes_against} of {votes} votes)" if votes > 1 else ""
    )
    return Check(
        "vlm",
        verdict.matches,
        f"{verdict.judge} says that the clip {'matches' if verdict.matches else 'does not match'} the description{counted}",
    )
