"""Least squares over time as one banded solve: the cost grows with the number of frames, not with its cube."""

from __future__ import annotations

import numpy as np


def penalised(
    right: np.ndarray, weight: np.ndarray | float, steps: np.ndarray | float, bends: np.ndarray | float
) -> np.ndarray:
    """The path x that minimises ``sum weight x^2 + steps (x[t+1] - x[t])^2 + bends (x[t+1] - 2 x[t] + x[t-1])^2``
    ``- 2 right x``, for several tracks of several columns at once.

    Args:
        right: (T, K, C); weight times what x should be, where there is nothing else.
        weight: (T, K) or a number above zero. steps: (T - 1, K). bends: (T - 2, K).
    Returns:
        (T, K, C)
    """
    frames, tracks, _ = right.shape
    main = np.zeros((frames, tracks)) + weight
    first, second = np.zeros((frames - 1, tracks)), np.zeros((max(frames - 2, 0), tracks))
    one = np.zeros_like(first) + steps
    main[:-1] += one
    main[1:] += one
    first -= one
    two = np.zeros_like(second) + bends
    if frames > 2:
        main[:-2] += two
        main[1:-1] += 4 * two
        main[2:] += two
        first[:-1] -= 2 * two
        first[1:] -= 2 * two
        second += two
    return solve_bands(main, first, second, right)


def solve_bands(main: np.ndarray, first: np.ndarray, second: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve symmetric positive definite systems with two bands beside the diagonal, by L D L^T without pivots.

    Args:
        main: (T, K) diagonals of K systems. first: (T - 1, K), second: (T - 2, K) the bands above them.
        right: (T, K, C) right sides.
    Returns:
        (T, K, C)
    """
    frames = len(main)
    pivots, lower, lowest = np.empty_like(main), np.zeros_like(main), np.zeros_like(main)
    solved = right.astype(float)
    for row in range(frames):
        pivot = main[row]
        if row > 0:
            band = first[row - 1] - second[row - 2] * lower[row - 1] if row > 1 else first[row - 1]
            lower[row] = band / pivots[row - 1]
            pivot = pivot - lower[row] * band
            solved[row] -= lower[row, :, None] * solved[row - 1]
        if row > 1:
            lowest[row] = second[row - 2] / pivots[row - 2]
            pivot = pivot - lowest[row] * second[row - 2]
            solved[row] -= lowest[row, :, None] * solved[row - 2]
        pivots[row] = pivot
    solved /= pivots[..., None]
    for row in range(frames - 2, -1, -1):
        solved[row] -= lower[row + 1, :, None] * solved[row + 1]
        if row + 2 < frames:
            solved[row] -= lowest[row + 2, :, None] * solved[row + 2]
    return solved
