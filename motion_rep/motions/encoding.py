"""From a capture to the canonical 276-dim motion, and from a motion back to body parameters."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError
from motion_rep.kinematics.camera import Camera, intrinsic_matrix, rigid_transform
from motion_rep.kinematics.finite import all_finite
from motion_rep.kinematics.frames import Z_UP_FROM_OPENCV, basis, heading, level_from_camera
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import matrix_to_rot6d, rot6d_to_matrix
from motion_rep.motions.layout import MotionColumns, pack, unpack

# Metres from the origin; beyond it, a file is damaged or in other units.
FARTHEST = 10_000.0


class EncodedMotion(NamedTuple):
    """motion (T-1, 276) float64; camera None if unknown; notes for the user, one sentence each."""

    motion: Tensor
    camera: Camera | None
    notes: tuple[str, ...]


def encode_capture(capture: Capture, joints: Tensor | None = None) -> EncodedMotion:
    """Camera-space SMPL-X parameters to the canonical frame and its 276 numbers per row, in float64.

    The person starts at the origin and faces +y; the lowest joint of the whole clip is at z = 0. The camera is level,
    or tilted by the capture's ``up``.

    Args:
        joints: (T, 22, 3) of the capture, if already computed.
    """
    body = capture.parameters()
    joints = body.joints() if joints is None else joints
    level = basis(Z_UP_FROM_OPENCV, capture.transl)
    if capture.up is not None:
        level = level @ level_from_camera(capture.up)
    turn, note = heading(joints[0] @ level.T)
    canonical_from_camera = turn @ level
    positions = joints @ canonical_from_camera.T
    shift = _floor_shift(positions)
    motion = encode_parameters(body.turned(canonical_from_camera, shift), positions + shift)
    return EncodedMotion(
        motion, _camera(capture, canonical_from_camera, shift), (*capture.notes, *([note] if note else []))
    )


def encode_parameters(parameters: BodyParameters, positions: Tensor | None = None) -> Tensor:
    """T frames of canonical parameters to (T-1, 276); ``positions`` (T, 22, 3) saves the forward kinematics."""
    if positions is None:
        positions = parameters.joints()
    root, body, transl = parameters
    columns = MotionColumns(
        body_rot6d=matrix_to_rot6d(body[:-1]),
        joints=positions[:-1],
        joint_velocities=positions.diff(dim=0),
        root_rot6d=matrix_to_rot6d(root[:-1]),
        root_angular_velocity=matrix_to_rot6d(root[1:] @ root[:-1].mT),
        transl=transl[:-1],
        transl_velocity=transl.diff(dim=0),
    )
    return pack(columns)


def body_parameters(motion: Tensor) -> BodyParameters:
    """The rotations and translations in a motion's columns; exactly orthonormal.

    Args:
        motion: (N, 276)
    """
    columns = unpack(motion)
    rotations = rot6d_to_matrix(torch.cat((columns.root_rot6d[:, None], columns.body_rot6d), dim=1))
    return BodyParameters(rotations[:, 0], rotations[:, 1:], columns.transl)


def body_parameters_from_velocity(motion: Tensor) -> BodyParameters:
    """Like :func:`body_parameters`, with the root's path integrated from the velocity columns.

    Shows whether velocities and positions of a motion (for example a generated one) agree.
    """
    columns = unpack(motion)
    steps = rot6d_to_matrix(columns.root_angular_velocity[:-1])
    root = [rot6d_to_matrix(columns.root_rot6d[0])]
    for step in steps:
        root.append(step @ root[-1])
    moved = torch.cat((torch.zeros_like(columns.transl[:1]), columns.transl_velocity[:-1].cumsum(0)))
    return BodyParameters(torch.stack(root), rot6d_to_matrix(columns.body_rot6d), columns.transl[0] + moved)


def _floor_shift(positions: Tensor) -> Tensor:
    """(3,) shift of the first pelvis to x = y = 0 and of the lowest joint of all frames to z = 0."""
    pelvis = positions[0, 0]
    return -torch.stack((pelvis[0], pelvis[1], positions[..., 2].min()))


def _camera(capture: Capture, canonical_from_camera: Tensor, shift: Tensor) -> Camera | None:
    if capture.focal_length is None or capture.width is None or capture.height is None:
        return None
    camera_from_canonical = canonical_from_camera.T
    intrinsic = intrinsic_matrix(float(capture.focal_length.median()), capture.width, capture.height)
    return Camera(intrinsic, rigid_transform(camera_from_canonical, -camera_from_canonical @ shift))


def require_plain_motion(motion: Tensor) -> None:
    """Check the numbers of a motion from a file.

    Args:
        motion: (N, 276) float.
    Raises:
        InputError: no row, values that are not finite, positions too far away, or degenerate 6D rotations.
    """
    if len(motion) == 0:
        raise InputError("motion has no rows, expected at least one.")
    columns = unpack(motion)
    if not all_finite(motion):
        _require_all(motion.isfinite(), "values that are not finite numbers")
    places = torch.cat((columns.joints.flatten(1), columns.transl), dim=1)
    _require_all(places.abs() < FARTHEST, f"places more than {FARTHEST:g} m away")
    rotations = torch.cat(
        (columns.body_rot6d, columns.root_rot6d[:, None], columns.root_angular_velocity[:, None]), dim=1
    )
    _require_all(_have_direction(rotations), "6D rotations whose two columns span no plane")


def _require_all(good: Tensor, fault: str) -> None:
    """Check that all (N, ...) bool are true."""
    if not bool(good.all()):
        row = int((~good).nonzero()[0, 0])
        raise InputError(f"motion contains {fault} (first in row {row} of {len(good)}). Convert the capture again.")


def _have_direction(rot6d: Tensor) -> Tensor:
    """(..., 6) to (...) bool: whether Gram-Schmidt gives a rotation."""
    first, second = rot6d.unflatten(-1, (3, 2)).unbind(-1)
    return torch.linalg.cross(first, second).norm(dim=-1) > 1e-6
