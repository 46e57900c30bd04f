"""PromptHMR's ``results/<video>/results.pkl``: SMPL-X of everybody, in the camera and in a gravity-aligned world with y
up.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import short_text
from motion_rep.hmr_results.bodies import body_from_smplx, neutral_betas, y_down_from_y_up
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import (
    constant_focal,
    frame_numbers,
    number,
    numbers,
    rotation_matrices,
    rotation_vectors,
    section,
    whole_pixels,
)
from motion_rep.hmr_results.format import Format, has
from motion_rep.hmr_results.tracks import Track, person_of
from motion_rep.kinematics.parameters import BodyParameters

# PromptHMR shrinks larger frames to this height, and its camera is that of the smaller frames
# (pipeline/utils.py).
MAX_HEIGHT = 896


def tracks(document: Document) -> tuple[Track, ...]:
    """Every person with their frame numbers."""
    people = section(document.value, "people")
    return tuple(_track(document, people, name) for name in people)


def _track(document: Document, people: Mapping, name: object) -> Track:
    holder = f"person {short_text(name, 60)}: "
    values = section(people, name, "person ")
    frames = frame_numbers(values, "frames", holder)
    spaces = ("camera", "world") if isinstance(values.get("smplx_world"), Mapping) else ("camera",)
    return Track(
        person_of(name, frames.tolist()), lambda space: _capture(document, values, frames, space, holder), spaces
    )


def _capture(document: Document, values: Mapping, frames: Tensor, space: str, holder: str) -> Capture:
    if space == "world":
        path = y_down_from_y_up(
            _body_path(section(values, "smplx_world", holder), len(frames), f"{holder}smplx_world: ")
        )
        return Capture(*path, frame_index=frames, has_camera=False, source="prompthmr")
    path = _body_path(section(values, "smplx_cam", holder), len(frames), f"{holder}smplx_cam: ")
    focal, width, height, notes = _lens(document)
    return Capture(
        *path,
        focal_length=constant_focal(focal, len(frames)),
        width=width,
        height=height,
        frame_index=frames,
        source="prompthmr",
        notes=notes,
    )


def _body_path(values: Mapping, frames: int, holder: str) -> BodyParameters:
    transl = numbers(values, "trans", (frames, 3), holder)
    rotations = (
        rotation_matrices(values, "rotmat", (frames, None), holder)
        if "rotmat" in values
        else rotation_vectors(values, "pose", frames, 22, holder)
    )
    betas = neutral_betas(numbers(values, "shape", (None, None), holder), frames) if "shape" in values else None
    return body_from_smplx(rotations, transl, betas)


def _lens(document: Document) -> tuple[float, int, int, tuple[str, ...]]:
    """Focal length, width and height, for the video's own size if that is given."""
    camera = section(document.value, "camera")
    width, height = whole_pixels(2 * numbers(camera, "img_center", (2,), "camera: "))
    focal = number(camera, "img_focal", "camera: ")
    if document.image_size is None:
        note = (
            f"the frames may have been shrunk: PromptHMR's camera is for {width}x{height}. If the video has another "
            "size, give it with --image-size"
        )
        return focal, width, height, (note,) if height >= MAX_HEIGHT else ()
    return focal * document.image_size[1] / height, *document.image_size, ()


FORMAT = Format(lambda document: has(document.value, "people", "camera"), tracks)
