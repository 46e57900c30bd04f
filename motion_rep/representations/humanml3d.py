"""HumanML3D's 263 numbers per frame (export only): y up, 20 fps, T - 1 rows for T frames.

Joints get the bone lengths of one clip of the data set, and rotations come from inverse kinematics of these joints:
they are not SMPL's. Columns: 0 turn of the heading, 1:3 ground velocity of the root, 3 its height, 4:67 joints without
position and heading, 67:193 rotations of 21 joints, 193:259 joint velocities, 259:263 contacts of the feet.
https://github.com/EricGuo5513/HumanML3D, motion_representation.ipynb
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motion_rep.captures.capture_file import float_tensor
from motion_rep.common.errors import InputError, counted
from motion_rep.hmr_results.documents import load_value
from motion_rep.kinematics.rotations import quaternion_to_matrix
from motion_rep.kinematics.skeleton import PARENTS
from motion_rep.representations.kimodo import smoothed

WIDTH = 263
# Directions of the bones at rest, from the parent, and the chains of joints that inverse kinematics follows.
DIRECTIONS = (
    (0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, -1, 0), (0, 1, 0), (0, -1, 0), (0, -1, 0), (0, 1, 0),
    (0, 0, 1), (0, 0, 1), (0, 1, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 1), (0, -1, 0), (0, -1, 0), (0, -1, 0), (0, -1, 0),
    (0, -1, 0), (0, -1, 0),
)  # fmt: skip
CHAINS = ((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20))
LEFT_HIP, RIGHT_HIP, LEFT_SHOULDER, RIGHT_SHOULDER = 1, 2, 16, 17
LEG = (5, 8)
FEET = (7, 10, 8, 11)
CONTACT = 0.002
FACING_SPREAD = 20.0


def read_skeleton(path: Path) -> Tensor:
    """(22, 3) joints of the first frame of HumanML3D's example clip (``joints/000021.npy``), metres.

    Raises:
        InputError: another shape; the message starts with the path.
    """
    value = load_value(path)
    shape = tuple(getattr(value, "shape", ()))
    if shape[-2:] != (22, 3) or len(shape) not in (2, 3) or not isinstance(value, np.ndarray):
        raise InputError(
            f"{path}: has shape {shape}, expected joints (frames, 22, 3). Give HumanML3D's joints/000021.npy, whose "
            "bone lengths the data set uses."
        )
    return float_tensor("joints", value.reshape(-1, 22, 3)[0])


def encode_263(joints: Tensor, skeleton: Tensor) -> Tensor:
    """(T, 22, 3) joint positions with y up to (T - 1, 263).

    Args:
        skeleton: (22, 3) joints that define the bone lengths of the rows.
    """
    if len(joints) < 2:
        raise InputError(f"has {counted(len(joints), 'frame')}, expected at least 2.")
    places = _in_place(_with_bones_of(joints, skeleton))
    turns, rotations = inverse_kinematics(places, FACING_SPREAD)
    local = (places - places[:, :1] * places.new_tensor((1.0, 0.0, 1.0))) @ turns.mT
    step = (turns[1:] @ places[:, 0].diff(dim=0)[..., None])[..., 0]
    turned = turns[1:] @ turns[:-1].mT
    half = 0.5 * torch.atan2(turned[:, 0, 2], turned[:, 2, 2])
    motion = places.diff(dim=0) @ turns[:-1].mT
    feet = (places[:, FEET].diff(dim=0) ** 2).sum(-1) < CONTACT
    columns = torch.cat((rotations[:-1, 1:, :, 0], rotations[:-1, 1:, :, 1]), dim=-1)
    return torch.cat(
        (
            # The arc sine of the quaternion's y part, which is half of the turn.
            half[:, None],
            step[:, ::2],
            local[:-1, 0, 1:2],
            local[:-1, 1:].flatten(1),
            columns.flatten(1),
            motion.flatten(1),
            feet.to(places.dtype),
        ),
        dim=1,
    )


def inverse_kinematics(joints: Tensor, spread: float) -> tuple[Tensor, Tensor]:
    """Rotations (T, 3, 3) that turn the facing direction to +z, and local rotations (T, 22, 3, 3) that aim the bones.

    Args:
        spread: width of the Gaussian filter over the facing direction, in frames; 0 for none.
    """
    root = _between(_facing(joints, spread), joints.new_tensor((0.0, 0.0, 1.0)))
    rest = joints.new_tensor(DIRECTIONS)
    local = torch.eye(3, dtype=joints.dtype).repeat(len(joints), 22, 1, 1)
    local[:, 0] = root
    for chain in CHAINS:
        above = root
        for parent, joint in zip(chain, chain[1:], strict=False):
            bone = joints[:, joint] - joints[:, parent]
            aim = _between(rest[joint].expand_as(bone), bone / bone.norm(dim=-1, keepdim=True))
            local[:, joint] = above.mT @ aim
            above = aim
    return root, local


def forward_kinematics(root: Tensor, local: Tensor, pelvis: Tensor, offsets: Tensor) -> Tensor:
    """(T, 22, 3) joints of bones ``offsets`` (22, 3) that follow rotations as HumanML3D applies them."""
    places = pelvis[:, None].repeat(1, 22, 1)
    for chain in CHAINS:
        turn = root
        for parent, joint in zip(chain, chain[1:], strict=False):
            turn = turn @ local[:, joint]
            places[:, joint] = places[:, parent] + turn @ offsets[joint]
    return places


def _with_bones_of(joints: Tensor, skeleton: Tensor) -> Tensor:
    """The same poses with the bone lengths of another skeleton; the path is scaled with the legs."""
    ours, theirs = _bone_lengths(joints[0]), _bone_lengths(skeleton)
    scale = theirs[list(LEG)].sum() / ours[list(LEG)].sum()
    root, local = inverse_kinematics(joints, 0.0)
    offsets = joints.new_tensor(DIRECTIONS) * theirs[:, None]
    return forward_kinematics(root, local, joints[:, 0] * scale, offsets)


def _bone_lengths(joints: Tensor) -> Tensor:
    """(22,) distances from the parents; 0 for the root."""
    parents = torch.tensor([max(parent, 0) for parent in PARENTS])
    return (joints - joints[parents]).norm(dim=-1)


def _in_place(joints: Tensor) -> Tensor:
    """The motion on the floor; its first frame is above the origin and faces +z."""
    origin = torch.stack((joints[0, 0, 0], joints[..., 1].min(), joints[0, 0, 2]))
    turn = _between(_facing(joints[:1], 0.0), joints.new_tensor((0.0, 0.0, 1.0)))[0]
    return (joints - origin) @ turn.mT


def _facing(joints: Tensor, spread: float) -> Tensor:
    """(T, 3) unit vectors on the ground: up across the mean of hips and shoulders, from left to right."""
    across = joints[:, RIGHT_HIP] - joints[:, LEFT_HIP] + joints[:, RIGHT_SHOULDER] - joints[:, LEFT_SHOULDER]
    forward = torch.linalg.cross(joints.new_tensor((0.0, 1.0, 0.0)).expand_as(across), across)
    if spread:
        forward = smoothed(forward, spread)
    return forward / forward.norm(dim=-1, keepdim=True)


def _between(start: Tensor, end: Tensor) -> Tensor:
    """(T, 3, 3) the smallest rotations between unit vectors (T, 3) or (3,)."""
    first, second = torch.broadcast_tensors(start, end)
    axis = torch.linalg.cross(first, second)
    real = 1 + (first * second).sum(-1, keepdim=True)
    quaternion = torch.cat((real, axis), dim=-1)
    opposite = quaternion.norm(dim=-1, keepdim=True) < 1e-8
    half_turn = quaternion.new_tensor((0.0, 0.0, 1.0, 0.0)).expand_as(quaternion)
    safe = torch.where(opposite, half_turn, quaternion)
    return quaternion_to_matrix(safe / safe.norm(dim=-1, keepdim=True))
