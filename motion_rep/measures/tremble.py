"""Tremble: the part of a movement that alternates from frame to frame, independent of speed.

Noise alternates and is in every frame and joint; real acceleration is rare and lasts longer. So the fourth differences
of noise are large relative to its second differences, and those of a fast movement are not.
"""

from __future__ import annotations

import numpy as np

from motion_rep.kinematics.vectors import lengths

SHORTEST = 5  # frames
# ratio of the fourth to the second differences of white noise: root of sums of squared weights
NOISE_RATIO = (70 / 6) ** 0.5
STILL = 1e-3  # metres per frame^2; smaller differences are not movement


def tremble(joints: np.ndarray, fps: float = 0.0) -> float:
    """How much the joints tremble: 0 for none, about 1 for white noise of any size at any frame rate.

    It is the median over frames and joints of |d4| / (|d2| + 1 mm), divided by its value for white noise; d2 and d4 are
    the second and fourth differences of a joint's position relative to the pelvis, both centred on the same frame.

    Args:
        joints: (T, 22, 3) metres, at their own rate, because resampling between frames hides tremble.
        fps: not used; the figure does not depend on time.
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
    return float(np.median(lengths(fourth) / (lengths(second[1:-1]) + STILL)) / NOISE_RATIO)


def _bends(paths: np.ndarray) -> np.ndarray:
    return paths[2:] - 2 * paths[1:-1] + paths[:-2]
