"""Whether numbers are numbers."""

from __future__ import annotations

import math

from torch import Tensor


def all_finite(numbers: Tensor) -> bool:
    """Whether no number is infinite or NaN.

    One pass instead of five: a sum is finite only if all its numbers are. It may also overflow; then each number is
    asked.
    """
    return math.isfinite(numbers.sum()) or bool(numbers.isfinite().all())
