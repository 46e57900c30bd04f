"""Tremble: the share of a movement that alternates from frame to frame, told apart from speed.

Noise is in every frame and joint and alternates; real acceleration is rare and lasts. So fourth differences of noise
are large against its second differences, and those of a fast movement are not.
"""

from __future__ import annotations

import numpy as np

SHORTEST = 5  # frames
NOISE_RATIO = (70 / 6) ** 0.5  # of the fourth to the second differences of white noise: root of sums of squared weights
STILL = 1e-3  # metres per frame^2; differences below this are no movement


def tremble(joints: np.ndarray, fps: float = 0.0) -> float:
    """How much the joints tremble: 0 for none, about 1 for white noise, whatever its size and the frame rate.

    It is the median over frames and joints of |d4| / (|d2| + 1 mm), divided by the value that white noise gives; d2 and
    d4 are the second and fourth differences of a joint's place relative to the pelvis, both about the same frame.

    Args:
        joints: (T, 22, 3) metres; at their own rate, since resampling between frames hides tremble.
        fps: not used; the figure has no unit of time.
    Returns:
        0 for fewer than 5 frames.
    """
    return alternation(joints[:, 1:] - joints[:, :1])


def alternation(places: np.ndarray) -> float:
    """The same figure for any paths (T, K, 3) of points, metres."""
    if len(places) < SHORTEST:
        return 0.0
    second = _bends(places)
    fourth = _bends(second)
    return float(np.median(_length(fourth) / (_length(second[1:-1]) + STILL)) / NOISE_RATIO)


def _bends(paths: np.ndarray) -> np.ndarray:
    return paths[2:] - 2 * paths[1:-1] + paths[:-2]


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.vecdot(vectors, vectors))
