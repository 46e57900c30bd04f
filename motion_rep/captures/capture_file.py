"""The documented capture file: a ``.pt`` dict with SMPL-X parameters in a camera frame (see README.md for its keys)."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.captures.fields import BODY, FOCAL, FPS, FRAME_INDEX, HEIGHT, REQUIRED, ROOT, TRANSL, WIDTH
from motion_rep.captures.image_fit import stored_image_fit
from motion_rep.captures.plausibility import angles_beyond_joints, damaged_angles, require_angles
from motion_rep.common.errors import InputError, counted, keys_text, located
from motion_rep.files.limits import MOST_SIZE, require_frames
from motion_rep.kinematics.rotations import nearest_rotation, rotvec_to_matrix
from motion_rep.safe_loading.torch_files import read_torch

BODY_SIZES = {
    69: "SMPL's body, which convert_hmr_to_motion.py reads with --format camerahmr",
    66: "a body with its root; leave out the first 3 numbers",
}
# Numbers per joint of other rotations.
JOINT_SIZES = {4: "quaternions", 6: "the first two columns of matrices (6D)"}

# Largest deviation of an entry from the nearest rotation that counts as rounding.
ROTATION_TOLERANCE = 1e-2


def read_standard_capture(path: str | os.PathLike) -> Capture:
    """Read a documented capture file.

    Raises:
        InputError: the file or its contents cannot be used; the message starts with the path.
    """
    value = read_torch(path)
    with located(path):
        return capture_from_dict(value)


def capture_from_dict(value: object) -> Capture:
    """The documented keys to a :class:`Capture`.

    Raises:
        InputError: missing keys, wrong shapes, values that are not finite; without the file's name.
    """
    if not isinstance(value, Mapping):
        raise InputError(
            f"contains a {type(value).__name__}, expected a dict with global_orient, body_pose and transl."
        )
    missing = [key for key in REQUIRED if key not in value]
    if missing and "motion" in value:
        raise InputError("is a motion already, not a capture. Check it with motion_checker.py or render it.")
    if missing:
        raise InputError(
            f"has no {' and no '.join(missing)}; found {keys_text(value)}. If another system wrote it, "
            "choose it with --format."
        )
    transl = _drop_singletons(float_tensor(TRANSL, value[TRANSL]), (None, 3))
    if transl.ndim != 2 or transl.shape[1] != 3:
        raise InputError(f"transl has shape {tuple(transl.shape)}, expected (frames, 3).")
    frames = transl.shape[0]
    width, height = per_clip(value, WIDTH, frames), per_clip(value, HEIGHT, frames)
    root, body, beyond, notes = _pose(value, frames)
    fit = stored_image_fit(value)
    return Capture(
        root_rotations=root.flatten(0, 1),
        body_rotations=body,
        transl=transl,
        focal_length=per_frame(value, FOCAL, frames),
        width=_whole(width),
        height=_whole(height),
        fps=per_clip(value, FPS, frames),
        frame_index=_frame_index(value, frames),
        angles_beyond_joints=beyond,
        notes=notes,
        up=None if value.get("up") is None else float_tensor("up", value["up"]),
        up_spread=per_clip(value, "up_spread", frames) or 0.0,
        image_fit=None if fit is None else fit.summary(),
    )


def float_tensor(name: str, value: object) -> Tensor:
    """Numbers in a tensor, an array or a list to float64 on the CPU.

    Raises:
        InputError: not numbers, or more rows than a clip may have.
    """
    shape = (len(value),) if isinstance(value, list) else getattr(value, "shape", ())
    require_frames(shape[0] if shape else 0)
    if isinstance(value, Tensor):
        _require_real(name, value.is_complex() or value.dtype is torch.bool, value.dtype)
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise InputError(f"{name} is not a plain tensor. Write it again with .to_dense() or .dequantize().")
        return value.detach().cpu().double()
    try:
        array = np.asarray(value)
        if np.ma.is_masked(value):
            raise InputError(f"{name} is a masked array without some of its numbers, expected all of them.")
        if array.ndim and array.dtype.kind in "SU":  # text may be cut, without its exponent
            raise InputError(f"{name} contains text ({array.dtype}), expected numbers.")
        _require_real(name, array.dtype.kind in "bc", array.dtype)
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))
    except InputError:
        raise
    except OverflowError:
        raise InputError(f"{name} contains a number that is too large, expected at most 1e308.") from None
    except (TypeError, ValueError):
        raise InputError(f"{name} is a {type(value).__name__}, expected numbers (a tensor or an array).") from None


def _require_real(name: str, other: bool, dtype: object) -> None:
    if other:
        raise InputError(f"{name} contains {dtype} values, expected real numbers.")


def require_fractions(name: str, value: object, numbers: Tensor) -> None:
    """Check that rotation vectors are not of a type for whole numbers, unless all are zero.

    Args:
        value: as in the file; ``numbers`` are its numbers.
    """
    kind = str(getattr(value, "dtype", "")).removeprefix("torch.")
    if kind.lstrip("u").startswith("int") and bool(numbers.any()):
        raise InputError(
            f"{name} contains whole numbers ({kind}), expected angles in radians. Multiply quantised numbers by their "
            "scale; for whole degrees use --degrees."
        )


def per_frame(values: Mapping, name: str, frames: int) -> Tensor | None:
    """An optional number, given once or per frame (scalar, 0-d, (1,), (T,) or (T, 1)), as (T,); None if absent."""
    if values.get(name) is None:
        return None
    return _repeated(float_tensor(name, values[name]), name, frames)


def _repeated(numbers: Tensor, name: str, frames: int) -> Tensor:
    if numbers.numel() == 1:
        return numbers.reshape(1).expand(frames).clone()
    if numbers.numel() != frames or numbers.ndim > 2:
        raise InputError(
            f"{name} has shape {tuple(numbers.shape)}, expected one number or one for each of the {frames} frames."
        )
    return numbers.reshape(frames)


def per_clip(values: Mapping, name: str, frames: int) -> float | None:
    """An optional number that must be equal in all frames; None if absent."""
    if values.get(name) is None:
        return None
    numbers = float_tensor(name, values[name])
    if numbers.numel() == 1:
        return float(numbers)
    numbers = _repeated(numbers, name, max(frames, 1))
    if not bool((numbers == numbers[0]).all()):
        raise InputError(
            f"{name} changes from {float(numbers.min()):g} to {float(numbers.max()):g} within the clip, expected one "
            "value."
        )
    return float(numbers[0])


def require_rotations(name: str, matrices: Tensor) -> Tensor:
    """(..., 3, 3) matrices of a file, made exactly orthonormal.

    Raises:
        InputError: a deviation from rotations beyond rounding.
    """
    if not bool(matrices.isfinite().all()):
        raise InputError(f"{name} contains values that are not finite numbers.")
    exact = nearest_rotation(matrices)
    distance = float((exact - matrices).abs().max()) if matrices.numel() else 0.0
    if distance > ROTATION_TOLERANCE:
        raise InputError(
            f"{name} contains matrices that are not rotations (off by up to {distance:.3g}), expected 3x3 rotation "
            "matrices or axis-angle."
        )
    return exact


def _pose(value: Mapping, frames: int) -> tuple[Tensor, Tensor, bool, tuple[str, ...]]:
    """(T, 1, 3, 3) root and (T, 21, 3, 3) body, whether rotation vectors are longer than any joint can turn, notes."""
    given = (
        _rotations(ROOT, value[ROOT], frames, 1),
        _rotations(BODY, value[BODY], frames, 21),
    )
    if all(numbers.ndim == 3 for numbers in given):
        # One call of many small operations instead of two.
        rotvec = torch.cat(given, dim=1)
        root, body = rotvec_to_matrix(rotvec).split((1, 21), dim=1)
        angles = rotvec.norm(dim=-1)
        return root, body, angles_beyond_joints(angles), damaged_angles(angles[:, 1:])
    root, body = (numbers if numbers.ndim == 4 else rotvec_to_matrix(numbers) for numbers in given)
    notes = damaged_angles(given[1].norm(dim=-1)) if given[1].ndim == 3 else ()
    beyond = any(numbers.ndim == 3 and angles_beyond_joints(numbers.norm(dim=-1)) for numbers in given)
    return root, body, beyond, notes


def _rotations(name: str, value: object, frames: int, joints: int) -> Tensor:
    """(T, 3 joints) or (T, joints, 3) to (T, joints, 3) axis-angle, or matrices to exact (T, joints, 3, 3)."""
    numbers = float_tensor(name, value)
    shape = tuple(numbers.shape)
    if shape == (frames, joints, 3, 3) or (joints == 1 and shape == (frames, 3, 3)):
        return require_rotations(name, numbers.reshape(frames, joints, 3, 3))
    if shape in ((frames, 3 * joints), (frames, joints, 3)):
        require_fractions(name, value, numbers)
        return require_angles(numbers.reshape(frames, joints, 3))
    size = math.prod(shape[1:])
    hint = BODY_SIZES.get(size, "") if joints == 21 and len(shape) > 1 else ""
    if not size % joints and size // joints in JOINT_SIZES:
        hint = f"the size of {JOINT_SIZES[size // joints]}; convert them to axis-angle"
    if shape and shape[0] != frames:
        hint = f"transl has {counted(frames, 'frame')}; all arrays must have the same length"
    elif hint:
        hint = f"{size} is {hint}"
    raise InputError(
        f"{name} has shape {shape}, expected ({frames}, "
        f"{3 * joints}).{' ' + hint[0].upper() + hint[1:] + '.' if hint else ''}"
    )


def _drop_singletons(value: Tensor, shape: tuple) -> Tensor:
    """(T, 1, 3) to (T, 3)."""
    return value.squeeze(1) if value.ndim == 3 and value.shape[1] == 1 and value.shape[2] == shape[1] else value


def _whole(number: float | None) -> int | None:
    if number is None:
        return None
    if not math.isfinite(number) or number != round(number):
        raise InputError(f"width or height is {number}, expected a whole number of pixels.")
    return int(number)


def _frame_index(values: Mapping, frames: int) -> Tensor | None:
    numbers = per_frame(values, FRAME_INDEX, frames)
    if numbers is None:
        return None
    if not bool((numbers == numbers.round()).all()):
        raise InputError("frame_index contains fractions, expected whole frame numbers.")
    if not bool((numbers.abs() <= MOST_SIZE).all()):
        raise InputError(f"frame_index is up to {float(numbers.abs().max()):.3g}, expected at most {MOST_SIZE:.3g}.")
    return numbers.long()
