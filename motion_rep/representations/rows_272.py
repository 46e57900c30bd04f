"""The 272 numbers per frame of 272-dim-Motion-Representation (MotionStreamer, MotionMillion): y up, 30 fps, T rows for
T frames.

Columns: 0:2 ground velocity of the pelvis seen from its heading, 2:8 change of heading, 8:74 joints without position
and heading, 74:140 their velocities, 140:272 rotations of all 22 joints, the root's without heading. Rotations are the
first two rows of a matrix, as in PyTorch3D, whereas the 276 columns store the first two columns.
https://github.com/Li-xingXiao/272-dim-Motion-Representation
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import rot6d_to_matrix
from motion_rep.kinematics.skeleton import pelvis_at_rest

WIDTH = 272
VELOCITY, TURN, JOINTS, JOINT_VELOCITIES, ROTATIONS = (
    *(slice(0, 2), slice(2, 8), slice(8, 74), slice(74, 140), slice(140, 272)),
)


class Decoded(NamedTuple):
    """A y-up clip: the body, and the stored joints (T, 22, 3), which have the shape of the file's person."""

    parameters: BodyParameters
    joints: Tensor


def encode_272(parameters: BodyParameters, joints: Tensor | None = None, floor: float | None = None) -> Tensor:
    """Encode T frames of a y-up body as (T, 272).

    The clip is turned so that the root initially faces +z, and moved so that it starts above the origin and its lowest
    joint, or ``floor``, is at height 0.

    Args:
        joints: (T, 22, 3), if they are not those of the neutral body.
        floor: height of the ground, metres; None for the lowest joint.
    """
    places = parameters.joints() if joints is None else joints
    start = _yaw(-_heading(parameters.root[:1]))[0]
    root, places = start @ parameters.root, places @ start.mT
    lowest = places[..., 1].min() if floor is None else places.new_tensor(floor)
    origin = torch.stack((places[0, 0, 0], lowest, places[0, 0, 2]))
    places = places - origin
    angle = -_heading(root)
    turned = _yaw(angle)
    steps = (turned[:-1] @ places[:, 0].diff(dim=0)[..., None])[..., 0]
    change = torch.cat((_yaw(torch.zeros_like(angle[:1])), _yaw(angle.diff())))
    ground = places[:, :1] * places.new_tensor((1.0, 0.0, 1.0))
    local = ((places - ground) @ turned.mT).flatten(1)
    rotations = torch.cat(((turned @ root)[:, None], parameters.body), dim=1)
    still = places.new_zeros(1, 2)
    return torch.cat(
        (
            torch.cat((still, steps[:, ::2])),
            _rows6(change),
            local,
            torch.cat((torch.zeros_like(local[:1]), local.diff(dim=0))),
            _rows6(rotations).flatten(1),
        ),
        dim=1,
    )


def decode_272(motion: Tensor) -> Decoded:
    """Decode (T, 272) to the body and the stored joints; transl follows the 276 convention (pelvis = J0 + transl)."""
    change = _from_rows6(motion[:, TURN])
    angle = torch.atan2(change[:, 0, 2], change[:, 0, 0]).cumsum(0)
    back = _yaw(-angle)
    steps = torch.zeros(len(motion), 3, dtype=motion.dtype)
    steps[:, ::2] = motion[:, VELOCITY]
    moved = (back[:-1] @ steps[1:, :, None])[..., 0]
    place = torch.cat((steps[:1], moved)).cumsum(0)
    local = motion[:, JOINTS].unflatten(1, (22, 3))
    joints = local @ back.mT + place[:, None]
    rotations = _from_rows6(motion[:, ROTATIONS].unflatten(1, (22, 6)))
    pelvis = joints[:, 0]
    parameters = BodyParameters(back @ rotations[:, 0], rotations[:, 1:], pelvis - pelvis_at_rest(pelvis))
    return Decoded(parameters, joints)


def _heading(root: Tensor) -> Tensor:
    """(T,) angle about y of the root's z axis."""
    return torch.atan2(root[:, 0, 2], root[:, 2, 2])


def _yaw(angle: Tensor) -> Tensor:
    """(T,) to (T, 3, 3) rotations about y."""
    cosine, sine, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack((cosine, zero, sine, zero, one, zero, -sine, zero, cosine), -1).unflatten(-1, (3, 3))


def _rows6(matrix: Tensor) -> Tensor:
    """(..., 3, 3) to the first two rows (..., 6)."""
    return matrix[..., :2, :].flatten(-2)


def _from_rows6(rows: Tensor) -> Tensor:
    """(..., 6) first two rows to (..., 3, 3), exactly orthonormal."""
    return rot6d_to_matrix(rows.unflatten(-1, (2, 3)).mT.flatten(-2)).mT
