"""The median of few values, many times quicker than NumPy's."""

from __future__ import annotations

import numpy as np


def middle(values: np.ndarray) -> np.ndarray:
    """The upper median along the first axis."""
    found: np.ndarray = np.sort(values, axis=0)[len(values) // 2]
    return found
