"""All changes of basis of the project, each defined once and named by its two frames.

Frames: ``opencv`` (camera: x right, y down, z forward), ``z_up`` (a level camera's world, and the canonical motion),
``y_up`` (what MBench renders and measures), ``opengl`` (camera: x right, y up, z backward), ``pytorch3d`` (camera: x
left, y up, z forward).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.common.errors import InputError
from motion_rep.kinematics.array_rotations import turns_between
from motion_rep.kinematics.skeleton import JOINT_NAMES, pelvis_at_rest

Z_UP_FROM_OPENCV = ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, -1.0, 0.0))
Y_UP_FROM_Z_UP = ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
OPENCV_FROM_Y_UP = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0))
OPENGL_FROM_OPENCV = OPENCV_FROM_Y_UP
PYTORCH3D_FROM_OPENCV = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0))

# Up axis of a file ("-y" for an OpenCV camera, "y" or "z" for worlds) -> vector, and rotation to OpenCV axes.
AXIS_UP = {"-y": (0.0, -1.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
OPENCV_FROM_UP = {
    "-y": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "y": OPENCV_FROM_Y_UP,
    "z": tuple(zip(*Z_UP_FROM_OPENCV, strict=True)),
}

# Length on the ground in metres below which an axis gives no heading.
DEGENERATE_AXIS = 1e-3

# Pairs of joints whose difference points to the person's right, best first, and the spine as the last resort.
HIP_AXIS = ("left_hip", "right_hip")
SHOULDER_AXIS = ("left_shoulder", "right_shoulder")
SPINE_AXIS = ("pelvis", "neck")


def basis(rows: tuple[tuple[float, ...], ...], like: Tensor) -> Tensor:
    """One of the constants above as a (3, 3) tensor with the dtype and device of ``like``."""
    return torch.tensor(rows, dtype=like.dtype, device=like.device)


def level_from_camera(up: Tensor) -> Tensor:
    """The smallest rotation from a camera's OpenCV axes to those of a level camera at the same place.

    Args:
        up: (3,) unit vector, the direction of up in the camera's axes.
    Returns:
        (3, 3) rotation that brings ``up`` to (0, -1, 0).
    """
    return turn_between(up, up.new_tensor((0.0, -1.0, 0.0)))


def turn_between(start: Tensor, end: Tensor) -> Tensor:
    """(3, 3) the smallest rotation that brings one unit vector (3,) to another; half a turn if they are opposite."""
    if start @ end < 0 and torch.linalg.cross(start, end).norm() < 1e-12:
        same = torch.eye(3, dtype=start.dtype, device=start.device)
        # A camera upside down turns about its x axis, so the last of the smallest components counts.
        across = torch.linalg.cross(start, same[2 - start.abs().flip(0).argmin()])
        return 2 * torch.outer(across, across) / (across @ across) - same
    return torch.from_numpy(turns_between(start.cpu().numpy(), end.cpu().numpy())).to(start)


def y_up_from_z_up(points: Tensor) -> Tensor:
    """(..., 3) points from z-up to y-up: (x, y, z) -> (-x, z, y). A person who faced +y then faces +z."""
    x, y, z = points.unbind(-1)
    return torch.stack((-x, z, y), dim=-1)


def transform_transl(rotation: Tensor, transl: Tensor) -> Tensor:
    """SMPL-X transl under a rotation of the world: Q (transl + J0) - J0, because the body turns about its pelvis.

    Args:
        rotation: (..., 3, 3) Q.
        transl: (..., 3) metres.
    Returns:
        (..., 3)
    """
    pelvis = pelvis_at_rest(transl)
    return (rotation @ (transl + pelvis)[..., None]).squeeze(-1) - pelvis


class Heading(NamedTuple):
    """The heading of a person: ``canonical_from_z_up`` (3, 3), and a note if the hips do not define it (else None)."""

    canonical_from_z_up: Tensor
    note: str | None


def heading(joints: Tensor) -> Heading:
    """The rotation about the vertical after which the person faces +y, from the hip axis of one frame.

    Falls back to the shoulders, then to the spine, if the axis is vertical (a person lying on the side).

    Args:
        joints: (22, 3) positions in a z-up frame, metres.
    Raises:
        InputError: no axis has a direction on the ground.
    """
    # Python floats are faster than tensors for single numbers.
    places = dict(zip(JOINT_NAMES, joints.tolist(), strict=True))
    for (start, end), name in ((HIP_AXIS, None), (SHOULDER_AXIS, "shoulder axis"), (SPINE_AXIS, "spine")):
        x, y = places[end][0] - places[start][0], places[end][1] - places[start][1]
        length = math.hypot(x, y)
        if length > DEGENERATE_AXIS:
            note = (
                None
                if name is None
                else f"the hip axis of the first frame is vertical; the heading is that of the {name}"
            )
            return Heading(basis(_heading_rows(x / length, y / length, along_spine=name == "spine"), joints), note)
    raise InputError(
        "hips, shoulders and spine of the first frame have no direction on the ground, so there is no heading. Cut "
        "off the first frames."
    )


def _heading_rows(x: float, y: float, along_spine: bool) -> tuple[tuple[float, ...], ...]:
    """Rows x, y, z of the heading from a unit ground vector: the person's right side, or the spine (becomes +y)."""
    x0, x1 = (y, -x) if along_spine else (x, y)
    return (x0, x1, 0.0), (-x1, x0, 0.0), (0.0, 0.0, 1.0)
