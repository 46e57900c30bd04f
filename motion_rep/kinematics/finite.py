"""Checks of tensors: finite numbers, and shapes."""

from __future__ import annotations

import math

from torch import Tensor

from motion_rep.common.errors import InputError


def all_finite(numbers: Tensor) -> bool:
    """Whether no number is infinite or NaN.

    One pass instead of five: a finite sum has only finite terms. If the sum overflows, each number is checked.
    """
    return math.isfinite(numbers.sum()) or bool(numbers.isfinite().all())


def require_shape(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    """Check the shape of a tensor.

    Raises:
        InputError: another shape; without the file's name.
    """
    if tuple(value.shape) != shape:
        raise InputError(f"{name} has shape {tuple(value.shape)}, expected {shape}.")
