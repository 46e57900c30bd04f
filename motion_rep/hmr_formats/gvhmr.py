"""GVHMR's ``hmr4d_results.pt`` and GEM-SMPL's ``smpl_params.pt``: one person in every frame of the video, in the camera
and in a gravity-aligned world with y up.

Both contain the same numbers under different names; add-ons save files without the camera's matrix, or with only the
world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError, counted
from motion_rep.hmr_results.bodies import body_from_smplx, neutral_betas, y_down_from_y_up
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import entries, numbers, rotation_vectors, section, whole_number, whole_pixels
from motion_rep.hmr_results.format import Format, has_any
from motion_rep.hmr_results.tracks import Person, Track
from motion_rep.kinematics.parameters import BodyParameters

NO_LENS = "has no K_fullimg, so there is no camera for an overlay"
WORLD_ONLY = "contains only the gravity-aligned world, which cannot be overlaid on a video"
SEGMENTS = "segment_info"


@dataclass(frozen=True)
class Sections:
    """The names of a program's sections: ``camera`` and ``world``; ``source`` is its name for ``--format``."""

    source: str
    camera: str
    world: str

    def format(self, **more: Any) -> Format:
        """The record of the program."""
        return Format(lambda document: has_any(document.value, (self.camera, self.world)), self.tracks, **more)

    def tracks(self, document: Document) -> tuple[Track, ...]:
        """The one person that the program follows."""
        spaces = tuple(
            space for space, name in (("camera", self.camera), ("world", self.world)) if name in document.entries
        )
        name = self.camera if "camera" in spaces else self.world
        frames = len(numbers(section(document.value, name), "transl", (None, 3)))
        return (Track(Person("0", frames), lambda space: self._capture(document.entries, space, spaces), spaces),)

    def _capture(self, values: Mapping, space: str, spaces: tuple[str, ...]) -> Capture:
        if "camera" not in spaces or space == "world":
            path = y_down_from_y_up(_body_path(values, self.world))
            world = Capture(*path, has_camera=False, source=self.source)
            return world if "camera" in spaces else world.with_notes(WORLD_ONLY)
        path = _body_path(values, self.camera)
        lens = _lens(values, len(path.transl))
        rows, notes = _rows_seen(values, len(path.transl))
        if rows is not None:
            path = BodyParameters(*(part[rows] for part in path))
            lens |= {name: lens[name][rows] for name in ("focal_length",) if name in lens}
        return Capture(*path, **lens, frame_index=rows, source=self.source).with_notes(
            *notes, *(() if "K_fullimg" in values else (NO_LENS,))
        )


def _lens(values: Mapping, frames: int) -> dict:
    """Focal length, width and height from the file; with ``--f_mm``, its matrix has that lens."""
    if "K_fullimg" not in values:
        return {}
    intrinsic = numbers(values, "K_fullimg", (None, 3, 3))
    if len(intrinsic) not in (1, frames):
        raise InputError(f"K_fullimg has {len(intrinsic)} matrices, expected one, or one for each of {frames} frames.")
    width, height = whole_pixels(2 * intrinsic[0, :2, 2])
    return {"focal_length": intrinsic[:, 0, 0].expand(frames).clone(), "width": width, "height": height}


def _rows_seen(values: Mapping, frames: int) -> tuple[Tensor | None, tuple[str, ...]]:
    """The rows that come from video; others were generated from text and have no meaningful camera part."""
    if SEGMENTS not in values:
        return None, ()
    seen = torch.ones(frames, dtype=torch.bool)
    for part in entries(values, SEGMENTS):
        if isinstance(part, Mapping) and part.get("type") == "text":
            seen[whole_number(part, "start", "segment_info: ") : whole_number(part, "end", "segment_info: ")] = False
    if bool(seen.all()):
        return None, ()
    if not bool(seen.any()):
        raise InputError("was generated from text in all frames, so camera space is empty. Read it with --space world.")
    unseen = counted(int((~seen).sum()), "frame that was", "frames that were")
    text = f"left out {unseen} generated from text; --space world keeps them"
    return seen.nonzero()[:, 0], (text,)


def _body_path(values: Mapping, name: str) -> BodyParameters:
    part, holder = section(values, name), f"{name}: "
    transl = numbers(part, "transl", (None, 3), holder)
    root = rotation_vectors(part, "global_orient", len(transl), 1, holder)
    body = rotation_vectors(part, "body_pose", len(transl), 21, holder)
    betas = part.get("betas")
    shape = None if betas is None else neutral_betas(numbers(part, "betas", (None, None), holder), len(transl))
    return body_from_smplx(torch.cat((root, body), dim=1), transl, shape)


FORMAT = Sections("gvhmr", "smpl_params_incam", "smpl_params_global").format()
