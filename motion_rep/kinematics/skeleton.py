"""Forward kinematics of the 22 body joints of the neutral SMPL-X body with zero betas."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.kinematics.joints import JOINT_NAMES as JOINT_NAMES
from motion_rep.kinematics.joints import LEVELS, PARENTS, REST_JOINTS


class JointPoses(NamedTuple):
    """Global rotations (..., 22, 3, 3) and positions (..., 22, 3) of all joints, metres."""

    rotations: Tensor
    positions: Tensor


def rest_joints(dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu") -> Tensor:
    """(22, 3) joint positions of the body at rest, metres; float32 constants, exact in float64 too."""
    return _plan(dtype, torch.device(device)).rest.clone()


def pelvis_at_rest(like: Tensor) -> Tensor:
    """(3,) the pelvis at rest, J0; ``pelvis = J0 + transl`` for any rotation. Dtype and device of ``like``."""
    return _plan(like.dtype, like.device).rest[0].clone()


def forward_kinematics(root: Tensor, body: Tensor, transl: Tensor) -> JointPoses:
    """Joint poses from SMPL-X parameters; the root turns about the pelvis (https://github.com/vchoutas/smplx,
    smplx/lbs.py).

    Args:
        root: (..., 3, 3) orientation of the pelvis.
        body: (..., 21, 3, 3) rotations of the other joints relative to their parents.
        transl: (..., 3) metres; the pelvis is at J0 + transl.
    Returns:
        Global rotations and positions in the frame of root and transl.
    """
    plan = _plan(root.dtype, root.device)
    levels = [torch.cat((root, (transl + plan.rest[0]).unsqueeze(-1)), dim=-1).unsqueeze(-3)]
    relative = _relative_transforms(body, plan)
    for among_parents, among_body in plan.levels:
        levels.append(levels[-1].index_select(-3, among_parents) @ relative.index_select(-3, among_body))
    poses = torch.cat(levels, dim=-3).index_select(-3, plan.places)
    return JointPoses(poses[..., :3], poses[..., 3])


class _Plan(NamedTuple):
    """Constants of the kinematics as tensors, cached per dtype and device.

    rest: (22, 3) joints at rest; bones: (21, 3, 1) from each parent to its child.
    levels: for each level of the tree the indices of the parents in the level above, and of the joints in the body.
    places: (22,) index of each joint in the concatenated levels.
    last_row: (1, 4) of a rigid transform.
    """

    rest: Tensor
    bones: Tensor
    levels: tuple[tuple[Tensor, Tensor], ...]
    places: Tensor
    last_row: Tensor


@functools.cache
def _plan(dtype: torch.dtype, device: torch.device) -> _Plan:
    # No inference tensors: the cached constants are also used where gradients are needed.
    with torch.inference_mode(False):
        return _made_plan(dtype, device)


def _made_plan(dtype: torch.dtype, device: torch.device) -> _Plan:
    def indices(values: list[int]) -> Tensor:
        return torch.tensor(values, device=device)

    rest = torch.tensor(REST_JOINTS, dtype=torch.float32, device=device).to(dtype)
    bones = rest[1:] - rest[list(PARENTS[1:])]
    above = ((0,), *LEVELS)
    levels = [
        (indices([upper.index(PARENTS[j]) for j in lower]), indices([j - 1 for j in lower]))
        for upper, lower in zip(above, LEVELS)
    ]
    order = [joint for level in above for joint in level]
    places = indices([order.index(joint) for joint in range(len(PARENTS))])
    return _Plan(rest, bones.unsqueeze(-1), tuple(levels), places, rest.new_tensor([[0.0, 0.0, 0.0, 1.0]]))


def _relative_transforms(body: Tensor, plan: _Plan) -> Tensor:
    """(..., 21, 4, 4) from each joint's frame to its parent's."""
    rows = torch.cat((body, plan.bones.expand(*body.shape[:-1], 1)), dim=-1)
    return torch.cat((rows, plan.last_row.expand(*body.shape[:-2], 1, 4)), dim=-2)
