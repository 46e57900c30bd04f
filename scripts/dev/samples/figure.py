"""Pose a figure like a choreographer: by the position of the pelvis, the positions of the feet and the directions of
the arms.

World frame: y up, metres, floor at y = 0; the figure faces +z unless turned; its left is +x.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics, pelvis_at_rest, rest_joints

REST = rest_joints()
JOINT = {name: number for number, name in enumerate(JOINT_NAMES)}
SIDES = {"left": 1.0, "right": -1.0}
# Slightly less than straight: a fully straight leg jumps when it bends again.
MOST_REACH = 0.998


@dataclass(frozen=True)
class Leg:
    """The position of one foot over T frames.

    ball: (T, 3) the ball of the foot (the ``foot`` joint), metres; on the floor it is at y = 0.
    yaw: (T,) direction of the toes, radians about y, 0 along +z.
    pitch: (T,) heel lift in radians; below zero the toes are up.
    knee_yaw: (T,) direction of the knee.
    """

    ball: Tensor
    yaw: Tensor
    pitch: Tensor
    knee_yaw: Tensor


@dataclass(frozen=True)
class Arm:
    """The directions of one arm over T frames, in the chest's frame with x to the arm's side, y up, z ahead.

    upper, fore: (T, 3) directions of upper arm and forearm, any length.
    shrug: (T,) radians by which the shoulder rises.
    twist: (T,) radians about the upper arm; above zero the palm of a raised hand turns ahead.
    hand: (T, 3) rotation vector of the hand, given for the left side.
    """

    upper: Tensor
    fore: Tensor
    shrug: Tensor
    twist: Tensor
    hand: Tensor


@dataclass(frozen=True)
class Direction:
    """A whole movement, T frames.

    pelvis: (T, 3) metres. root: (T, 3, 3).
    spine, neck: (T, 3) rotation vectors of the whole spine, and of neck and head together.
    """

    pelvis: Tensor
    root: Tensor
    spine: Tensor
    neck: Tensor
    legs: dict[str, Leg]
    arms: dict[str, Arm]


@dataclass(frozen=True)
class Figure:
    """SMPL-X parameters in the world frame: root (T, 3, 3), body (T, 21, 3, 3), transl (T, 3)."""

    root: Tensor
    body: Tensor
    transl: Tensor

    def joints(self) -> Tensor:
        """(T, 22, 3) metres."""
        return forward_kinematics(self.root, self.body, self.transl).positions


def pose(direction: Direction) -> Figure:
    """Solve a direction for joint angles: two-bone legs onto the feet, arms along their directions."""
    local = torch.eye(3, dtype=torch.float64).repeat(len(direction.pelvis), 22, 1, 1)
    local[:, 0] = direction.root
    for name in ("spine1", "spine2", "spine3"):
        local[:, JOINT[name]] = rotvec_to_matrix(direction.spine / 3)
    for name in ("neck", "head"):
        local[:, JOINT[name]] = rotvec_to_matrix(direction.neck / 2)
    transl = direction.pelvis - pelvis_at_rest(direction.pelvis)
    for side, leg in direction.legs.items():
        _solve_leg(local, transl, side, leg)
    for side, arm in direction.arms.items():
        _solve_arm(local, side, arm)
    return Figure(direction.root, local[:, 1:], transl)


def about_y(angle: Tensor) -> Tensor:
    """(T,) radians to (T, 3, 3) turns about the vertical."""
    zero = torch.zeros_like(angle)
    return rotvec_to_matrix(torch.stack((zero, angle, zero), dim=-1))


def _solve_leg(local: Tensor, transl: Tensor, side: str, leg: Leg) -> None:
    hip, knee, ankle, foot = (JOINT[f"{side}_{part}"] for part in ("hip", "knee", "ankle", "foot"))
    zero = torch.zeros_like(leg.pitch)
    foot_turn = about_y(leg.yaw) @ rotvec_to_matrix(torch.stack((leg.pitch, zero, zero), dim=-1))
    ankle_at = leg.ball - foot_turn @ (REST[foot] - REST[ankle])
    hip_at = transl + REST[0] + (local[:, 0] @ (REST[hip] - REST[0]))
    ahead = torch.stack((leg.knee_yaw.sin(), zero, leg.knee_yaw.cos()), dim=-1)
    thigh, shin = _two_bones(
        hip_at, ankle_at, ahead, (REST[knee] - REST[hip]).norm(), (REST[ankle] - REST[knee]).norm()
    )
    hinge = torch.linalg.cross(ahead, ankle_at - hip_at)
    rest_hinge = torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), REST[ankle] - REST[hip])
    thigh_turn = _frame(thigh, hinge) @ _frame(REST[knee] - REST[hip], rest_hinge).mT
    shin_turn = _frame(shin, hinge) @ _frame(REST[ankle] - REST[knee], rest_hinge).mT
    local[:, hip] = local[:, 0].mT @ thigh_turn
    local[:, knee] = thigh_turn.mT @ shin_turn
    local[:, ankle] = shin_turn.mT @ foot_turn
    # While the heel is up, the toes stay flat.
    local[:, foot] = rotvec_to_matrix(torch.stack((-leg.pitch.clamp(min=0) * 0.7, zero, zero), dim=-1))


def _two_bones(start: Tensor, end: Tensor, ahead: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Directions of two bones that lead from start to end with the joint between them pushed ahead."""
    line = end - start
    reach = line.norm(dim=-1, keepdim=True)
    along = line / reach
    reach = torch.minimum(reach, MOST_REACH * (first + second))
    cosine = (first**2 + reach**2 - second**2) / (2 * first * reach)
    out = ahead - (ahead * along).sum(-1, keepdim=True) * along
    out = out / out.norm(dim=-1, keepdim=True)
    upper = first * (cosine * along + (1 - cosine**2).clamp(min=0).sqrt() * out)
    return upper, reach * along - upper


def _frame(bone: Tensor, hinge: Tensor) -> Tensor:
    """(..., 3, 3) a right-handed frame with the bone first and the hinge axis, made orthogonal to it, second."""
    x = bone / bone.norm(dim=-1, keepdim=True)
    y = hinge - (hinge * x).sum(-1, keepdim=True) * x
    y = y / y.norm(dim=-1, keepdim=True)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def _solve_arm(local: Tensor, side: str, arm: Arm) -> None:
    sign = SIDES[side]
    collar, shoulder, elbow, wrist = (JOINT[f"{side}_{part}"] for part in ("collar", "shoulder", "elbow", "wrist"))
    mirror = torch.tensor([sign, 1.0, 1.0], dtype=torch.float64)
    zero = torch.zeros_like(arm.shrug)
    local[:, collar] = rotvec_to_matrix(torch.stack((zero, zero, sign * arm.shrug), dim=-1))
    upper_rest, fore_rest = REST[elbow] - REST[shoulder], REST[wrist] - REST[elbow]
    upper = (local[:, collar].mT @ (arm.upper * mirror)[..., None]).squeeze(-1)
    twist = rotvec_to_matrix(-arm.twist[:, None] * upper_rest / upper_rest.norm() * sign)
    local[:, shoulder] = _swing(upper_rest.expand_as(upper), upper) @ twist
    above = local[:, collar] @ local[:, shoulder]
    fore = (above.mT @ (arm.fore * mirror)[..., None]).squeeze(-1)
    local[:, elbow] = _swing(fore_rest.expand_as(fore), fore)
    local[:, wrist] = rotvec_to_matrix(arm.hand * torch.tensor([1.0, sign, sign], dtype=torch.float64))


def _swing(start: Tensor, end: Tensor) -> Tensor:
    """(T, 3, 3) the shortest rotation from one direction to another."""
    a, b = start / start.norm(dim=-1, keepdim=True), end / end.norm(dim=-1, keepdim=True)
    axis = torch.linalg.cross(a, b)
    angle = torch.atan2(axis.norm(dim=-1), (a * b).sum(-1))
    return rotvec_to_matrix(axis / axis.norm(dim=-1, keepdim=True).clamp(min=1e-9) * angle[:, None])
