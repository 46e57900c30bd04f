"""The fast metrics of the benchmark, from joint positions alone.

The published metrics divide out no time step, so they depend on the frame rate: one path scores about 1/fps^2 in jitter. Where the rate is known,
joints are first resampled to 16 fps, the rate at which the published threshold was used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion_gating.metrics.joint_clip import JointClip
from motion_rep.common.errors import InputError

METRIC_FPS = 16.0
FEET = (10, 11)
HALF_SECOND_INTERVALS = 8  # at METRIC_FPS
PENETRATION_METRES = 0.005
FLOATING_METRES = 0.005
CONTACT_SPEED = 0.01  # metres per frame
CONTACT_HEIGHT = 0.02  # metres


@dataclass(frozen=True)
class WorstSpan:
    """The half second with the highest jitter.

    Attributes:
        first_frame, last_frame: frames of the clip as given, both inside.
        start_seconds, end_seconds: None where the rate is unknown.
        jitter_degree: the published sum over this span only.
    """

    first_frame: int
    last_frame: int
    start_seconds: float | None
    end_seconds: float | None
    jitter_degree: float


@dataclass(frozen=True)
class JointMetrics:
    """Figures of one clip; lengths in metres, speeds in metres per frame at ``fps`` (None: per frame as given)."""

    jitter_degree: float
    jitter_degree_per_frame: float
    fps: float | None
    worst_half_second: WorstSpan
    ground_penetration: float
    foot_sliding: float
    foot_floating: float
    dynamic_degree: float


def measure(clip: JointClip) -> JointMetrics:
    """All metrics of a clip.

    Raises:
        InputError: fewer than 3 frames are left at 16 fps.
    """
    joints = at_metric_rate(clip)
    jitter = jitter_per_frame(joints)
    height, feet_velocity = joints[:, FEET, 1], np.diff(joints[:, FEET], axis=0)
    as_given = float(jitter.mean())
    return JointMetrics(
        jitter_degree=as_given,
        jitter_degree_per_frame=as_given if joints is clip.joints else float(jitter_per_frame(clip.joints).mean()),
        fps=None if clip.fps is None else METRIC_FPS,
        worst_half_second=worst_half_second(jitter, clip),
        ground_penetration=ground_penetration(height),
        foot_sliding=foot_sliding(height, feet_velocity),
        foot_floating=foot_floating(height),
        dynamic_degree=dynamic_degree(joints),
    )


def at_metric_rate(clip: JointClip) -> np.ndarray:
    """(T', 22, 3) joints at 16 fps, linear between the frames given; the clip's own where its rate is unknown or 16."""
    if clip.fps is None or clip.fps == METRIC_FPS:
        return clip.joints
    last = len(clip.joints) - 1
    frames = np.arange(int(last / clip.fps * METRIC_FPS + 1e-6) + 1) * (clip.fps / METRIC_FPS)
    if len(frames) < 3:
        raise InputError(
            f"{last + 1} frames at {clip.fps:g} fps last {last / clip.fps:.3f} s, expected {2 / METRIC_FPS} s or more. Use a longer clip."
        )
    before = np.minimum(frames.astype(int), last - 1)
    weight = (frames - before)[:, None, None]
    return clip.joints[before] * (1 - weight) + clip.joints[before + 1] * weight


def jitter_per_frame(joints: np.ndarray) -> np.ndarray:
    """(T - 2,) mean size of the joints' second differences, plus the same relative to the pelvis; its mean is the published jitter degree."""
    acceleration = joints[2:] - 2 * joints[1:-1] + joints[:-2]
    return _mean_length(acceleration) + _mean_length(acceleration - acceleration[:, :1])


def dynamic_degree(joints: np.ndarray) -> float:
    """Mean joint speed, plus the mean speed relative to the pelvis; metres per frame."""
    velocity = joints[1:] - joints[:-1]
    return float((_mean_length(velocity) + _mean_length(velocity - velocity[:, :1])).mean())


def ground_penetration(height: np.ndarray) -> float:
    """Mean depth (metres, positive) of the foot positions lower than -5 mm; 0 where there are none. ``height`` is (T, 2)."""
    below = height[height < -PENETRATION_METRES]
    return float(-below.mean()) if below.size else 0.0


def foot_floating(height: np.ndarray) -> float:
    """Mean height (metres) of the lower foot over the frames in which it is higher than 5 mm; 0 where there are none. ``height`` is (T, 2).

    The float metric of PhysDiff (https://arxiv.org/abs/2212.02500) with the feet's joints in place of the lowest vertex.
    """
    lower = height.min(axis=1)
    above = lower[lower > FLOATING_METRES]
    return float(above.mean()) if above.size else 0.0


def foot_sliding(height: np.ndarray, velocity: np.ndarray) -> float:
    """Mean horizontal step (metres per frame) of the feet while in contact; 0 where they never are.

    Args:
        height: (T, 2) metres.
        velocity: (T - 1, 2, 3) metres per frame, y up.
    """
    squares = velocity * velocity
    contact = (squares.sum(axis=-1) < CONTACT_SPEED**2) | (height[:-1] < CONTACT_HEIGHT)
    step = np.sqrt(squares[..., 0] + squares[..., 2])[contact]
    return float(step.mean()) if step.size else 0.0


def worst_half_second(jitter: np.ndarray, clip: JointClip) -> WorstSpan:
    """The half second (8 frame intervals) with the highest mean of ``jitter`` (T' - 2,); the whole clip where it is shorter."""
    count = min(HALF_SECOND_INTERVALS - 1, len(jitter))
    sums = np.cumsum(np.concatenate(([0.0], jitter)))
    means = (sums[count:] - sums[:-count]) / count
    first = int(means.argmax())
    last, rate = first + count + 1, None if clip.fps is None else clip.fps / METRIC_FPS
    if rate is None:
        return WorstSpan(first, last, None, None, float(means[first]))
    final = len(clip.joints) - 1
    return WorstSpan(
        round(first * rate), min(round(last * rate), final), first / METRIC_FPS, last / METRIC_FPS, float(means[first])
    )


def _mean_length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("tjc,tjc->tj", vectors, vectors)).mean(axis=1)
