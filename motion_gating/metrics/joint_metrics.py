"""The figures of one clip, from joint positions alone.

The benchmark's metrics do not divide by the time step, so they depend on the frame rate: the jitter of one path is
about proportional to 1/fps^2. They are computed at 16 fps, the rate of the published threshold. Figures in seconds are
computed at the clip's own rate (16 fps if unknown, as assumed by the TM2M loader).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from motion_gating.archives.fields import IMAGE_FIT, JITTER, JITTER_RAW
from motion_gating.metrics.joint_clip import JointClip
from motion_rep.common.rates import LOADER_FPS
from motion_rep.measures import benchmark, in_seconds
from motion_rep.measures.benchmark import METRIC_FPS, at_metric_rate
from motion_rep.measures.tremble import tremble

HALF_SECOND_INTERVALS = 8  # at METRIC_FPS

# Functions of (T, 22, 3) joints at METRIC_FPS, y-up, that give a figure per frame.
BENCHMARK: dict[str, Callable[[np.ndarray], float]] = {
    "mbench_foot_sliding": benchmark.foot_sliding,
    "mbench_foot_floating": benchmark.foot_floating,
    "ground_penetration": benchmark.ground_penetration,
    "dynamic_degree": benchmark.dynamic_degree,
}
# Functions of joints and their rate that give a figure independent of the rate.
IN_SECONDS: dict[str, Callable[[np.ndarray, float], float]] = {
    "tremble": tremble,
    "foot_clearance": in_seconds.foot_clearance,
    "skate_ratio": in_seconds.skate_ratio,
    "skate_speed": in_seconds.skate_speed,
    "support_distance": in_seconds.support_distance,
    "root_speed": in_seconds.root_speed,
    "root_turn": in_seconds.root_turn,
    "height_range": in_seconds.height_range,
    "joint_speed": in_seconds.joint_speed,
    "joint_jerk": in_seconds.joint_jerk,
}


@dataclass(frozen=True)
class WorstSpan:
    """The half second with the highest jitter.

    Attributes:
        first_frame, last_frame: frames of the given clip, both included.
        start_seconds, end_seconds: None if the rate is unknown.
        jitter_degree: the published sum over this span only.
    """

    first_frame: int
    last_frame: int
    start_seconds: float | None
    end_seconds: float | None
    jitter_degree: float


@dataclass(frozen=True)
class JointMetrics:
    """Figures of one clip.

    Attributes:
        jitter_degree: the published figure at 16 fps; ``jitter_degree_per_frame`` the same at the clip's own rate.
        fps: the rate of the benchmark's metrics; None if the clip's rate is unknown (then the given frames are used).
        clip_fps: the clip's own rate; None if unknown.
        figures: the other figures, by their keys in :data:`motion_gating.metrics.table.METRICS`.
        refined: the record of the repairs in the motion, with the figures of the raw motion; None for a raw one.
        capture_fit: how well the captured body fits the image, as stored by the capture; None if not stored.
    """

    jitter_degree: float
    jitter_degree_per_frame: float
    fps: float | None
    worst_half_second: WorstSpan
    clip_fps: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    refined: dict | None = None
    capture_fit: dict | None = None

    def value(self, key: str) -> float | None:
        """A figure by its key; ``jitter_degree_raw`` is the jitter before refining.

        None only for the image fit of a motion whose capture did not store it.
        """
        if key == JITTER_RAW:
            return self.raw_jitter
        if key == IMAGE_FIT:
            return self.image_fit
        return self.jitter_degree if key == JITTER else self.figures[key]

    @property
    def image_fit(self) -> float | None:
        """The share of visible landmarks that lie on the captured body; None if unknown."""
        value = self.capture_fit.get(IMAGE_FIT) if self.capture_fit else None
        return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None

    @property
    def raw_jitter(self) -> float:
        """The jitter degree before refining; the motion's own if it was not refined."""
        raw = self.refined.get("raw_figures") if self.refined else None
        value = raw.get(JITTER) if isinstance(raw, dict) else None
        return float(value) if isinstance(value, int | float) else self.jitter_degree


def measure(clip: JointClip) -> JointMetrics:
    """All figures of a clip.

    Raises:
        InputError: fewer than 3 frames are left at 16 fps.
    """
    joints = at_metric_rate(clip.joints, clip.fps)
    jitter = benchmark.jitter_per_frame(joints)
    as_given = float(jitter.mean())
    rate = clip.fps or LOADER_FPS
    return JointMetrics(
        jitter_degree=as_given,
        jitter_degree_per_frame=as_given
        if joints is clip.joints
        else float(benchmark.jitter_per_frame(clip.joints).mean()),
        fps=None if clip.fps is None else METRIC_FPS,
        worst_half_second=worst_half_second(jitter, clip),
        clip_fps=clip.fps,
        figures={name: function(joints) for name, function in BENCHMARK.items()}
        | {name: function(clip.joints, rate) for name, function in IN_SECONDS.items()},
    )


def worst_half_second(jitter: np.ndarray, clip: JointClip) -> WorstSpan:
    """The half second (8 frame intervals) with the highest mean of ``jitter`` (T' - 2,), or the whole of a shorter
    clip.
    """
    count = min(HALF_SECOND_INTERVALS - 1, len(jitter))
    sums = np.cumsum(np.concatenate(([0.0], jitter)))
    means = (sums[count:] - sums[:-count]) / count
    first = int(means.argmax())
    last, worst = first + count + 1, float(means[first])
    if clip.fps is None:
        return WorstSpan(first, last, None, None, worst)
    rate, final = clip.fps / METRIC_FPS, len(clip.joints) - 1
    start, end = first / METRIC_FPS, last / METRIC_FPS
    return WorstSpan(round(first * rate), min(round(last * rate), final), start, end, worst)
