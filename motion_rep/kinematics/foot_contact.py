"""Foot contact from joint positions.

Heel and toe are judged separately: a rolling foot stands on one of them while the other moves. Each of these points is
in the air or in contact. A frame supports contact if the point is slow and low over the surrounding floor; each change
of state has a cost, so that single frames do not flicker. The cheapest sequence of states is chosen (Viterbi, 1967,
https://doi.org/10.1109/TIT.1967.1054010).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.kinematics.vectors import lengths, unit

FEET = (JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot"))
ANKLES = (JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle"))
KNEES = (JOINT_NAMES.index("left_knee"), JOINT_NAMES.index("right_knee"))
FOOT_NAMES = ("left foot", "right foot")

# A point with only this speed (m/s) or height (m) is as likely in the air as in contact. A standing foot is at rest and
# a swinging one exceeds 2 m/s, so the speed is the lower end of the sliding of badly captured feet; the height is half
# of the lowest swing in a fast walk with raised toes. If all low feet of a clip slide, these limits grow with the
# sliding, up to a maximum.
STILL, NEAR = 0.35, 0.03
MOST_DOUBT, LENIENCY = 2.0, 0.5
# The share of low points that defines how much feet slide, and the height below which points count as low.
SLIDING_SHARE, LOW = 0.3, 0.05
# Weight of the slower of the two steps around a frame: at a landing only the step after it is at rest.
SLOWER_STEP = 0.8
# Cost in frames of certain evidence at 16 fps: half a frame, so that a contact of two frames counts.
CHANGE, EVIDENCE_FPS, MOST_EVIDENCE = 0.5, 16.0, 4.0
# The floor at a time is the lowest point of the feet within these seconds before and after: longer than most flights,
# so that a jump is not a floor, and short enough to follow a body that drifts up or down.
FLOOR_REACH = 0.6
# From the ankle to the sole below the heel, along the foot and across it, metres: at rest, at the height of the toe
# joint, with the length of the neutral body's heel.
HEEL_ALONG, HEEL_BELOW = -0.0235, -0.0767


class Contacts(NamedTuple):
    """The points of the feet that are in contact: toes and heels (N, 2) bool, left and right."""

    toes: Tensor
    heels: Tensor

    @property
    def feet(self) -> Tensor:
        """(N, 2) bool: a foot stands on its toes, its heel or both."""
        return self.toes | self.heels


def foot_contacts(joints: Tensor, fps: float) -> Tensor:
    """(N, 2) bool: left and right foot on the ground; see :func:`point_contacts`."""
    return point_contacts(joints, fps).feet


def point_contacts(joints: Tensor, fps: float) -> Contacts:
    """Whether toes and heels are in contact; see :func:`contacts_by_leniency`."""
    return next(contacts_by_leniency(joints, fps, LENIENCY))


def contacts_by_leniency(joints: Tensor, fps: float, *leniencies: float) -> Iterator[Contacts]:
    """Whether toes and heels are in contact, for several limits.

    Args:
        joints: (N, 22, 3) positions, z up, metres; the height of the floor does not matter.
        fps: frames per second.
        leniencies: how far the limits grow with the sliding of the clip's own low points; 0 for fixed limits.
    """
    places = joints.detach().cpu().double().numpy()
    seen = _seen(np.concatenate((places[:, FEET], heels(places)), axis=1), fps)
    for leniency in leniencies:
        states = torch.from_numpy(_cheapest_states(seen.evidence(leniency), EVIDENCE_FPS / fps))
        yield Contacts(states[:, :2], states[:, 2:])


def heels(places: np.ndarray) -> np.ndarray:
    """(N, 2, 3) points below the heels; in a standing foot as high as the toe joint.

    Args:
        places: (N, 22, 3) joints, metres.
    """
    ankles = places[:, ANKLES]
    along = unit(places[:, FEET] - ankles)
    shank = places[:, KNEES] - ankles
    across = unit(shank - (shank * along).sum(-1, keepdims=True) * along)
    return ankles + HEEL_ALONG * along + HEEL_BELOW * across


def floor_heights(lowest: np.ndarray, fps: float) -> np.ndarray:
    """(N,) height of the floor over time, from the lowest point of the feet (N,) in each frame."""
    reach = max(1, round(FLOOR_REACH * fps))
    return _windows(_windows(lowest, reach).min(-1), reach).mean(-1)


class _Seen(NamedTuple):
    """Evidence for contact: (N, K) cost relative to 1 for the air, with fixed limits; speed (m/s) of low points."""

    cost: np.ndarray
    sliding: float

    def evidence(self, leniency: float) -> np.ndarray:
        """(N, K) the cost with limits that grow with the sliding."""
        doubt = min(1 + leniency * self.sliding / STILL, MOST_DOUBT)
        return np.minimum(self.cost / doubt**2, MOST_EVIDENCE)


def _seen(points: np.ndarray, fps: float) -> _Seen:
    """The evidence for points (N, K, 3)."""
    height = points[..., 2] - floor_heights(points[..., 2].min(axis=1), fps)[:, None]
    slower, after = _speeds(points, fps)
    low = height < LOW
    sliding = float(np.quantile(slower[low], SLIDING_SHARE)) if low.any() else 0.0
    speed = SLOWER_STEP * slower + (1 - SLOWER_STEP) * after
    return _Seen((speed / STILL) ** 2 + (height.clip(min=0) / NEAR) ** 2, sliding)


def _speeds(points: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) the smaller speed of the two steps next to each frame, and the speed of the step after it; m/s."""
    if len(points) < 2:
        still = np.zeros(points.shape[:2])
        return still, still
    steps = points[1:] - points[:-1]
    steps = lengths(steps) * fps
    first, last = _continued(steps), _continued(steps[::-1])
    before, after = np.concatenate((first, steps)), np.concatenate((steps, last))
    return np.minimum(before, after), after


def _continued(speeds: np.ndarray) -> np.ndarray:
    """(1, K) the speeds before the known ones: a foot that starts was slower, one that stops was faster."""
    return (2 * speeds[:1] - speeds[1:2]).clip(min=0) if len(speeds) > 1 else speeds


def _cheapest_states(contact: np.ndarray, weight: float) -> np.ndarray:
    """(N, K) bool: for each point the sequence of states with the smallest sum of costs.

    Args:
        contact: (N, K) cost of contact; the air costs 1.
        weight: weight of these costs relative to the cost of a change.
    """
    return np.array([_cheapest_path(costs, weight) for costs in (weight * contact).T.tolist()], bool).T


def _cheapest_path(contact: list[float], air: float) -> list[bool]:
    """One point's states; Python floats are faster here than small arrays."""
    flown, stood = air, contact[0]
    origins = []
    for cost in contact[1:]:
        landed, lifted = flown + CHANGE < stood, stood + CHANGE < flown
        origins.append((not lifted, landed))
        flown, stood = (
            (stood + CHANGE if lifted else flown) + air,
            (flown + CHANGE if landed else stood) + cost,
        )
    state = stood < flown
    path = [state]
    for stayed_up, landed in reversed(origins):
        state = not landed if state else not stayed_up
        path.append(state)
    return path[::-1]


def _windows(values: np.ndarray, reach: int) -> np.ndarray:
    """(N, 2 reach + 1) the values around each frame; the ends are repeated."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)
