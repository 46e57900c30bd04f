"""Forward kinematics of a clip in NumPy, and the slope of a function of the pose.

For the small arrays of a fit this is several times faster than torch with automatic slopes. Frames are the last axis,
so that every operation runs over neighbouring numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from motion_rep.kinematics.array_rotations import turning
from motion_rep.kinematics.joints import LEVELS, PARENTS, REST_JOINTS

_ABOVE = np.array(PARENTS[1:])
_REST = np.array(REST_JOINTS, np.float32)
PELVIS_AT_REST = _REST[0]
_BONES = (_REST[1:] - _REST[_ABOVE]).T[..., None]
# The parents of each level's joints, and the joints.
_LEVELS = [(np.array([PARENTS[j] for j in level]), np.array(level)) for level in LEVELS]


def _subtrees() -> np.ndarray:
    """(22, 22) 1 where the column's joint is the row's, or moves with it."""
    below = np.eye(len(PARENTS), dtype=np.float32)
    for joint in range(len(PARENTS) - 1, 0, -1):
        below[PARENTS[joint]] += below[joint]
    return below


_BELOW = _subtrees()


class ChainPose(NamedTuple):
    """Global rotations (3, 3, 22, T) and positions (3, 22, T) of all joints, metres."""

    rotations: np.ndarray
    positions: np.ndarray


def pose_chain(root: np.ndarray, body: np.ndarray, pelvis: np.ndarray) -> ChainPose:
    """The pose of the chain of joints.

    Args:
        root: (3, 3, T) orientation of the pelvis. body: (3, 3, 21, T) relative to the parents. pelvis: (3, T) metres.
    """
    rotations = np.empty((3, 3, len(PARENTS), root.shape[-1]), root.dtype)
    rotations[:, :, 0] = root
    for parents, joints in _LEVELS:
        rotations[:, :, joints] = product(rotations[:, :, parents], body[:, :, joints - 1])
    steps = np.concatenate((pelvis[:, None], transform(rotations[:, :, _ABOVE], _BONES)), axis=1)
    return ChainPose(rotations, _BELOW.T @ steps)


def frames_last(values: np.ndarray) -> np.ndarray:
    """(T, ..., A) as (A, ..., T), and (T, ..., 3, 3) as (3, 3, ..., T)."""
    axes = 2 if values.shape[-2:] == (3, 3) else 1
    order = (*range(values.ndim - axes, values.ndim), *range(1, values.ndim - axes), 0)
    return np.ascontiguousarray(values.transpose(order))


def chain_slopes(
    pose: ChainPose, root: np.ndarray, force: np.ndarray, torque: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of a function of the pose: (3, T) for the pelvis' position, and (3, 22, T) for small turns of each joint.

    The turns are in the axes of the joint's parent; those of the root in the axes ``root``.

    Args:
        root: (3, 3, T).
        force: (3, 22, T) the function's slope for each joint's position.
        torque: (3, 22, T) its slope for a small turn of each joint alone, in the global axes.
    """
    total = _BELOW @ force
    turns = _BELOW @ (torque + cross(pose.positions, force)) - cross(pose.positions, total)
    axes = np.concatenate((root[:, :, None], pose.rotations[:, :, _ABOVE]), axis=2)
    return total[:, 0], transform(axes.swapaxes(0, 1), turns)


def vector_slopes(vectors: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """(3, ...) slopes for rotation vectors, from those for small turns that follow the rotation, in the same axes."""
    squared, sine, versine = turning(vectors)
    series = 1 / 6 - squared * (1 / 120 - squared / 5040)
    rest = np.where(squared < 0.04, series, (1.0 - sine) / np.maximum(squared, 0.01))
    across = cross(vectors, turns)
    return turns - versine * across + rest * cross(vectors, across)


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, 3, ...) matrix products."""
    found: np.ndarray = first[:, 0, None] * second[0]
    for middle in (1, 2):
        found += first[:, middle, None] * second[middle]
    return found


def transform(matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(3, ...) vectors times (3, 3, ...) matrices."""
    return matrix[:, 0] * vectors[0] + matrix[:, 1] * vectors[1] + matrix[:, 2] * vectors[2]


def cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, ...) cross products."""
    return np.stack([first[i] * second[j] - first[j] * second[i] for i, j in ((1, 2), (2, 0), (0, 1))])
