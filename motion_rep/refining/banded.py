"""Least squares over time as one banded solve: the cost grows with the number of frames, not with its cube."""

from __future__ import annotations

import numpy as np


def penalised(
    right: np.ndarray, weight: np.ndarray | float, steps: np.ndarray | float, bends: np.ndarray | float
) -> np.ndarray:
    """The path x that minimises ``sum weight x^2 + steps (x[t+1] - x[t])^2 + bends (x[t+1] - 2 x[t] + x[t-1])^2``
    ``- 2 right x``, for several tracks of several columns at once.

    Args:
        right: (T, K, C); weight times the value that x would have without the other terms.
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
    """Solve symmetric positive definite systems with two bands next to the diagonal.

    Rows are eliminated without pivots from both ends at once, up to the two in the middle: half as many steps.

    Args:
        main: (T, K) diagonals of K systems. first: (T - 1, K), second: (T - 2, K) the bands above them.
        right: (T, K, C) right sides.
    Returns:
        (T, K, C)
    """
    frames, tracks, _ = right.shape
    # An even number of rows is padded with one row that is independent of the others.
    count = frames + frames % 2
    half = count // 2 - 1
    pivots = _both_ends(_padded(main, count, 1.0), half + 2)
    sides = _both_ends(_padded(right.transpose(0, 2, 1), count), half + 2)
    bands = np.zeros((half + 1, 2, 2 * tracks))
    bands[:, 0] = _both_ends(_padded(first, count - 1), half + 1)
    bands[:-1, 1] = _both_ends(_padded(second, count - 2), half)
    # The rows in the middle belong to the first half; the second half adds its eliminated terms.
    for rows in (pivots, sides, bands):
        rows[half:, ..., tracks:] = 0.0
    factors = _eliminate(pivots, sides, bands)
    _solve_middle(pivots[half:], sides[half:], bands[half:], tracks)
    _put_in(pivots, sides, factors)
    return np.concatenate((sides[: half + 1, :, :tracks], sides[half::-1, :, tracks:]))[:frames].transpose(0, 2, 1)


def _both_ends(rows: np.ndarray, count: int) -> np.ndarray:
    """(count, ..., 2 K) the first rows, next to the last rows in reverse order."""
    return np.concatenate((rows[:count], rows[::-1][:count]), axis=-1)


def _padded(rows: np.ndarray, count: int, value: float = 0.0) -> np.ndarray:
    return np.concatenate((rows, np.full((count - len(rows), *rows.shape[1:]), value)))


def _eliminate(pivots: np.ndarray, sides: np.ndarray, bands: np.ndarray) -> list[np.ndarray]:
    """Eliminate all rows but the last two, in place; returns the (2, K) multiples of each that left the next two."""
    factors = []
    for row, band in enumerate(bands[:-1]):
        factor = band / pivots[row]
        pivots[row + 1 : row + 3] -= factor * band
        bands[row + 1, 0] -= factor[0] * band[1]
        sides[row + 1 : row + 3] -= factor[:, None] * sides[row]
        factors.append(factor)
    return factors


def _solve_middle(pivots: np.ndarray, sides: np.ndarray, bands: np.ndarray, tracks: int) -> None:
    """The two rows in the middle, which the halves count in opposite order; the solution goes into ``sides``."""
    upper, lower = pivots[:, :tracks] + pivots[::-1, tracks:]
    between = bands[0, 0, :tracks] + bands[0, 0, tracks:]
    first, second = sides[..., :tracks] + sides[::-1, :, tracks:]
    solved = np.stack((lower * first - between * second, upper * second - between * first))
    solved /= upper * lower - between**2
    sides[..., :tracks], sides[..., tracks:] = solved, solved[::-1]


def _put_in(pivots: np.ndarray, sides: np.ndarray, factors: list[np.ndarray]) -> None:
    """Solve the eliminated rows from the last to the first, in place."""
    sides[:-2] /= pivots[:-2, None]
    for row in range(len(factors) - 1, -1, -1):
        near, far = factors[row]
        sides[row] -= near * sides[row + 1]
        sides[row] -= far * sides[row + 2]
