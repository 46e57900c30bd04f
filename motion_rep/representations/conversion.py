"""Convert one file of one representation into another."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.captures.plausibility import check_plausible
from motion_rep.captures.resampling import resample
from motion_rep.common.errors import InputError, located
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.exporters.amass_npz import amass_arrays
from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.hmr_formats.reading import recognised
from motion_rep.hmr_results.bodies import y_down_from_y_up, y_down_from_z_up
from motion_rep.hmr_results.corrections import Corrections
from motion_rep.hmr_results.documents import Document, load_value
from motion_rep.hmr_results.fields import number
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP, Z_UP_FROM_OPENCV, basis
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import continuous_rotvecs
from motion_rep.motions.closing_frame import with_closing_frame
from motion_rep.motions.motion_file import motion_clip, motion_dict
from motion_rep.representations.humanml3d import encode_263, read_skeleton
from motion_rep.representations.kimodo import kimodo_arrays
from motion_rep.representations.kinds import SOURCES, TARGETS
from motion_rep.representations.recognition import Recognised, recognise, shape_note
from motion_rep.representations.rows_201 import decode_201, encode_201
from motion_rep.representations.rows_272 import decode_272, encode_272

CAMERA_LOST = "the camera of the motion was dropped: no other representation stores one"
NO_CLOSING = "its velocities lead to no frame after the last row, so the result has one frame less"
UP_ASSUMED = "does not store which axis is up; y is assumed, give another one with --up"


@dataclass(frozen=True)
class Settings:
    """Settings of a conversion.

    source: ``auto`` or a name of ``kinds.SOURCES``. target: a name of ``kinds.TARGETS``.
    fps: the source's true rate, if the file stores none or a wrong rate.
    target_fps: the rate of the result; None for the usual rate of the target.
    up: the up axis of an SMPL-X archive that does not store it.
    skeleton: path of HumanML3D's example clip, for 263.
    """

    source: str
    target: str
    fps: float | None = None
    target_fps: float | None = None
    up: str | None = None
    skeleton: str | None = None


@torch.inference_mode()
def converted(source: Path, settings: Settings) -> tuple[bytes, tuple[str, ...]]:
    """Convert one file.

    Returns:
        The bytes of the file to write, and notes for the user, one sentence each.
    Raises:
        InputError: the message names the file.
    """
    value = load_value(source)
    with located(source):
        capture = read_representation(Document(source, value), settings)
        rate = settings.target_fps or TARGETS[settings.target].fps
        sampled = capture if rate is None or rate == capture.fps else resample(capture, rate)
        if settings.target == "276":
            made = convert(sampled)
            return _saved(lambda file: torch.save(motion_dict(made.clip), file)), made.notes
        odd = check_plausible(sampled, sampled.parameters().joints())
        found = ENCODERS[settings.target](sampled, settings)
    if isinstance(found, dict):
        data = _saved(lambda file: np.savez(file, **found))  # type: ignore[arg-type]
    else:
        data = _saved(lambda file: np.save(file, found))
    return data, (*sampled.notes, *filter(None, (odd, TARGETS[settings.target].loses)))


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def read_representation(document: Document, settings: Settings) -> Capture:
    """The body of a file in a gravity-aligned world, as a capture without a camera, with its rate.

    Raises:
        InputError: unknown contents, or contents that contradict ``settings.source``. The message omits the file name.
    """
    found = recognise(document.value, settings.source)
    if found.kind == "amass":
        capture = recognised(document, "amass").capture()
    elif found.kind == "smplx-npz":
        capture = _smplx_capture(document.value, settings.up)
    elif found.kind == "276":
        capture = _capture_276(found, document.value)
    else:
        capture = _capture_rows(found, document.value)
    fps = settings.fps or capture.fps
    if fps is None:
        fps, note = playback_rate(TIMING)
        capture = capture.with_notes(note or "")
    corrections = ("--up",) if found.kind == "smplx-npz" else ()
    return dataclasses.replace(capture, fps=fps, corrections=corrections)


def _smplx_capture(values: object, up: str | None) -> Capture:
    stated = values.get("up_axis") if isinstance(values, Mapping) else None
    axis = up or (None if stated is None else str(stated))
    if axis not in (None, "y", "z"):
        raise InputError(f"up_axis is {axis[:20]!r}, expected y or z.")
    capture = Corrections(up=axis or "y").capture(capture_from_dict(values))
    return capture if axis else capture.with_notes(UP_ASSUMED)


def _capture_276(found: Recognised, value: object) -> Capture:
    clip = motion_clip({**value, "motion": found.rows} if isinstance(value, Mapping) else found.rows)
    body = with_closing_frame(clip.motion.double())
    lost = (CAMERA_LOST,) if clip.camera is not None else ()
    short = (NO_CLOSING,) if len(body.transl) == len(clip) else ()
    return Capture(
        *y_down_from_z_up(body), fps=clip.fps, has_camera=False, up_axis="z", source="276", notes=(*lost, *short)
    )


def _capture_rows(found: Recognised, value: object) -> Capture:
    body, joints = {"272": decode_272, "201": decode_201}[found.kind](found.rows)
    stated = number(value, "fps") if isinstance(value, Mapping) and "fps" in value else SOURCES[found.kind].fps
    return Capture(
        *y_down_from_y_up(body),
        fps=stated,
        has_camera=False,
        up_axis="y",
        source=found.kind,
        notes=shape_note(body, joints),
    )


def _with_z_up(capture: Capture) -> BodyParameters:
    return capture.parameters().turned(basis(Z_UP_FROM_OPENCV, capture.transl))


def _with_y_up(capture: Capture) -> BodyParameters:
    body = _with_z_up(capture)
    return body.turned(basis(Y_UP_FROM_Z_UP, body.transl))


Encoded = np.ndarray | dict[str, np.ndarray]


def _encode_rows(encode: Callable[[BodyParameters], Tensor]) -> Callable[[Capture, Settings], Encoded]:
    return lambda capture, _settings: encode(_with_y_up(capture)).float().numpy()


def _encode_263(capture: Capture, settings: Settings) -> Encoded:
    skeleton = read_skeleton(Path(settings.skeleton or ""))
    return encode_263(_with_y_up(capture).joints(), skeleton).float().numpy()


def _encode_smplx(capture: Capture, _settings: Settings) -> Encoded:
    body = _with_y_up(capture)
    arrays = {
        "global_orient": continuous_rotvecs(body.root),
        "body_pose": continuous_rotvecs(body.body).flatten(1),
        "transl": body.transl,
        "betas": torch.zeros(10),
    }
    metadata = {"fps": np.array(capture.fps), "gender": np.array("neutral"), "up_axis": np.array("y")}
    return {**{name: value.float().numpy() for name, value in arrays.items()}, **metadata}


ENCODERS: dict[str, Callable[[Capture, Settings], Encoded]] = {
    "272": _encode_rows(encode_272),
    "201": _encode_rows(encode_201),
    "263": _encode_263,
    "amass": lambda capture, _settings: amass_arrays(PosedMotion(_with_z_up(capture), capture.fps or 0.0)),
    "smplx-npz": _encode_smplx,
    "kimodo": lambda capture, _settings: kimodo_arrays(_with_y_up(capture), capture.fps or 0.0),
}
