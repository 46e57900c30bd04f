"""The frame after a motion's last row, from the velocity columns.

T frames make T - 1 rows; of the last frame only the joint positions remain. Converting back needs them, because the
lowest joint of the clip, which defines the floor, may be among them. Its pose is found bone by bone: the smallest
rotation from the previous row that moves every joint to its position. Positions do not show the twist of a limb, which
is taken from the previous row.
"""

from __future__ import annotations

import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import nearest_rotation, rot6d_to_matrix, turns_between
from motion_rep.kinematics.skeleton import LEVELS, PARENTS, rest_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import unpack

CHILDREN = [[child for child, above in enumerate(PARENTS) if above == joint] for joint in range(len(PARENTS))]
# Metres. If velocities and positions differ by more (an edited or generated motion), there is no valid next frame.
AGREEMENT = 1e-3


def with_closing_frame(motion: Tensor) -> BodyParameters:
    """Body parameters of all rows and of the frame after them, if the velocities give a valid one.

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
    """One frame: the last row advanced by its velocities."""
    columns = unpack(motion)
    root = rot6d_to_matrix(columns.root_angular_velocity[-1]) @ parameters.root[-1]
    positions = columns.joints[-1] + columns.joint_velocities[-1]
    body = _body_reaching(positions, root, parameters.body[-1])
    return BodyParameters(root[None], body[None], (columns.transl[-1] + columns.transl_velocity[-1])[None])


def _body_reaching(positions: Tensor, root: Tensor, start: Tensor) -> Tensor:
    """(21, 3, 3) local rotations that bring the joints to (22, 3) positions, near those of ``start``.

    A joint with one bone is turned by the smallest rotation, one with several by least squares.
    """
    rest = rest_joints(positions.dtype, positions.device)
    world = torch.empty(len(PARENTS), 3, 3, dtype=positions.dtype, device=positions.device)
    world[0] = root
    # Joints at the same depth of the tree are independent.
    for level in map(list, LEVELS):
        world[level] = world[[PARENTS[joint] for joint in level]] @ start[[joint - 1 for joint in level]]
        if single := [joint for joint in level if len(CHILDREN[joint]) == 1]:
            children = [CHILDREN[joint][0] for joint in single]
            bones = (world[single] @ (rest[children] - rest[single])[..., None]).squeeze(-1)
            world[single] = turns_between(bones, positions[children] - positions[single]) @ world[single]
        for joint in level:
            if len(CHILDREN[joint]) > 1:
                bones, wanted = (points[CHILDREN[joint]] - points[joint] for points in (rest, positions))
                world[joint] = nearest_rotation(wanted.mT @ bones)
    return world[list(PARENTS[1:])].mT @ world[1:]
