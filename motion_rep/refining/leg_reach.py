"""Bring the feet to places by bending hips, knees and ankles: two bones, the law of cosines.

The knee stays in its plane and the foot keeps its global rotation, so that only the leg's length and direction change.
"""

from __future__ import annotations

import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import turns_between
from motion_rep.kinematics.skeleton import JOINT_NAMES, JointPoses

HIPS, KNEES, ANKLES = (
    [JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right")] for part in ("hip", "knee", "ankle")
)
# A leg never gets straighter than this share of its length, unless it was: it would jump when it bends again.
MOST_REACH = 0.985
# Metres; keeps the knee's plane defined where the leg is straight.
STRAIGHT = 1e-6


def with_feet_moved(parameters: BodyParameters, poses: JointPoses, offsets: Tensor) -> BodyParameters:
    """The body with its feet moved.

    Args:
        poses: of the parameters.
        offsets: (T, 2, 3) metres by which the left and the right foot move; as far as the legs reach.
    """
    turns, places = poses
    hip, knee, ankle = places[:, HIPS], places[:, KNEES], places[:, ANKLES]
    new_knee, new_ankle = _bent(hip, knee, ankle, ankle + offsets, turns[:, HIPS][..., 2])
    thigh = turns_between(knee - hip, new_knee - hip) @ turns[:, HIPS]
    shank = turns_between(ankle - knee, new_ankle - new_knee) @ turns[:, KNEES]
    body = parameters.body.clone()
    body[:, [joint - 1 for joint in HIPS]] = turns[:, :1].mT @ thigh
    body[:, [joint - 1 for joint in KNEES]] = thigh.mT @ shank
    body[:, [joint - 1 for joint in ANKLES]] = shank.mT @ turns[:, ANKLES]
    moved = (offsets != 0).any(dim=-1)
    legs = [joint - 1 for joints in (HIPS, KNEES, ANKLES) for joint in joints]
    body[:, legs] = torch.where(moved.repeat(1, 3)[..., None, None], body[:, legs], parameters.body[:, legs])
    return parameters._replace(body=body)


def _bent(hip: Tensor, knee: Tensor, ankle: Tensor, target: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
    """New knees and ankles (T, 2, 3); ``ahead`` is where a straight knee bends to."""
    first, second = _length(knee - hip), _length(ankle - knee)
    line = target - hip
    farthest = torch.maximum(MOST_REACH * (first + second), _length(ankle - hip))
    reach = torch.minimum(torch.maximum(_length(line), (first - second).abs() + STRAIGHT), farthest)
    along = line / _length(line).clamp(min=1e-9)
    # A straight leg does not show its plane: the farther the foot moves, the more the knee points ahead.
    out = _across(knee - hip, along) + (_length(target - ankle) + STRAIGHT) * _across(ahead, along)
    out = out / _length(out).clamp(min=1e-9)
    cosine = ((first**2 + reach**2 - second**2) / (2 * first * reach)).clamp(-1, 1)
    new_knee = hip + first * (cosine * along + (1 - cosine**2).sqrt() * out)
    return new_knee, hip + reach * along


def _across(vectors: Tensor, along: Tensor) -> Tensor:
    return vectors - (vectors * along).sum(-1, keepdim=True) * along


def _length(vectors: Tensor) -> Tensor:
    return vectors.norm(dim=-1, keepdim=True)
