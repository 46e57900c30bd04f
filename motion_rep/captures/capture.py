"""The common form of all HMR results: one person's SMPL-X parameters in a camera frame."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from motion_rep.captures.units import CORRECTION_FLAGS
from motion_rep.common.errors import InputError, counted
from motion_rep.common.rates import require_rate
from motion_rep.files.limits import require_frames
from motion_rep.kinematics.camera import require_lens
from motion_rep.kinematics.finite import all_finite, require_shape
from motion_rep.kinematics.parameters import BodyParameters

# Metres: at this distance float64 still resolves a thousandth of a millimetre, and no place on Earth is farther.
FARTHEST_TRANSL = 1e7


@dataclass(frozen=True)
class Capture:
    """One person over T frames: neutral SMPL-X with zero betas, OpenCV camera axes (x right, y down, z forward).

    root_rotations: (T, 3, 3) orientation of the pelvis in the camera frame.
    body_rotations: (T, 21, 3, 3) rotations of the other joints relative to their parents.
    transl: (T, 3) metres; the pelvis is at J0 + transl.
    focal_length: (T,) pixels, or None for an unknown camera.
    width, height: pixels of the frame, or None.
    fps: frames per second of the source, or None.
    interpolated_from: the source's rate if rows were interpolated between its frames, or None.
    frame_index: (T,) int64, source frame of each row, increasing; None if no frame is missing or it is unknown.
    has_camera: False for a gravity-aligned world, stored in y-down axes, on which no video can be overlaid.
    up_axis: the file's up axis as assumed by its reader: ``-y`` (OpenCV camera), ``y`` or ``z``.
    corrections: the flags of the running command that correct the axes and units of this file.
    angles_beyond_joints: whether rotation vectors are longer than any joint can turn (probably degrees).
    up: (3,) unit vector, the up direction in camera axes, or None for an assumed level camera.
    up_spread: uncertainty of ``up``, degrees.
    image_fit: how well the body fits the image, as plain values (see image_fit.py); None if unknown.
    source: the system that wrote it.
    notes: notes from reading the file, one sentence each.
    """

    root_rotations: Tensor
    body_rotations: Tensor
    transl: Tensor
    focal_length: Tensor | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    frame_index: Tensor | None = None
    has_camera: bool = True
    up_axis: str = "-y"
    corrections: tuple[str, ...] = CORRECTION_FLAGS
    angles_beyond_joints: bool = False
    up: Tensor | None = None
    up_spread: float = 0.0
    interpolated_from: float | None = None
    image_fit: dict[str, Any] | None = None
    source: str = "standard"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        frames = self.transl.shape[0] if self.transl.ndim else 0
        require_shape("transl", self.transl, (frames, 3))
        require_shape("root rotations", self.root_rotations, (frames, 3, 3))
        require_shape("body rotations", self.body_rotations, (frames, 21, 3, 3))
        if frames < 2:
            raise InputError(f"has {counted(frames, 'frame')}, expected at least 2: velocities need a next frame.")
        require_frames(frames)
        for name in ("root_rotations", "body_rotations", "transl", "focal_length"):
            _require_finite(name, getattr(self, name))
        self._require_near()
        self._require_camera(frames)
        self._require_timing(frames)
        self._require_up()

    def __len__(self) -> int:
        return len(self.transl)

    def parameters(self) -> BodyParameters:
        """The body in the camera frame."""
        return BodyParameters(self.root_rotations, self.body_rotations, self.transl)

    def with_notes(self, *notes: str) -> Capture:
        """The same capture with more notes."""
        return dataclasses.replace(self, notes=(*self.notes, *notes)) if notes else self

    def _require_near(self) -> None:
        """Farther away, float64 rounding exceeds a motion's precision."""
        farthest = float(self.transl.abs().max())
        if farthest > FARTHEST_TRANSL:
            raise InputError(
                f"transl is up to {farthest:.3g} metres from the origin, expected at most {FARTHEST_TRANSL:g}. "
                "Subtract the position of the first frame, or check the unit of transl."
            )

    def _require_camera(self, frames: int) -> None:
        known = [value is not None for value in (self.focal_length, self.width, self.height)]
        if any(known) and not all(known):
            raise InputError(
                "has only some of focal_length, width and height; a camera needs all three. Add the missing ones or "
                "remove the others."
            )
        if self.focal_length is None or self.width is None or self.height is None:
            return
        if not self.has_camera:
            raise InputError(
                "is in a world frame, so it cannot have a focal length. Leave out focal_length, width and height."
            )
        require_shape("focal_length", self.focal_length, (frames,))
        require_lens(float(self.focal_length.min()), float(self.focal_length.max()), self.width, self.height)

    def _require_up(self) -> None:
        if self.up is None:
            return
        require_shape("up", self.up, (3,))
        length = float(self.up.norm())
        if not 0.99 < length < 1.01 or not 0 <= self.up_spread <= 180:
            raise InputError(
                f"up has length {length:.3g} and up_spread is {self.up_spread:g}; expected a unit vector and 0 to "
                "180 degrees."
            )

    def _require_timing(self, frames: int) -> None:
        if self.fps is not None:
            require_rate(self.fps)
        if self.frame_index is None:
            return
        require_shape("frame_index", self.frame_index, (frames,))
        if self.frame_index[0] < 0:
            raise InputError(f"frame_index begins at {int(self.frame_index[0])}, expected numbers from 0 on.")
        if not (self.frame_index.diff() > 0).all():
            raise InputError(
                "frame_index does not increase from frame to frame; expected each source frame at most once, in "
                "order of time."
            )


def _require_finite(name: str, value: Tensor | None) -> None:
    if value is None or all_finite(value):
        return
    bad = (~value.isfinite()).flatten(1).any(1) if value.ndim > 1 else ~value.isfinite()
    frames = torch.nonzero(bad).flatten().tolist()
    raise InputError(
        f"{name} is not a finite number in {len(frames)} of {len(value)} frames (first: frame {frames[0]}). Run the "
        "capture again or cut these frames off."
    )
