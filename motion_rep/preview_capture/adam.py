"""Adam with a warm-up and a cosine decay, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

WARM_UP = 0.15
DECAY_OF_MEAN, DECAY_OF_SQUARE, TINY = 0.9, 0.999, 1e-8


def minimise(slope: Callable[[np.ndarray, int], np.ndarray], start: np.ndarray, steps: int, rate: float) -> np.ndarray:
    """The values after some optimisation steps (Kingma and Ba, https://arxiv.org/abs/1412.6980).

    Args:
        slope: gives, for values and the number of the step, the slope of what is minimised.
        start: floats; they are not changed.
        rate: the largest step length.
    """
    values, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(steps):
        found = slope(values, step)
        mean += (1 - DECAY_OF_MEAN) * (found - mean)
        square += (1 - DECAY_OF_SQUARE) * (found * found - square)
        size = np.sqrt(square / (1 - DECAY_OF_SQUARE ** (step + 1))) + TINY
        values -= (rate * _share_of_rate(step, steps) / (1 - DECAY_OF_MEAN ** (step + 1))) * mean / size
    return values


def _share_of_rate(step: int, steps: int) -> float:
    """Rises from 0.04 to 1 over the warm-up, then falls to 0."""
    done, top = step / max(1, steps - 1), WARM_UP
    if done < top:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * done / top))
    return 0.5 * (1 + math.cos(math.pi * (done - top) / (1 - top)))
