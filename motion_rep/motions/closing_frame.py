"""The frame after a motion's last row, from the velocity columns.

T frames make T - 1 rows; the last frame survives only as where its joints are. That is all that converting back needs,
and the lowest joint of the clip, which decides about the floor, may be in it. Its pose is found bone by bone: the
smallest turn from the row before that brings every joint to its place. A turn of a limb about its own length cannot be
seen in positions; the row before lends it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import nearest_rotation, rot6d_to_matrix, turns_between
from motion_rep.kinematics.skeleton import PARENTS, rest_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import unpack

# Metres. Where velocities and positions differ by more (an edited or generated motion), they describe no next frame.
AGREEMENT = 1e-3


def with_closing_frame(motion: Tensor) -> BodyParameters:
    """Body parameters of all rows and of the frame after them; of the rows alone where the velocities do not lead to a
    next frame.

    Args:
        motion: (N, 276) float64
    Returns:
        N + 1 frames, or N.
    """
    parameters = body_parameters(motion)
    closing = closing_frame(motion, parameters)
    columns = unpack(motion)
    expected = columns.joints[-1] + columns.joint_velocities[-1]
    if float((closing.joints()[0] - expected).norm(dim=-1).max()) > AGREEMENT:
        return parameters
    return BodyParameters(*(torch.cat(pair) for pair in zip(parameters, closing, strict=True)))


def closing_frame(motion: Tensor, parameters: BodyParameters) -> BodyParameters:
    """One frame: the last row moved on by its velocities."""
    columns = unpack(motion)
    root = rot6d_to_matrix(columns.root_angular_velocity[-1]) @ parameters.root[-1]
    positions = columns.joints[-1] + columns.joint_velocities[-1]
    body = _body_reaching(positions, root, parameters.body[-1])
    return BodyParameters(root[None], body[None], (columns.transl[-1] + columns.transl_velocity[-1])[None])


def _body_reaching(positions: Tensor, root: Tensor, start: Tensor) -> Tensor:
    """(21, 3, 3) local rotations that bring the joints to (22, 3) positions, near those of ``start``."""
    rest = rest_joints(positions.dtype, positions.device)
    world, body = [root], []
    for joint in range(1, len(PARENTS)):
        parent = world[PARENTS[joint]]
        turned = parent @ start[joint - 1]
        children = [child for child, above in enumerate(PARENTS) if above == joint]
        if children:
            turned = _aimed(turned, rest[children] - rest[joint], positions[children] - positions[joint])
        world.append(turned)
        body.append(parent.mT @ turned)
    return torch.stack(body)


def _aimed(rotation: Tensor, bones: Tensor, wanted: Tensor) -> Tensor:
    """``rotation`` turned so that its bones (k, 3) point where wanted (k, 3): exactly for one bone, least squares for
    several.
    """
    if len(bones) > 1:
        return nearest_rotation(wanted.mT @ bones)
    return turns_between(rotation @ bones[0], wanted[0]) @ rotation
