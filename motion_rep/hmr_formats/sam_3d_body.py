"""SAM 3D Body: keypoints with metric depth in ``.npz`` files, one per frame or one per clip; SMPL-X is fitted to them.

Its body is MHR, not SMPL. Keys for each frame and person: ``pred_keypoints_3d (70, 3)`` and ``pred_cam_t (3)`` in
metres, whose sum is a point in the camera (x right, y down, z forward), ``focal_length``, ``bbox (4)`` as corners.
https://github.com/facebookresearch/sam-3d-body
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import float_tensor
from motion_rep.common.errors import InputError
from motion_rep.hmr_formats.keypoint_fit import COUNT, body_scale, fit_keypoints
from motion_rep.hmr_results.box_tracks import Box, link_boxes
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import frame_numbers, number, numbers
from motion_rep.hmr_results.format import Format, Lookalike, has
from motion_rep.hmr_results.names import holds_sam_frames
from motion_rep.hmr_results.tracks import Track, person_of
from motion_rep.safe_loading.numpy_file import NpzArrays

KEYS = ("pred_keypoints_3d", "pred_cam_t")
NAME = re.compile(r"(\d+)(?:_(\d{1,3}))?\D*$")
# The rate for the fit's smoothness if the file has none.
USUAL_FPS = 30.0
FITTED = (
    "SAM 3D Body's model is not SMPL: the neutral body was fitted to its 70 keypoints, whose bones are {0:.2f} times "
    "as long; the pelvis keeps its metric place"
)
NO_SIZE = "the image size is not stored, so there is no camera for an overlay. Give it with --image-size 1280x720"


class Sighting(NamedTuple):
    """A person in a frame: points (70, 3) in the camera, metres; box as x, y, width, height, pixels."""

    frame: int
    points: Tensor
    focal: float | None
    box: tuple[float, float, float, float]


def tracks(document: Document) -> tuple[Track, ...]:
    """The people, tracked by the overlap of boxes, numbered in order of appearance."""
    if document.path.is_dir():
        sightings = [one for frame, path in _frame_files(document.path) for one in _frame(NpzArrays(path), frame)]
        return _followed(document, sightings, {})
    values = document.value
    if not isinstance(values, Mapping):
        raise InputError("contains no dict. Give SAM 3D Body's npz, or a folder with one npz for each frame.")
    return _followed(document, _people(values, frame_numbers(values, "frame_index").tolist()), values)


def _followed(document: Document, sightings: list[Sighting], clip: Mapping) -> tuple[Track, ...]:
    ordered = sorted(sightings, key=lambda one: one.frame)
    people = link_boxes([Box(one.frame, one.box) for one in ordered])
    return tuple(_track(document, str(name), [ordered[i] for i in own], clip) for name, own in enumerate(people))


def _track(document: Document, name: str, own: list[Sighting], clip: Mapping) -> Track:
    return Track(person_of(name, [one.frame for one in own]), lambda _space: _capture(document, own, clip))


def _frame_files(folder: Path) -> list[tuple[int, Path]]:
    """(frame from 0, file) of a folder; frames are numbered from 0 or 1 in the names."""
    found = [(match, path) for path in folder.glob("*.npz") if (match := NAME.search(path.stem))]
    if not found:
        raise InputError("contains no npz with a frame number in its name. Give SAM 3D Body's files of one video.")
    first = 0 if any(int(match[1]) == 0 for match, _ in found) else 1
    return sorted((int(match[1]) - first, path) for match, path in found)


def _frame(values: Mapping, frame: int) -> list[Sighting]:
    """The people of a frame; the arrays of a single person have no dimension for people."""
    points = numbers(values, KEYS[0], (COUNT, 3) if _dimensions(values, KEYS[0]) == 2 else (None, COUNT, 3))
    if points.ndim == 3:
        return _people(values, [frame] * len(points))
    one = {name: np.asarray(values[name])[None] for name in (*KEYS, "bbox", "focal_length") if name in values}
    return _people(one, [frame])


def _people(values: Mapping, frames: list[int]) -> list[Sighting]:
    """A row for each person in each frame."""
    count = len(frames)
    points = numbers(values, KEYS[0], (count, COUNT, 3)) + numbers(values, KEYS[1], (count, 3))[:, None]
    boxes = numbers(values, "bbox", (count, 4)).tolist()
    focals = _focals(values, count)
    return [
        Sighting(frames[i], points[i], focals[i], (*box[:2], box[2] - box[0], box[3] - box[1]))
        for i, box in enumerate(boxes)
    ]


def _dimensions(values: Mapping, name: str) -> int:
    return len(getattr(values[name], "shape", ())) if name in values else 0


def _focals(values: Mapping, count: int) -> list[float | None]:
    if "focal_length" not in values:
        return [None] * count
    found = float_tensor("focal_length", values["focal_length"]).flatten()
    if len(found) not in (1, count):
        raise InputError(f"focal_length has {len(found)} entries, expected one, or one for each of the {count} rows.")
    return list(found.expand(count).tolist())


def _capture(document: Document, own: list[Sighting], clip: Mapping) -> Capture:
    frames = torch.tensor([one.frame for one in own])
    points = torch.stack([one.points for one in own])
    if not bool(points.isfinite().all()):
        raise InputError("pred_keypoints_3d or pred_cam_t contains values that are not finite numbers.")
    fps = number(clip, "fps") if "fps" in clip else None
    body = fit_keypoints(points, fps or USUAL_FPS)
    lens = _lens(document, own, clip)
    notes = (FITTED.format(body_scale(points.double())), *(() if lens else (NO_SIZE,)))
    return Capture(
        body.root, body.body, body.transl, **lens, fps=fps, frame_index=frames, source="sam-3d-body", notes=notes
    )


def _lens(document: Document, own: list[Sighting], clip: Mapping) -> dict:
    """Focal length, width and height; the principal point is the centre."""
    size = document.image_size
    if size is None and has(clip, "width", "height"):
        size = round(number(clip, "width")), round(number(clip, "height"))
    focals = [one.focal for one in own if one.focal is not None]
    if size is None or len(focals) < len(own):
        return {}
    return {"focal_length": torch.tensor(focals, dtype=torch.float64), "width": size[0], "height": size[1]}


def _is_clip(document: Document) -> bool:
    return has(document.value, *KEYS, "frame_index")


FORMAT = Format(
    matches=lambda document: _is_clip(document) or holds_sam_frames(document.path),
    tracks=tracks,
    lookalikes=(
        Lookalike(
            lambda document: has(document.value, *KEYS),
            "is one frame of SAM 3D Body; give the folder with all frames of the video",
        ),
    ),
)
