"""The 22 body joints of the neutral SMPL-X body with zero betas, and their forward kinematics."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor

JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)

# Metres, y up, facing +z. Constants of the format, which always refers to this body; a test compares them with
# mannequin-x (Apache-2.0).
REST_JOINTS = (
    (0.0031232578, -0.35140747, 0.012036551),
    (0.06131266, -0.44417095, -0.013964634),
    (-0.06014422, -0.45531547, -0.00921382),
    (0.00036056433, -0.24151687, -0.015581081),
    (0.11600812, -0.8229243, -0.023360701),
    (-0.10435418, -0.81769556, -0.026037704),
    (0.009808259, -0.109663606, -0.021521065),
    (0.07255466, -1.2259837, -0.055236645),
    (-0.088937365, -1.2284234, -0.046229973),
    (-0.0015221555, -0.05742845, 0.0069258325),
    (0.119811974, -1.2839811, 0.06297968),
    (-0.12774976, -1.2867517, 0.072819024),
    (-0.013686612, 0.107738614, -0.024689507),
    (0.044842005, 0.027515277, -0.00029465044),
    (-0.049217083, 0.026910223, -0.0064740693),
    (0.011096872, 0.2681904, -0.0039522424),
    (0.16408102, 0.0852433, -0.01575559),
    (-0.15179482, 0.08043467, -0.019142598),
    (0.41820386, 0.013092782, -0.05821444),
    (-0.42294437, 0.04394219, -0.045609683),
    (0.67019063, 0.03631401, -0.060686525),
    (-0.6722118, 0.039409645, -0.06093487),
)


def _depths() -> tuple[int, ...]:
    depths: list[int] = []
    for parent in PARENTS:
        depths.append(0 if parent < 0 else depths[parent] + 1)
    return tuple(depths)


# Joints at the same depth of the tree are independent: one batched product per level.
LEVELS = tuple(
    tuple(j for j, depth in enumerate(_depths()) if depth == level) for level in range(1, max(_depths()) + 1)
)


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
