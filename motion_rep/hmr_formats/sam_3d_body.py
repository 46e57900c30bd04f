"""SAM 3D Body: keypoints with metric depth in ``.npz`` files, one a frame or one a clip; SMPL-X is fitted to them.

Its body is MHR, not SMPL. Keys for each frame and person: ``pred_keypoints_3d (70, 3)`` and ``pred_cam_t (3)`` in
metres, whose sum is a point in the camera (x right, y down, z forward), ``focal_length``, ``bbox (4)`` as corners.
https://github.com/facebookresearch/sam-3d-body
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError
from motion_rep.hmr_results.box_tracks import Box, link_boxes
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import frame_numbers, number, numbers
from motion_rep.hmr_results.format import Format, Lookalike, has
from motion_rep.hmr_results.names import holds_sam_frames
from motion_rep.hmr_results.tracks import Track, person_of
from motion_rep.preview_capture.keypoint_fit import COUNT, body_scale, fit_keypoints
from motion_rep.safe_loading.numpy_file import NpzArrays

KEYS = ("pred_keypoints_3d", "pred_cam_t")
NAME = re.compile(r"(\d+)(?:_(\d{1,3}))?\D*$")
# The rate for the fit's smoothness where the file has none.
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
    """Everybody, followed by the overlap of boxes, named in the order in which they appear."""
    if document.path.is_dir():
        sightings = [one for frame, path in _frame_files(document.path) for one in _people(NpzArrays(path), frame)]
        return _followed(document, sightings, {})
    values = document.value
    if not isinstance(values, Mapping):
        raise InputError("holds no dict. Give SAM 3D Body's npz, or a folder of one for each frame.")
    frames = frame_numbers(values, "frame_index")
    sightings = [one for row, frame in enumerate(frames.tolist()) for one in _people(_row(values, row), frame)]
    return _followed(document, sightings, values)


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
        raise InputError("holds no npz with a frame number in its name. Give SAM 3D Body's files of one video.")
    first = 0 if any(int(match[1]) == 0 for match, _ in found) else 1
    return sorted((int(match[1]) - first, path) for match, path in found)


def _row(values: Mapping, row: int) -> dict:
    names = (*KEYS, "focal_length", "bbox")
    return {name: values[name][row] for name in names if name in values and len(values[name]) > row}


def _people(values: Mapping, frame: int) -> list[Sighting]:
    """One or several people of a frame."""
    points = numbers(values, "pred_keypoints_3d", (COUNT, 3) if _is_one(values) else (None, COUNT, 3))
    points = points.reshape(-1, COUNT, 3)
    count = len(points)
    place = numbers(values, "pred_cam_t", (3,) if _is_one(values) else (count, 3)).reshape(count, 1, 3)
    boxes = numbers(values, "bbox", (4,) if _is_one(values) else (count, 4)).reshape(count, 4)
    focals = _focals(values, count)
    return [
        Sighting(frame, points[i] + place[i], focals[i], (*box[:2], box[2] - box[0], box[3] - box[1]))
        for i, box in enumerate(boxes.tolist())
    ]


def _is_one(values: Mapping) -> bool:
    return len(getattr(values["pred_keypoints_3d"], "shape", ())) == 2


def _focals(values: Mapping, count: int) -> list[float | None]:
    if "focal_length" not in values:
        return [None] * count
    shape = getattr(values["focal_length"], "shape", ())
    if shape in ((), (1,)):
        return [number(values, "focal_length")] * count
    return list(numbers(values, "focal_length", (count,)).tolist())


def _capture(document: Document, own: list[Sighting], clip: Mapping) -> Capture:
    frames = torch.tensor([one.frame for one in own])
    points = torch.stack([one.points for one in own])
    if not bool(points.isfinite().all()):
        raise InputError("pred_keypoints_3d or pred_cam_t holds values that are not finite numbers.")
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
            "is one frame of SAM 3D Body; give the folder that holds all frames of the video",
        ),
    ),
)
