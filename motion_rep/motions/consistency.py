"""Check whether the columns of a motion are consistent: joint positions with rotations, and rotations with themselves.

In generated or edited motions, the joint columns differ from the joints of the rotations. Figures and pictures use the
rotations, as in the published benchmark. A normalised (z-scored) motion has no valid rotations.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.common.errors import InputError, located
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import unpack

# Metres: float32 columns of a converted capture differ from kinematics by 1e-6, published ones by 5e-6.
SAME_JOINTS = 1e-3
# Metres, mean over the joints of the median row: beyond, the columns do not describe the same body.
OTHER_BODY = 0.5
# Mean distance of a 6D rotation's squared lengths from 1 and of its dot product from 0. A noise of 0.1 in each number
# gives 0.15, z-scored columns give 1.2 and more.
NO_ROTATION = 0.5


class NormalisedMotionError(InputError):
    """The motion's columns are z-scores, or otherwise not a motion in metres."""


class AgreedJoints(NamedTuple):
    """joints: (N, 22, 3) metres, canonical z-up frame. note: a sentence if they are not the file's own."""

    joints: Tensor
    note: str | None


def agreed_joints(motion: Tensor) -> AgreedJoints:
    """The joint columns if they agree with the rotations; else the joints by forward kinematics, with a note.

    Args:
        motion: (N, 276) float.
    Raises:
        InputError: the motion looks normalised, or its joint columns describe another body.
    """
    require_rotations_in_columns(motion)
    columns = unpack(motion).joints
    joints = body_parameters(motion.double()).joints()
    distance = (columns.double() - joints).norm(dim=-1)
    largest = float(distance.max())
    if largest <= SAME_JOINTS:
        return AgreedJoints(columns, None)
    usual = float(distance.mean(dim=1).median())
    if usual > OTHER_BODY:
        raise InputError(
            f"the joint columns are {usual:.2g} m away from the joints of the rotations, expected less than "
            f"{OTHER_BODY:g} m. The motion looks normalised, or its joints have another unit or axis. "
            "Store it in metres, z up, before normalisation."
        )
    return AgreedJoints(
        joints.to(motion.dtype),
        f"the joint columns are up to {largest * 1000:.3g} mm away from the joints of the rotations "
        "(a generated or edited motion); the joints of the rotations are used",
    )


def joints_note(path: str | os.PathLike, motion: Tensor) -> str | None:
    """The note of :func:`agreed_joints`, preceded by the motion's file; errors are, too."""
    with located(path):
        note = agreed_joints(motion).note
    return None if note is None else f"{path}: {note}"


def require_rotations_in_columns(motion: Tensor) -> None:
    """Check that the 6D rotations of a motion are close to rotations.

    Args:
        motion: (N, 276) float, at least one row.
    Raises:
        InputError: they are not, as in a motion that was normalised.
    """
    columns = unpack(motion)
    off = [_distance_from_rotation(rot6d) for rot6d in (columns.body_rot6d.flatten(0, 1), columns.root_rot6d)]
    distance = (21 * off[0] + off[1]) / 22
    if distance > NO_ROTATION:
        raise NormalisedMotionError(
            f"the rotation columns are not rotations (off by {distance:.2g} on average, expected less than "
            f"{NO_ROTATION:g}): the motion looks normalised. Undo the normalisation (motion * std + mean) first."
        )


def _distance_from_rotation(rot6d: Tensor) -> float:
    """Mean distance of the two columns' squared lengths from 1 and of their dot product from 0; for (N, 6)."""
    first, second = rot6d[:, 0::2], rot6d[:, 1::2]
    products = torch.stack((first * first, second * second, first * second)).sum(-1)
    products[:2] -= 1.0
    return float(products.abs().mean())
