"""Rotations in NumPy, for few numbers, where it is several times faster than torch, and where torch is not needed."""

from __future__ import annotations

import numpy as np

from motion_rep.kinematics.vectors import lengths, unit


def rotation_matrices(vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) to matrices (..., 3, 3)."""
    matrices: np.ndarray = np.moveaxis(turned(np.moveaxis(vectors, -1, 0)), (0, 1), (-2, -1))
    return matrices


def turned(vectors: np.ndarray) -> np.ndarray:
    """(3, ...) rotation vectors to (3, 3, ...) matrices (Rodrigues)."""
    squared, sine, versine = turning(vectors)
    matrix: np.ndarray = (versine * vectors)[:, None] * vectors
    for row, column in ((0, 1), (1, 2), (2, 0)):
        axis = sine * vectors[3 - row - column]
        matrix[row, column] -= axis
        matrix[column, row] += axis
    for axis in range(3):
        matrix[axis, axis] += 1.0 - versine * squared
    return matrix


def turning(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of (3, ...) rotation vectors with angle a: a * a, sin(a) / a, and (1 - cos(a)) / (a * a)."""
    squared = (vectors * vectors).sum(0)
    half = 0.5 * np.sqrt(np.maximum(squared, 1e-12))
    shorter = np.sin(half) / half
    return squared, shorter * np.cos(half), 0.5 * shorter * shorter


def rotation_vectors(matrices: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) to vectors (..., 3) of at most pi radians, exact also close to 0 and to pi.

    By the best conditioned of four equivalent quaternions (Shepperd, 1978, https://doi.org/10.2514/3.55767b).
    """
    (a, b, c), (d, e, f), (g, h, i) = np.moveaxis(matrices, (-2, -1), (0, 1))
    wx, wy, wz, xy, xz, yz = h - f, c - g, d - b, d + b, c + g, h + f
    entries = (
        (1 + a + e + i, wx, wy, wz),
        (wx, 1 + a - e - i, xy, xz),
        (wy, xy, 1 - a + e - i, yz),
        (wz, xz, yz, 1 - a - e + i),
    )
    candidates = np.stack([np.stack(row, -1) for row in entries], -2)
    best = np.diagonal(candidates, axis1=-2, axis2=-1).argmax(-1)
    quaternion = unit(np.take_along_axis(candidates, best[..., None, None], -2)[..., 0, :])
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    real, imaginary = quaternion[..., 0], quaternion[..., 1:]
    sine = lengths(imaginary)
    factor = np.where(sine < 1e-6, 2.0, 2.0 * np.arctan2(sine, real) / np.maximum(sine, 1e-6))
    return imaginary * factor[..., None]


def between_rotations(start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) on the shortest arc between two; weight (...) 0 gives start, 1 gives end."""
    step = rotation_vectors(start.swapaxes(-1, -2) @ end)
    return start @ rotation_matrices(weight[..., None] * step)


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """(..., 3, 2) to rotation matrices by Gram-Schmidt."""
    first, second = columns[..., 0], columns[..., 1]
    x = first / np.linalg.norm(first, axis=-1, keepdims=True)
    y = second - (x * second).sum(-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack((x, y, np.cross(x, y)), axis=-1)


def turns_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The smallest rotations that bring directions to other ones; none for opposite directions and for length 0.

    Args:
        start, end: (..., 3) of any length.
    Returns:
        (..., 3, 3)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        start, end = (vectors / lengths(vectors)[..., None] for vectors in (start, end))
        middle = start + end
        # Two reflections: across the plane between the directions, and along the line of the second one.
        squared = np.vecdot(middle, middle)[..., None, None]
        turned = end[..., None] * (2 * start[..., None, :]) - middle[..., None] * middle[..., None, :] * (2 / squared)
        return np.eye(3) + np.where(squared > 1e-24, turned, 0.0)
