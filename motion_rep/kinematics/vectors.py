"""Lengths and directions of many vectors, in NumPy, which is faster than torch for so few numbers."""

from __future__ import annotations

import numpy as np


def lengths(vectors: np.ndarray) -> np.ndarray:
    """(...) the length of each vector (..., C)."""
    squared: np.ndarray = np.vecdot(vectors, vectors)
    return np.sqrt(squared)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., C) of length 1; one shorter than 1e-9 stays short."""
    return vectors / np.maximum(lengths(vectors), 1e-9)[..., None]
