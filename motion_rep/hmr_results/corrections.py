"""Corrections of a file that any script may have written: its up axis, its units of length and angles."""

from __future__ import annotations

import dataclasses
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import float_tensor
from motion_rep.captures.units import DEGREE, LENGTHS
from motion_rep.kinematics.frames import OPENCV_FROM_UP, basis

TRANSLATIONS = ("transl", "trans")
# No joint turns by more radians than this. In degrees, every moving joint exceeds this number.
LARGEST_RADIANS = 3.5
ROOT_ANGLES = ("global_orient", "root_orient")
ANGLES = ("global_orient", "body_pose", "poses", "root_orient", "pose_body")


@dataclass(frozen=True)
class Corrections:
    """up: ``y`` or ``z`` if it is not that of the layout; units: of lengths; degrees: whether angles are in degrees."""

    up: str | None = None
    units: str = "m"
    degrees: bool = False

    def values(self, values: object) -> object:
        """A file's values in metres and radians; other values are unchanged."""
        if not isinstance(values, Mapping):
            return values
        angles = _in_degrees(values) if self.degrees else ()
        scales = dict.fromkeys(TRANSLATIONS, LENGTHS[self.units]) | dict.fromkeys(angles, DEGREE)
        changed = {
            name: numbers * scale
            for name, scale in scales.items()
            if scale != 1.0 and name in values
            for numbers in [float_tensor(name, values[name])]
            if name in TRANSLATIONS or tuple(numbers.shape[-2:]) != (3, 3)
        }
        return ChainMap(changed, values) if changed else values  # type: ignore[arg-type]

    def capture(self, capture: Capture) -> Capture:
        """A capture rotated so that the true up axis points up, without its camera, which has other axes."""
        if self.up is None or self.up == capture.up_axis:
            return capture
        turn = (
            basis(OPENCV_FROM_UP[self.up], capture.transl) @ basis(OPENCV_FROM_UP[capture.up_axis], capture.transl).mT
        )
        root, _, transl = capture.parameters().turned(turn)
        notes = () if capture.focal_length is None else ("with --up the camera in the file is ignored",)
        return dataclasses.replace(
            capture,
            root_rotations=root,
            transl=transl,
            up_axis=self.up,
            focal_length=None,
            width=None,
            height=None,
            has_camera=False,
        ).with_notes(*notes)


def _in_degrees(values: Mapping) -> tuple[str, ...]:
    """The fields with angles in degrees: all of them, or only the root's if only the root's exceed LARGEST_RADIANS."""
    given = {name: float_tensor(name, values[name]) for name in ANGLES if name in values}
    lengths = {
        name: float(numbers.flatten(1).unflatten(1, (-1, 3)).norm(dim=-1).max())
        for name, numbers in given.items()
        if numbers.ndim > 1 and numbers.numel() and numbers.flatten(1).shape[1] % 3 == 0
    }
    root_only = max((lengths.get(name, 0.0) for name in ROOT_ANGLES), default=0.0) > LARGEST_RADIANS
    spared = [name for name, longest in lengths.items() if name not in ROOT_ANGLES and longest <= LARGEST_RADIANS]
    return tuple(name for name in ANGLES if not (root_only and name in spared))


NO_CORRECTIONS = Corrections()
