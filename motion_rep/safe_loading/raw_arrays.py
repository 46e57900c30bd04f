"""Numpy arrays from dtypes, shapes and bytes of a file, each checked before numpy sees it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.files.limits import MOST_DIMENSIONS, MOST_SIZE
from motion_rep.safe_loading.bounded_stream import BoundedStream

ByteOrder = Literal["<", ">", "|", "="]
BYTE_ORDERS: tuple[ByteOrder, ...] = ("<", ">", "|", "=")
# Truth values, whole numbers, floats, complex numbers, byte strings and text: kinds without pointers.
PLAIN_DTYPE = re.compile(r"[<>|=]?(b1|\?|i[1248]|u[1248]|f[248]|c8|c16|S\d{1,9}|U\d{1,9})")


def plain_dtype(text: object) -> np.dtype:
    """A dtype by its short name (``<f4``), if its values are plain numbers or text.

    Raises:
        InputError: objects, structures or nonsense; without the file's name.
    """
    if not isinstance(text, str) or not PLAIN_DTYPE.fullmatch(text):
        raise InputError(f"contains an array of the kind {str(text)[:40]!r}, expected numbers or text.")
    return np.dtype(text)


def checked_shape(shape: object) -> tuple[int, ...]:
    """A shape of whole numbers from 0."""
    if not isinstance(shape, Sequence) or isinstance(shape, str | bytes) or len(shape) > MOST_DIMENSIONS:
        raise InputError(f"contains an array of shape {str(shape)[:80]}, expected a few whole numbers.")
    if not all(type(size) is int and 0 <= size < MOST_SIZE for size in shape):
        raise InputError(f"contains an array of shape {str(shape)[:80]}, expected sizes of at least 0.")
    return tuple(shape)


def require_size(size: int, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Check that the number of bytes fits shape and type."""
    if size != math.prod(shape) * dtype.itemsize:
        raise InputError(
            f"contains {size:,} bytes for an array of shape {str(shape)[:80]} and type {dtype}; it is cut or damaged. "
            "Write it again."
        )


def array_from_bytes(raw: bytes | bytearray, dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    """A writable array of exactly these bytes; a bytearray is used in place, bytes are copied."""
    require_size(len(raw), dtype, shape)
    if not raw:
        return np.zeros(shape, dtype)
    flat = np.frombuffer(raw if isinstance(raw, bytearray) else bytearray(raw), dtype)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def read_array(stream: BoundedStream, dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    """The next array of a stream."""
    size = math.prod(shape) * dtype.itemsize
    stream.require(size)
    return array_from_bytes(stream.read_writable(size), dtype, shape, fortran)
