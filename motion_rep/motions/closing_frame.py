"""The frame after a motion's last row, from the velocity columns.

T frames make T - 1 rows; of the last frame only the joint positions remain. Converting back needs them, because the
lowest joint of the clip, which defines the floor, may be among them. Its pose is found bone by bone: the smallest
rotation from the previous row that moves every joint to its position. Positions do not show the twist of a limb, which
is taken from the previous row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.array_rotations import turns_between
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import nearest_rotation, rot6d_to_matrix
from motion_rep.kinematics.skeleton import LEVELS, PARENTS, rest_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import MotionColumns, unpack

CHILDREN = [[child for child, above in enumerate(PARENTS) if above == joint] for joint in range(len(PARENTS))]
# Metres. If velocities and positions differ by more (an edited or generated motion), there is no valid next frame.
AGREEMENT = 1e-3


class _Level(NamedTuple):
    """Joints at one depth of the tree, as indices.

    joints, parents: all of them, and their parents. single, children: those with one bone, and the ends of these bones.
    fork: the joint with several bones, if one is here.
    """

    joints: np.ndarray
    parents: np.ndarray
    single: np.ndarray
    children: np.ndarray
    fork: int | None


def _level(joints: tuple[int, ...]) -> _Level:
    single = [joint for joint in joints if len(CHILDREN[joint]) == 1]
    return _Level(
        np.array(joints),
        np.array([PARENTS[joint] for joint in joints]),
        np.array(single, int),
        np.array([CHILDREN[joint][0] for joint in single], int),
        next((joint for joint in joints if len(CHILDREN[joint]) > 1), None),
    )


# NumPy indexes so few numbers several times faster than torch.
TREE = [_level(level) for level in LEVELS]


def with_closing_frame(motion: Tensor) -> BodyParameters:
    """Body parameters of all rows and of the frame after them, if the velocities give a valid one.

    Args:
        motion: (N, 276) float64
    Returns:
        N + 1 frames, or N.
    """
    return posed_with_closing_frame(motion)[0]


def posed_with_closing_frame(motion: Tensor) -> tuple[BodyParameters, Tensor]:
    """:func:`with_closing_frame`, and the joints (N + 1 or N, 22, 3) of these parameters."""
    parameters, columns = body_parameters(motion), unpack(motion)
    expected = columns.joints[-1] + columns.joint_velocities[-1]
    closing = _closing_frame(columns, parameters, expected)
    longer = BodyParameters(*(torch.cat(pair) for pair in zip(parameters, closing, strict=True)))
    joints = longer.joints()
    if float((joints[-1] - expected).norm(dim=-1).max()) > AGREEMENT:
        return parameters, joints[:-1]
    return longer, joints


def _closing_frame(columns: MotionColumns, parameters: BodyParameters, positions: Tensor) -> BodyParameters:
    """One frame: the last row advanced by its velocities, which bring the joints to (22, 3) positions."""
    root = rot6d_to_matrix(columns.root_angular_velocity[-1]) @ parameters.root[-1]
    body = _body_reaching(positions, root, parameters.body[-1])
    return BodyParameters(root[None], body[None], (columns.transl[-1] + columns.transl_velocity[-1])[None])


def _body_reaching(positions: Tensor, root: Tensor, start: Tensor) -> Tensor:
    """(21, 3, 3) local rotations that bring the joints to (22, 3) positions, near those of ``start``.

    A joint with one bone is turned by the smallest rotation, one with several by least squares.
    """
    rest, places, local = (values.numpy() for values in (rest_joints(), positions, start))
    world = np.empty((len(PARENTS), 3, 3))
    world[0] = root
    # Joints at the same depth of the tree are independent.
    for level in TREE:
        world[level.joints] = world[level.parents] @ local[level.joints - 1]
        if len(level.single):
            bones = world[level.single] @ (rest[level.children] - rest[level.single])[..., None]
            wanted = places[level.children] - places[level.single]
            turns = turns_between(bones[..., 0], wanted)
            world[level.single] = turns @ world[level.single]
        if level.fork is not None:
            bones, wanted = (points[CHILDREN[level.fork]] - points[level.fork] for points in (rest, places))
            world[level.fork] = nearest_rotation(torch.from_numpy(wanted.T @ bones)).numpy()
    return torch.from_numpy(np.swapaxes(world[list(PARENTS[1:])], 1, 2) @ world[1:])
