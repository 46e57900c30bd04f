"""CameraHMR with this toolkit's dump script: the documented keys, with SMPL's 23 joints or SMPL-X's 21."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict, float_tensor
from motion_rep.captures.fields import REQUIRED
from motion_rep.hmr_formats.standard import person_in
from motion_rep.hmr_results.bodies import SMPL_NOTE, body_from_smpl
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.format import Format, has
from motion_rep.hmr_results.tracks import Track

SMPL_SHAPES = ((69,), (23, 3), (23, 3, 3))


def tracks(document: Document) -> tuple[Track, ...]:
    """The one person of the file."""
    capture = _capture(document.value)
    return (Track(person_in(capture), lambda _space: capture),)


def holds_smpl_body(values: object) -> bool:
    """Whether a dict with the documented keys has SMPL's 23 joints instead of SMPL-X's 21."""
    pose = values.get("body_pose") if isinstance(values, Mapping) else None
    return tuple(getattr(pose, "shape", ()))[1:] in SMPL_SHAPES


def _capture(values: object) -> Capture:
    """The number of joints shows the model; ``body_model`` states it if 21 joints of SMPL were kept."""
    if not isinstance(values, Mapping) or not (holds_smpl_body(values) or str(values.get("body_model")) == "smpl"):
        return dataclasses.replace(capture_from_dict(values), source="camerahmr")
    as_read = capture_from_dict(_first_21_joints(values))
    rotations = torch.cat((as_read.root_rotations[:, None], as_read.body_rotations), dim=1)
    path = body_from_smpl(rotations, as_read.transl)
    return dataclasses.replace(as_read, transl=path.transl, source="camerahmr").with_notes(SMPL_NOTE)


def _first_21_joints(values: Mapping) -> dict:
    if not holds_smpl_body(values):
        return dict(values)
    pose = float_tensor("body_pose", values["body_pose"])
    return {**values, "body_pose": pose[:, :63] if pose.ndim == 2 else pose[:, :21]}


def _is_camerahmr(document: Document) -> bool:
    value = document.value
    return (
        isinstance(value, Mapping)
        and has(value, *REQUIRED)
        and (value.get("source") == "camerahmr" or "body_model" in value or holds_smpl_body(value))
    )


FORMAT = Format(_is_camerahmr, tracks, written_by_any_script=True)
