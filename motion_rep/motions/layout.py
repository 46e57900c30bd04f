"""The 276 columns of a motion frame, by name; the only module that knows their order."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from motion_rep.common.errors import InputError

# name -> shape of one frame, in the order of the columns
COLUMNS = {
    "body_rot6d": (21, 6),
    "joints": (22, 3),
    "joint_velocities": (22, 3),
    "root_rot6d": (6,),
    "root_angular_velocity": (6,),
    "transl": (3,),
    "transl_velocity": (3,),
}
WIDTH = sum(torch.Size(shape).numel() for shape in COLUMNS.values())


@dataclass(frozen=True)
class MotionColumns:
    """One motion of N rows in the canonical z-up frame; metres, velocities per frame.

    body_rot6d: (N, 21, 6) rotations of the joints below the root, relative to their parents.
    joints: (N, 22, 3) positions.
    joint_velocities: (N, 22, 3) joints[t+1] - joints[t].
    root_rot6d: (N, 6) orientation of the root.
    root_angular_velocity: (N, 6) rot6d of R[t+1] @ R[t].T.
    transl: (N, 3) SMPL-X transl; the pelvis is at J0 + transl.
    transl_velocity: (N, 3) transl[t+1] - transl[t].
    """

    body_rot6d: Tensor
    joints: Tensor
    joint_velocities: Tensor
    root_rot6d: Tensor
    root_angular_velocity: Tensor
    transl: Tensor
    transl_velocity: Tensor

    def __post_init__(self) -> None:
        rows = self.transl.shape[0]
        for field in fields(self):
            found, expected = tuple(getattr(self, field.name).shape), (rows, *COLUMNS[field.name])
            if found != expected:
                raise InputError(f"{field.name} has shape {found}, expected {expected}.")


def pack(columns: MotionColumns) -> Tensor:
    """Named columns to (N, 276)."""
    return torch.cat([getattr(columns, name).flatten(1) for name in COLUMNS], dim=1)


def unpack(motion: Tensor) -> MotionColumns:
    """(N, 276) to named columns; views, nothing is copied.

    Raises:
        InputError: another shape.
    """
    if motion.ndim != 2 or motion.shape[1] != WIDTH:
        raise InputError(f"motion has shape {tuple(motion.shape)}, expected (frames, {WIDTH}).")
    parts = motion.split([torch.Size(shape).numel() for shape in COLUMNS.values()], dim=1)
    return MotionColumns(
        **{
            name: part.unflatten(1, shape) if len(shape) > 1 else part
            for (name, shape), part in zip(COLUMNS.items(), parts, strict=True)
        }
    )
