"""Figures of a repair: of the body before and after it, and of the change between the two."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.kinematics.vectors import lengths
from motion_rep.measures import benchmark, in_seconds
from motion_rep.measures.tremble import tremble
from motion_rep.refining.levelling import Balance
from motion_rep.refining.medians import quantile
from motion_rep.refining.moving_body import MovingBody

LIMBS = [
    JOINT_NAMES.index(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("knee", "ankle", "foot", "elbow", "wrist")
]


@dataclass(frozen=True)
class Figures:
    """Figures of one motion; lengths in metres.

    jitter_degree: the published figure at 16 fps; 0 for clips too short for it. tremble: 1 for white noise.
    skate_ratio, foot_floating: shares, of ground steps and (benchmark) of frames. foot_sliding: the benchmark's.
    support_distance: from the centre of mass to the support in calm frames.
    lean: degrees between the balance line and the vertical; None if balance does not show it.
    limb_speed: m/s, relative to the pelvis, 95th percentile over frames and limb joints.
    """

    jitter_degree: float
    tremble: float
    skate_ratio: float
    foot_sliding: float
    foot_floating: float
    support_distance: float
    lean: float | None
    limb_speed: float

    def as_dict(self) -> dict[str, float | None]:
        """The figures for files, rounded to six digits."""
        return {name: None if value is None else float(f"{value:.6g}") for name, value in asdict(self).items()}


def figures_of(body: MovingBody, upright: Balance | None) -> Figures:
    """The figures of the rows of a motion (all frames but the closing one), floor under the lowest joint.

    Args:
        upright: the body's balance.
    """
    joints, fps = body.joints[:-1], body.fps
    joints = joints - joints[..., 2].min() * joints.new_tensor((0.0, 0.0, 1.0))
    places = y_up_from_z_up(joints).numpy()
    at_rate = _at_metric_rate(places, fps)
    return Figures(
        jitter_degree=float(benchmark.jitter_per_frame(at_rate).mean()) if len(at_rate) > 2 else 0.0,
        tremble=tremble(places),
        skate_ratio=in_seconds.skate_ratio(places, fps),
        foot_sliding=benchmark.foot_sliding(at_rate),
        foot_floating=benchmark.foot_floating(at_rate),
        support_distance=in_seconds.support_distance(places, fps),
        lean=None if upright is None or upright.doubt else upright.tilt,
        limb_speed=limb_speed(body),
    )


def limb_speed(body: MovingBody) -> float:
    """m/s relative to the pelvis, 95th percentile over the steps of the limb joints."""
    joints = body.joints.numpy()
    limbs = joints[:, LIMBS] - joints[:, :1]
    steps = limbs[1:] - limbs[:-1]
    speeds = lengths(steps).ravel()
    return float(quantile(speeds, 0.95)) * body.fps if speeds.size else 0.0


def change(before: MovingBody, after: MovingBody) -> float:
    """Metres by which joints move relative to the pelvis, mean over frames and joints of bodies of the same length."""
    moved = (before.joints - before.joints[:, :1]) - (after.joints - after.joints[:, :1])
    return float(moved.norm(dim=-1).mean())


def _at_metric_rate(places: np.ndarray, fps: float) -> np.ndarray:
    try:
        return benchmark.at_metric_rate(places, fps)
    except InputError:
        return places
