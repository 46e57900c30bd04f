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
    # Columns beside each track, so that the loops, which take all of the time, need no new axes.
    diagonals, firsts, seconds = (list(bands[..., None]) for bands in (main, first, second))
    rows = list(right.astype(float))
    pivots: list[np.ndarray] = []
    lower: list[np.ndarray] = [diagonals[0]]
    lowest: list[np.ndarray] = [diagonals[0]] * 2
    for row in range(frames):
        pivot = diagonals[row]
        if row > 0:
            band = firsts[row - 1]
            if row > 1:
                far = seconds[row - 2]
                band = band - far * lower[-1]
                factor = far / pivots[-2]
                pivot = pivot - factor * far
                rows[row] -= factor * rows[row - 2]
                lowest.append(factor)
            factor = band / pivots[-1]
            pivot = pivot - factor * band
            rows[row] -= factor * rows[row - 1]
            lower.append(factor)
        pivots.append(pivot)
    solved = list(np.array(rows) / np.array(pivots))
    if frames > 1:
        solved[-2] = solved[-2] - lower[-1] * solved[-1]
    for row in range(frames - 3, -1, -1):
        solved[row] -= lower[row + 1] * solved[row + 1] + lowest[row + 2] * solved[row + 2]
    return np.array(solved)
