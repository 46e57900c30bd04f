"""Motion files: the documented ``.pt`` dict (or a bare tensor) to a checked clip, and back."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motion_rep.common.errors import InputError, located
from motion_rep.common.rates import require_rate
from motion_rep.files.limits import require_frames
from motion_rep.kinematics.camera import Camera, extrinsic_rows, world_to_camera_from_rows
from motion_rep.motions.consistency import require_rotations_in_columns
from motion_rep.motions.encoding import require_plain_motion
from motion_rep.motions.layout import WIDTH
from motion_rep.motions.stamp import stamped
from motion_rep.safe_loading.torch_files import read_torch, write_torch

# The values of up_from.
UP_FROM = ("world", "capture")
# Larger fps or start_time means a damaged file; whole numbers in a file may even exceed a float.
LARGEST_NUMBER = 1e9


@dataclass(frozen=True)
class MotionClip:
    """A 276-dim motion and the known facts about its source.

    motion: (N, 276) float32, canonical z-up frame.
    camera: the camera that recorded it, or None.
    fps: rows per second, or None.
    start_time: time of the first row in the source video, seconds.
    up_from: source of the up direction: ``world`` (a gravity-aligned source) or ``capture`` (levelled by its own
        direction of up); None if a level camera was assumed.
    refined: the record of the repairs, as plain names, numbers, lists and dicts; None for a raw motion.
    interpolated_from: the source's rate if it is lower than fps and rows were interpolated between its frames; or None.
    image_fit: how well the captured body fits the image, as plain values; None if unknown.
    """

    motion: Tensor
    camera: Camera | None = None
    fps: float | None = None
    start_time: float = 0.0
    up_from: str | None = None
    refined: dict[str, Any] | None = None
    interpolated_from: float | None = None
    image_fit: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.motion.is_floating_point():
            raise InputError(
                f"motion contains {str(self.motion.dtype).removeprefix('torch.')} numbers, expected floating point."
            )
        if self.motion.ndim != 2 or self.motion.shape[1] != WIDTH:
            raise InputError(
                f"motion has shape {tuple(self.motion.shape)}, expected (frames, {WIDTH}). convert_representation.py "
                "reads other representations."
            )
        require_frames(len(self.motion))
        require_plain_motion(self.motion)
        require_rotations_in_columns(self.motion)
        for name, rate in (("fps", self.fps), ("interpolated_from", self.interpolated_from)):
            if rate is not None:
                require_rate(rate, name)
        if not (math.isfinite(self.start_time) and self.start_time >= 0):
            raise InputError(f"start_time is {self.start_time}, expected seconds from the start of the video.")

    def __len__(self) -> int:
        return len(self.motion)


def read_motion(path: str | os.PathLike) -> MotionClip:
    """Read a motion file: the documented dict with any form of extrinsic, or a bare (N, 276) tensor; arrays of NumPy
    count as tensors.

    Raises:
        InputError: the message starts with the path.
    """
    value = read_torch(path)
    with located(path):
        return motion_clip(value)


def write_motion(
    path: str | os.PathLike,
    clip: MotionClip,
    extrinsic_format: str = "matrix",
    durable: bool = True,
    made_from: str | None = None,
) -> None:
    """Write a motion file atomically; readable with ``torch.load(path, weights_only=True)``.

    An unknown camera is written as identity matrices, as documented; readers treat them as unknown.

    Args:
        extrinsic_format: ``matrix`` for (4, 4), ``rows`` for the published data set's (N, 9).
        made_from: a digest of input and settings, stored in the file to recognise finished work (see stamp.py).
    """
    value = motion_dict(clip, extrinsic_format)
    _require_readable(clip, value)
    write_torch(path, value if made_from is None else stamped(value, made_from), durable)


def _require_readable(clip: MotionClip, value: dict) -> None:
    """Check that the reader accepts what will be written, after rounding to float32.

    Raises:
        InputError: it does not; without the file's name.
    """
    if clip.motion.dtype != torch.float32:
        motion_clip(value)
    elif clip.camera is not None:
        _camera(value, len(clip))


def motion_dict(clip: MotionClip, extrinsic_format: str = "matrix") -> dict:
    """The documented keys: motion, intrinsic, extrinsic; and, if they have a value, fps, start_time, up_from, refined,
    interpolated_from and image_fit.
    """
    intrinsic = torch.eye(3) if clip.camera is None else clip.camera.intrinsic
    pose = torch.eye(4) if clip.camera is None else clip.camera.world_to_camera
    extrinsic = extrinsic_rows(pose, len(clip)) if extrinsic_format == "rows" else pose
    value: dict[str, object] = {
        "motion": clip.motion.float().contiguous(),
        "intrinsic": intrinsic.float(),
        "extrinsic": extrinsic.float().contiguous(),
    }
    if clip.fps is not None:
        value["fps"] = float(clip.fps)
    if clip.start_time:
        value["start_time"] = float(clip.start_time)
    if clip.up_from is not None:
        value["up_from"] = clip.up_from
    if clip.refined is not None:
        value["refined"] = clip.refined
    if clip.interpolated_from is not None:
        value["interpolated_from"] = float(clip.interpolated_from)
    if clip.image_fit is not None:
        value["image_fit"] = clip.image_fit
    return value


def motion_clip(value: object) -> MotionClip:
    """The contents of a motion file as a checked clip.

    Raises:
        InputError: without the file's name.
    """
    motion = _as_tensor(value.get("motion") if isinstance(value, Mapping) else value)
    if not isinstance(motion, Tensor):
        raise InputError(
            f"contains {_named(value)}, expected a tensor (frames, {WIDTH}) or a dict with it under motion. A capture "
            "is converted with convert_hmr_to_motion.py first."
        )
    if not isinstance(value, Mapping):
        return MotionClip(_as_float32(motion))
    return MotionClip(
        _as_float32(motion),
        _camera(value, len(motion) if motion.ndim else 0),
        _number(value, "fps"),
        _number(value, "start_time") or 0.0,
        up_from if (up_from := value.get("up_from")) in UP_FROM else None,
        _plain(value, "refined"),
        _number(value, "interpolated_from"),
        _plain(value, "image_fit"),
    )


def _named(value: object) -> str:
    """What a file contains that has no motion, in words."""
    if not isinstance(value, Mapping):
        return f"a {type(value).__name__}"
    if value.get("motion") is not None:
        return f"a {type(value['motion']).__name__} under motion"
    return f"a dict with the keys {', '.join(str(key)[:40] for key in list(value)[:8]) or 'none'}"


def _as_tensor(value: object) -> object:
    """Floating-point arrays and numbers of NumPy as tensors; other values as they are."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return torch.from_numpy(np.array(value, dtype=np.float64))
    return value


def _plain(value: Mapping, name: str) -> dict[str, Any] | None:
    found = value.get(name)
    return dict(found) if isinstance(found, Mapping) else None


def _as_float32(motion: Tensor) -> Tensor:
    """Half and double precision to float32; whole numbers are unchanged and rejected later."""
    return motion.float() if motion.is_floating_point() else motion


def _camera(value: Mapping, rows: int) -> Camera | None:
    intrinsic, extrinsic = _tensor(value, "intrinsic"), _tensor(value, "extrinsic")
    if intrinsic is None or extrinsic is None or torch.equal(intrinsic, torch.eye(3, dtype=intrinsic.dtype)):
        return None
    if tuple(extrinsic.shape) == (rows, 9):
        return Camera(intrinsic, world_to_camera_from_rows(extrinsic))
    if tuple(extrinsic.shape) in ((4, 4), (rows, 4, 4)):
        return Camera(intrinsic, extrinsic)
    raise InputError(f"extrinsic has shape {tuple(extrinsic.shape)}, expected (4, 4) or ({rows}, 9).")


def _tensor(value: Mapping, name: str) -> Tensor | None:
    found = _as_tensor(value.get(name))
    if found is None:
        return None
    if not isinstance(found, Tensor):
        raise InputError(f"{name} is a {type(found).__name__}, expected a tensor.")
    if found.is_complex():
        raise InputError(f"{name} contains complex numbers, expected floating point.")
    return found.double()


def _number(value: Mapping, name: str) -> float | None:
    found = value.get(name)
    if found is None:
        return None
    if isinstance(found, Tensor | np.ndarray | np.generic) and math.prod(found.shape) == 1:
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"{name} is {found!r:.60}, expected a number.")
    if abs(found) > LARGEST_NUMBER:
        raise InputError(f"{name} is too large, expected at most {LARGEST_NUMBER:g}.")
    return float(found)
