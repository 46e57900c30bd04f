"""SMPLer-X's output folder: ``smplx/<frame>_<box>.npz`` for every frame and person, with the camera of each crop in
``meta/<frame>_<box>.json``.

The numbers in the names are those of boxes in a frame, not of people: people are tracked by the overlap of their boxes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError, keys_text
from motion_rep.files.json_files import read_json
from motion_rep.files.local_files import open_file
from motion_rep.hmr_results.bodies import body_from_smplx
from motion_rep.hmr_results.box_tracks import Box, link_boxes
from motion_rep.hmr_results.crop_camera import CropCameras, to_one_camera
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import numbers
from motion_rep.hmr_results.format import Format, Lookalike, folder_holds, has
from motion_rep.hmr_results.names import result_files
from motion_rep.hmr_results.tracks import Track, person_of
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.safe_loading.numpy_file import NpzArrays

NAME = re.compile(r"(\d{1,9})_(\d{1,6})")
# EXIF's number of a picture's orientation; from 5 on, width and height are exchanged.
ORIENTATION = 0x0112
IMAGES = (".jpg", ".jpeg", ".png")
MAPPED = (
    "every frame had its own camera; mapped to one camera (focal length of the first frame, principal point in the "
    "centre)"
)
NO_SIZE = (
    "no frame of the video was found, and SMPLer-X does not store the image size, so there is no camera for an "
    "overlay and directions are off by "
    "a few degrees. Give the size with --image-size 1280x720"
)


class Crop(NamedTuple):
    """One person in one frame; ``frame`` counts from 0."""

    frame: int
    parameters: Path
    meta: Mapping


def tracks(document: Document) -> tuple[Track, ...]:
    """The people in the folder, numbered in order of appearance."""
    crops = _crops(document.path)
    people = [crops] if all(crop.parameters.stem.endswith("_0") for crop in crops) else _followed(crops)
    return tuple(_track(document, str(name), own) for name, own in enumerate(people))


def _track(document: Document, name: str, crops: list[Crop]) -> Track:
    return Track(person_of(name, [crop.frame for crop in crops]), lambda _space: _capture(document, crops))


def _crops(folder: Path) -> list[Crop]:
    found = [(path, NAME.fullmatch(path.stem)) for path in (folder / "smplx").glob("*.npz")]
    named = sorted((int(match[1]), int(match[2]), path) for path, match in found if match)
    if not named:
        raise InputError(
            "contains no smplx/<frame>_<box>.npz. Give SMPLer-X's output folder, which contains smplx and meta."
        )
    if named[0][0] < 1:
        raise InputError(f"smplx/{named[0][2].name} is named for frame {named[0][0]}, expected frames counted from 1.")
    return [Crop(frame - 1, path, _meta(folder / "meta" / f"{path.stem}.json")) for frame, _, path in named]


def _meta(path: Path) -> Mapping:
    values = read_json(path)
    found = values if isinstance(values, Mapping) else {}
    missing = [key for key in ("focal", "princpt") if key not in found]
    if missing:
        raise InputError(f"{path}: has no {' and no '.join(missing)}; found {keys_text(values)}.")
    return found


def _followed(crops: list[Crop]) -> list[list[Crop]]:
    boxes = [
        Box(crop.frame, tuple(numbers(crop.meta, "bbox", (4,), f"meta/{crop.parameters.stem}.json: ").tolist()))
        for crop in crops
    ]
    return [[crops[index] for index in indices] for indices in link_boxes(boxes)]


def _capture(document: Document, crops: list[Crop]) -> Capture:
    rows = [_row(crop) for crop in crops]
    rotations, transl, betas = (torch.stack(column) for column in zip(*rows, strict=True))
    cameras = CropCameras.checked(_column(crops, "focal"), _column(crops, "princpt"), len(crops))
    size = document.image_size or _image_size(document.path, crops[0].meta.get("img_path"))
    centre = cameras.centre[0] if size is None else torch.tensor(size, dtype=torch.float64) / 2
    transl, focal = to_one_camera(transl, cameras, centre)
    path = body_from_smplx(rotvec_to_matrix(rotations), transl, betas)
    frames = torch.tensor([crop.frame for crop in crops])
    if size is None:
        return Capture(*path, frame_index=frames, source="smpler-x", notes=(MAPPED, NO_SIZE))
    focals = focal.expand(len(crops)).clone()
    return Capture(
        *path,
        focal_length=focals,
        width=size[0],
        height=size[1],
        frame_index=frames,
        source="smpler-x",
        notes=(MAPPED,),
    )


def _row(crop: Crop) -> tuple[Tensor, Tensor, Tensor]:
    """Rotation vectors (22, 3), transl (3,) and betas (10,) of one file."""
    values, holder = NpzArrays(crop.parameters), f"smplx/{crop.parameters.name}: "
    rotvec = torch.cat(
        (numbers(values, "global_orient", (1, 3), holder), numbers(values, "body_pose", (21, 3), holder))
    )
    betas = numbers(values, "betas", (1, 10), holder)[0] if "betas" in values else torch.zeros(10, dtype=torch.float64)
    return rotvec, numbers(values, "transl", (1, 3), holder)[0], betas


def _column(crops: list[Crop], name: str) -> Tensor:
    return torch.stack([numbers(crop.meta, name, (2,), f"meta/{crop.parameters.stem}.json: ") for crop in crops])


def _image_size(folder: Path, img_path: object) -> tuple[int, int] | None:
    """(width, height) of the frame that SMPLer-X read, if it still exists (its path is relative to SMPLer-X's
    ``main``), else None.
    """
    if not isinstance(img_path, str) or "\0" in img_path:
        return None
    parts = [part for part in Path(img_path).parts if part not in ("..", ".")]
    places = [
        Path(img_path),
        *(parent.joinpath(*parts) for parent in folder.resolve().parents if parts and not Path(img_path).is_absolute()),
    ]
    frame = next((place for place in places if _is_picture(place)), None)
    if frame is None:
        return None
    from PIL import Image

    try:
        # The size is in the header: the file names this picture, whose pixels could take gigabytes.
        with open_file(frame) as file, Image.open(file, formats=("JPEG", "PNG")) as picture:
            exchanged = picture.getexif().get(ORIENTATION) in (5, 6, 7, 8)
            return picture.size[::-1] if exchanged else picture.size
    except Exception:  # noqa: BLE001 - a damaged picture raises many types
        return None


def _is_picture(place: Path) -> bool:
    try:
        return place.suffix.lower() in IMAGES and place.is_file()
    except OSError:  # for example, too long a name
        return False


FORMAT = Format(
    matches=lambda document: folder_holds(document, *result_files("smpler-x")),
    tracks=tracks,
    lookalikes=(
        Lookalike(
            lambda document: (
                isinstance(document.value, NpzArrays) and has(document.value, "global_orient", "expression")
            ),
            "is one frame of SMPLer-X; give the folder that contains smplx and meta",
        ),
    ),
)
