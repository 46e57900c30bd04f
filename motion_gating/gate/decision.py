"""Make a decision with its reasons from figures and a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from motion_gating.archives.fields import JITTER, JITTER_RAW, REFINED
from motion_gating.judges.interface import Verdict
from motion_gating.metrics.joint_metrics import JointMetrics
from motion_gating.metrics.table import DEFAULT_JITTER, METRICS, RAW, SUGGESTED_TREMBLE, TREMBLE
from motion_rep.common.rates import LOADER_FPS

MAX, MIN = "max", "min"
SMOOTHNESS = (JITTER, JITTER_RAW, TREMBLE)


@dataclass(frozen=True)
class Limit:
    """One bound of a figure, in the figure's unit: it must be below a ``max``, and at or above a ``min``."""

    metric: str
    kind: str
    bound: float

    def check(self, value: float | None) -> Check:
        """The condition on a figure; a figure of None is unknown."""
        if value is None:
            return Check(self.metric, None, f"{self.metric} is unknown: the capture of this motion did not store it")
        passed = value < self.bound if self.kind == MAX else value >= self.bound
        words = {
            MAX: ("below" if passed else "not below"),
            MIN: ("reaches" if passed else "does not reach"),
        }[self.kind]
        verb = "is " if self.kind == MAX else ""
        return Check(self.metric, passed, f"{self.metric} {value:.4g} {verb}{words} {self.bound:g}")


@dataclass(frozen=True)
class Limits:
    """The conditions on figures.

    Attributes:
        jitter_degree: the jitter degree must be below this; None omits the check.
        jitter_of: for a refined motion, whether the jitter of the refined or of the raw motion counts.
        others: bounds of other metrics; none by default.
        fps: required rate of a motion whose rate is known; None accepts any rate.
    """

    jitter_degree: float | None = DEFAULT_JITTER
    others: tuple[Limit, ...] = ()
    fps: float | None = LOADER_FPS
    jitter_of: str = REFINED

    @property
    def tremble(self) -> float:
        """The bound of tremble: the given one, else the suggested one."""
        return next((limit.bound for limit in self.others if limit.metric == TREMBLE), SUGGESTED_TREMBLE)

    def as_dict(self) -> dict[str, float | str | None]:
        """Every limit by name, for the run block; None if it is off."""
        known = {f"{kind}_{metric.key}": None for metric in METRICS for kind in metric.limits}
        given = {f"{limit.kind}_{limit.metric}": limit.bound for limit in self.others}
        return {JITTER: self.jitter_degree, "jitter_of": self.jitter_of, **known, **given, "fps": self.fps}


@dataclass(frozen=True)
class Check:
    """One condition: passed (True), failed (False) or unknown (None), and the reason in words."""

    name: str
    passed: bool | None
    reason: str


@dataclass(frozen=True)
class Decision:
    """The conjunction of the checks: a failed check rejects, else an unknown check leaves the entry undecided."""

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
        metrics: None if they could not be computed; ``metrics_error`` contains the reason.
        verdict: None if no judge was asked.
    """
    return Decision((*_metric_checks(metrics, metrics_error, limits), _verdict_check(verdict)))


def smoothness_fails(metrics: JointMetrics | None, limits: Limits) -> bool:
    """Whether jitter or tremble already rejects."""
    checks = [] if metrics is None else _limit_checks(metrics, limits)
    return any(check.name in SMOOTHNESS and check.passed is False for check in checks)


def fast_note(metrics: JointMetrics | None, limits: Limits) -> str | None:
    """A note on a motion whose jitter is high because it is fast; None for any other motion."""
    if metrics is None or metrics.jitter_degree < (limits.jitter_degree or DEFAULT_JITTER):
        return None
    tremble = metrics.figures[TREMBLE]
    return f"fast, not trembling: tremble {tremble:.2f} of {limits.tremble:g}" if tremble < limits.tremble else None


def _metric_checks(metrics: JointMetrics | None, error: str | None, limits: Limits) -> list[Check]:
    if metrics is None:
        return [Check(JITTER, None, f"no figures: {error}")]
    return [*_limit_checks(metrics, limits), *_rate_checks(metrics.clip_fps, limits.fps)]


def _limit_checks(metrics: JointMetrics, limits: Limits) -> list[Check]:
    whose = JITTER_RAW if limits.jitter_of == RAW else JITTER
    jitter = () if limits.jitter_degree is None else (Limit(whose, MAX, limits.jitter_degree),)
    return [limit.check(metrics.value(limit.metric)) for limit in (*jitter, *limits.others)]


def _rate_checks(fps: float | None, expected: float | None) -> list[Check]:
    """Check that a known rate is the one at which the motion will be played; no check if either is unknown."""
    if expected is None or fps is None or math.isclose(fps, expected, rel_tol=1e-3):
        return []
    reason = (
        f"the motion has {fps:g} frames a second and TM2M plays {expected:g}, so it would take {fps / expected:.2f} "
        f"times as long; convert it with convert_hmr_to_motion.py --target-fps {expected:g}, or give --any-fps"
    )
    return [Check("fps", False, reason)]


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
        f"{verdict.judge} says that the clip {'matches' if verdict.matches else 'does not match'} "
        f"the description{counted}",
    )
