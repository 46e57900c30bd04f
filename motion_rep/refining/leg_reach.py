"""Move the feet to given positions by bending hips, knees and ankles (two bones, law of cosines).

The knee stays in its plane and the foot keeps its global rotation, so that only the leg's length and direction change.
"""

from __future__ import annotations

import numpy as np
import torch

from motion_rep.kinematics.array_rotations import turns_between
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.kinematics.vectors import lengths, unit

HIPS, KNEES, ANKLES, FEET = (
    np.array([JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right")])
    for part in ("hip", "knee", "ankle", "foot")
)
# The same indices in the body rotations, which start after the pelvis.
LOCAL_HIPS, LOCAL_KNEES, LOCAL_ANKLES = HIPS - 1, KNEES - 1, ANKLES - 1
# A leg is not stretched beyond this share of its length, unless it was before: it would jump when it bends again.
MOST_REACH = 0.985
# Metres; keeps the plane of the knee defined for a straight leg.
STRAIGHT = 1e-6


def with_feet_moved(
    parameters: BodyParameters, joints: np.ndarray, offsets: np.ndarray
) -> tuple[BodyParameters, np.ndarray]:
    """The body with its feet moved, and its joints.

    Args:
        joints: (T, 22, 3) of the parameters.
        offsets: (T, 2, 3) metres by which the left and the right foot move; as far as the legs reach.
    """
    root, local = parameters.root.numpy()[:, None], parameters.body.numpy()
    hip, knee, ankle = joints[:, HIPS], joints[:, KNEES], joints[:, ANKLES]
    old_thigh = root @ local[:, LOCAL_HIPS]
    old_shank = old_thigh @ local[:, LOCAL_KNEES]
    new_knee, new_ankle = _bent(hip, knee, ankle, ankle + offsets, old_thigh[..., 2])
    thigh = turns_between(knee - hip, new_knee - hip) @ old_thigh
    shank = turns_between(ankle - knee, new_ankle - new_knee) @ old_shank
    moved = (offsets != 0).any(axis=-1)[..., None]
    body = local.copy()
    for legs, turns in (
        (LOCAL_HIPS, _inverse(root) @ thigh),
        (LOCAL_KNEES, _inverse(thigh) @ shank),
        (LOCAL_ANKLES, _inverse(shank) @ old_shank @ local[:, LOCAL_ANKLES]),
    ):
        body[:, legs] = np.where(moved[..., None], turns, local[:, legs])
    places = joints.copy()
    # The foot keeps its rotation, so the toes move as the ankle does.
    for legs, new in ((KNEES, new_knee), (ANKLES, new_ankle), (FEET, joints[:, FEET] + new_ankle - ankle)):
        places[:, legs] = np.where(moved, new, joints[:, legs])
    return parameters._replace(body=torch.from_numpy(body)), places


def _inverse(rotations: np.ndarray) -> np.ndarray:
    return np.swapaxes(rotations, -1, -2)


def _bent(
    hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray, target: np.ndarray, ahead: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """New knees and ankles (T, 2, 3); ``ahead`` is the direction in which a straight knee bends."""
    line, step = target - hip, lengths(target - ankle)[..., None]
    first, second, whole, wanted = (lengths(one)[..., None] for one in (knee - hip, ankle - knee, ankle - hip, line))
    farthest = np.maximum(MOST_REACH * (first + second), whole)
    reach = np.minimum(np.maximum(wanted, np.abs(first - second) + STRAIGHT), farthest)
    along = unit(line)
    # A straight leg does not define a plane: the farther the foot moves, the more the knee points ahead.
    out = unit(_across(knee - hip, along) + (step + STRAIGHT) * _across(ahead, along))
    cosine = ((first**2 + reach**2 - second**2) / (2 * first * reach)).clip(-1, 1)
    new_knee = hip + first * (cosine * along + np.sqrt(1 - cosine**2) * out)
    return new_knee, hip + reach * along


def _across(vectors: np.ndarray, along: np.ndarray) -> np.ndarray:
    return vectors - np.vecdot(vectors, along)[..., None] * along
