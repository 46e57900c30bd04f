"""Read values from a system's dict; a value that is not as documented raises an error with what was found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from motion_rep.captures.capture_file import float_tensor, require_fractions, require_rotations
from motion_rep.captures.plausibility import require_angles
from motion_rep.common.errors import InputError, keys_text, short_text
from motion_rep.kinematics.rotations import rotvec_to_matrix

# Above the number of frames of any video.
MOST = 1 << 31


def section(values: object, name: object, holder: str = "") -> Mapping:
    """A dict within a dict."""
    found = values.get(name) if isinstance(values, Mapping) else None
    if not isinstance(found, Mapping):
        raise InputError(
            f"{holder}{short_text(name, 60)} is {_kind(values, name)}, expected a dict. The file may come "
            "from an unsupported version of the program."
        )
    return found


def numbers(values: object, name: str, shape: tuple[int | None, ...], holder: str = "") -> Tensor:
    """Float64 numbers of a shape; None in it means any size.

    Raises:
        InputError: missing, or another shape; the message starts with ``holder`` (``person 3: ``).
    """
    if not isinstance(values, Mapping) or name not in values:
        raise InputError(f"{holder}has no {name}; found {keys_text(values)}.")
    found = float_tensor(f"{holder}{name}", values[name])
    if len(found.shape) != len(shape) or any(
        want not in (None, size) for size, want in zip(found.shape, shape, strict=True)
    ):
        expected = ", ".join("any" if want is None else str(want) for want in shape)
        raise InputError(f"{holder}{name} has shape {tuple(found.shape)}, expected ({expected}).")
    return found


def number(values: object, name: str, holder: str = "") -> float:
    """A single number, also as an array with one entry."""
    if not isinstance(values, Mapping) or name not in values:
        raise InputError(f"{holder}has no {name}; found {keys_text(values)}.")
    found = float_tensor(f"{holder}{name}", values[name])
    if found.numel() != 1 or not bool(found.isfinite().all()):
        raise InputError(f"{holder}{name} has shape {tuple(found.shape)}, expected one finite number.")
    return float(found)


def whole_number(values: object, name: str, holder: str = "") -> int:
    """A single whole number from 0 within the range of frame numbers."""
    found = number(values, name, holder)
    if found != round(found) or not 0 <= found < MOST:
        raise InputError(f"{holder}{name} is {found:g}, expected a whole number from 0.")
    return int(found)


def entries(values: Mapping, name: str, holder: str = "") -> list:
    """A list (or an array's rows)."""
    found = values.get(name)
    if not isinstance(found, list | tuple) and not (isinstance(found, np.ndarray) and found.ndim):
        raise InputError(f"{holder}{name} is {_kind(values, name)}, expected a list.")
    return list(found)


def rotation_vectors(values: object, name: str, frames: int | None, joints: int, holder: str = "") -> Tensor:
    """(T, 3 * joints or more) axis-angle to (T, joints, 3, 3) rotations of the first joints."""
    # Each access to an npz reads its file.
    given = {name: values[name]} if isinstance(values, Mapping) and name in values else values
    found = numbers(given, name, (frames, None), holder)
    if found.shape[1] < 3 * joints or found.shape[1] % 3:
        raise InputError(
            f"{holder}{name} has shape {tuple(found.shape)}, expected at least {3 * joints} numbers a frame."
        )
    require_fractions(f"{holder}{name}", given[name] if isinstance(given, Mapping) else None, found)
    return rotvec_to_matrix(require_angles(found[:, : 3 * joints].unflatten(-1, (joints, 3))))


def rotation_matrices(values: object, name: str, shape: tuple[int | None, ...], holder: str = "") -> Tensor:
    """(..., 3, 3) rotation matrices, made exactly orthonormal."""
    return require_rotations(f"{holder}{name}", numbers(values, name, (*shape, 3, 3), holder))


def frame_numbers(values: object, name: str, holder: str = "") -> Tensor:
    """(T,) int64 frame numbers."""
    found = numbers(values, name, (None,), holder)
    if not bool(((found == found.round()) & (found >= 0) & (found < MOST)).all()):
        raise InputError(f"{holder}{name} contains numbers that are not frame numbers, expected whole numbers from 0.")
    return found.long()


def whole_pixels(twice_the_centre: Tensor) -> tuple[int, int]:
    """(2,) twice the principal point of a centred camera to the image's width and height."""
    if not bool(twice_the_centre.isfinite().all()):
        raise InputError("the principal point of its camera is not a finite number. Run the capture again.")
    width, height = (round(value) for value in twice_the_centre.tolist())
    return width, height


def _kind(values: object, name: object) -> str:
    if not isinstance(values, Mapping) or name not in values:
        return "missing"
    return f"a {type(values[name]).__name__}"


def constant_focal(focal: float, frames: int) -> Tensor:
    """(T,) one focal length for all frames."""
    return torch.full((frames,), float(focal), dtype=torch.float64)
