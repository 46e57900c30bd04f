"""Recognise the representation in a file: by the width of its rows or its keys, and by a check of the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from motion_rep.captures.capture_file import float_tensor
from motion_rep.captures.fields import REQUIRED
from motion_rep.common.errors import InputError, counted
from motion_rep.hmr_results.format import has, has_any
from motion_rep.hmr_results.known_layouts import found_text, looks_like
from motion_rep.kinematics.finite import all_finite
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.representations import rows_201, rows_272
from motion_rep.safe_loading.numpy_file import NpzArrays

# Metres: maximum distance of joints by forward kinematics from those in the file, whose person may have another shape.
# Rotations read by columns instead of rows put them half a metre away.
SAME_BODY, OWN_JOINTS = 0.15, 1e-3
# Largest deviation of a rotation's numbers from an exact rotation.
NOT_ROTATION = 1e-2
WIDTHS = {276: "276", 272: "272", 201: "201"}


@dataclass(frozen=True)
class Recognised:
    """kind: a name of ``kinds.SOURCES``. rows: (T, width), empty if the kind has no rows."""

    kind: str
    rows: Tensor = field(default_factory=lambda: torch.empty(0))


def recognise(value: object, wanted: str = "auto") -> Recognised:
    """The representation of a file's contents.

    Args:
        wanted: the name that the user gave, which must fit; ``auto`` accepts any that fits.
    Raises:
        InputError: no representation fits, or not the wanted one.
    """
    if isinstance(value, Mapping) and "motion" not in value:
        kind = _kind_by_keys(value)
        return _checked(Recognised(kind), wanted)
    rows = value["motion"] if isinstance(value, Mapping) else value
    if not isinstance(rows, Tensor | np.ndarray) or rows.ndim != 2 or rows.shape[1] not in WIDTHS:
        raise _unknown(rows)
    found = _checked(Recognised(WIDTHS[rows.shape[1]], float_tensor("motion", rows)), wanted)
    if not all_finite(found.rows):
        raise InputError("contains values that are not finite numbers. Remake the file.")
    if found.kind in CHECKS:
        if len(found.rows) < 2:
            raise InputError(f"has {counted(len(found.rows), 'row')}, expected at least 2.")
        CHECKS[found.kind](found.rows)
    return found


def _kind_by_keys(values: Mapping) -> str:
    if has(values, "poses", "trans") and has_any(values, ("mocap_framerate", "mocap_frame_rate")):
        return "amass"
    if isinstance(values, NpzArrays) and has(values, *REQUIRED):
        return "smplx-npz"
    if has(values, *REQUIRED):
        raise InputError("is a capture in a camera's frame. Convert it with convert_hmr_to_motion.py.")
    raise _unknown(values)


def _unknown(value: object) -> InputError:
    looks = looks_like(value) or "expected a 276-dim motion, rows of 272 or 201 numbers, AMASS keys or SMPL-X keys"
    return InputError(f"is not a representation that this command reads: found {found_text(value)}, {looks}.")


def _checked(found: Recognised, wanted: str) -> Recognised:
    if wanted in ("auto", found.kind):
        return found
    raise InputError(f"contains {found.kind}, not {wanted}. Leave --from out, or give --from {found.kind}.")


def _require_272(rows: Tensor) -> None:
    """Check rows of 272 numbers: rotations stored by rows, and joints that agree with them."""
    expected = rows.new_tensor((0.0, 0.0, 1.0, 0.0))
    yaw = float((rows[:, rows_272.TURN][:, [1, 3, 4, 5]] - expected).abs().max())
    _require_rotations(rows[:, rows_272.ROTATIONS].unflatten(1, (22, 2, 3)), "columns 140 to 271", "first two rows")
    if not yaw <= NOT_ROTATION:
        raise InputError(
            f"its columns 2 to 7 are not turns about y (off by {yaw:.2g}), expected the rows of "
            "272-dim-Motion-Representation. If it was normalised, undo that with the data set's mean and std first."
        )
    body, joints = rows_272.decode_272(rows)
    _require_agreement(body, joints, "272")


def _require_201(rows: Tensor) -> None:
    _require_rotations(rows[:, rows_201.ROTATIONS].unflatten(1, (22, 3, 2)).mT, "columns 3 to 134", "first two columns")
    body, joints = rows_201.decode_201(rows)
    still = body._replace(transl=torch.zeros_like(body.transl))
    _require_agreement(still, joints, "201")


def _require_rotations(pairs: Tensor, where: str, what: str) -> None:
    """(T, 22, 2, 3) pairs of unit vectors at right angles."""
    products = pairs @ pairs.mT
    off = float((products - torch.eye(2, dtype=pairs.dtype)).abs().max())
    if not off <= NOT_ROTATION:  # also true for NaN
        raise InputError(
            f"its {where} are not the {what} of rotations (off by {off:.2g}). It is normalised (undo that with the "
            "data set's mean and std first), its rotations are stored in another order, or it is something else."
        )


def _require_agreement(body: BodyParameters, joints: Tensor, kind: str) -> None:
    """Check that joints by forward kinematics are near those in the file."""
    away = float(_distance(body, joints))
    if not away <= SAME_BODY:
        raise InputError(
            f"its rotations and its joints disagree by {away * 1000:.0f} mm, expected below {SAME_BODY * 1000:.0f}: "
            f"it is no {kind} of an SMPL body, or its rotations are stored in another order."
        )


def shape_note(body: BodyParameters, joints: Tensor) -> tuple[str, ...]:
    """A note if the file's joints belong to a body of another shape than the neutral one."""
    away = float(_distance(body, joints))
    if away < OWN_JOINTS:
        return ()
    return (
        f"its joints are those of a person of another shape ({away * 1000:.0f} mm away on average); the result has "
        "the file's rotations and pelvis path, and the neutral body's joints",
    )


def _distance(body: BodyParameters, joints: Tensor) -> Tensor:
    """() mean distance of joints relative to the pelvis, metres."""
    own = body.joints()
    return ((own - own[:, :1]) - (joints - joints[:, :1])).norm(dim=-1).mean()


CHECKS = {"272": _require_272, "201": _require_201}
