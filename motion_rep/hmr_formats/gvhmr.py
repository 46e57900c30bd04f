"""GVHMR's ``hmr4d_results.pt``: one person in every frame of the video, in the camera and in a gravity-aligned world
with y up.
"""

from __future__ import annotations

import torch

from motion_rep.captures.capture import Capture
from motion_rep.hmr_results.bodies import body_from_smplx, neutral_betas, y_down_from_y_up
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import numbers, rotation_vectors, section, whole_pixels
from motion_rep.hmr_results.format import Format, has
from motion_rep.hmr_results.tracks import Person, Track
from motion_rep.kinematics.parameters import BodyParameters

SECTIONS = {"camera": "smpl_params_incam", "world": "smpl_params_global"}


def tracks(document: Document) -> tuple[Track, ...]:
    """The one person that GVHMR follows."""
    frames = len(numbers(section(document.value, SECTIONS["camera"]), "transl", (None, 3)))
    return (Track(Person("0", frames), lambda space: _capture(document, space), spaces=("camera", "world")),)


def _capture(document: Document, space: str) -> Capture:
    path = _body_path(document, SECTIONS[space])
    if space == "world":
        return Capture(*y_down_from_y_up(path), has_camera=False, source="gvhmr")
    intrinsic = numbers(document.value, "K_fullimg", (len(path.transl), 3, 3))
    width, height = whole_pixels(2 * intrinsic[0, :2, 2])
    return Capture(*path, focal_length=intrinsic[:, 0, 0].clone(), width=width, height=height, source="gvhmr")


def _body_path(document: Document, name: str) -> BodyParameters:
    values, holder = section(document.value, name), f"{name}: "
    transl = numbers(values, "transl", (None, 3), holder)
    root = rotation_vectors(values, "global_orient", len(transl), 1, holder)
    body = rotation_vectors(values, "body_pose", len(transl), 21, holder)
    betas = neutral_betas(numbers(values, "betas", (None, None), holder), len(transl)) if "betas" in values else None
    return body_from_smplx(torch.cat((root, body), dim=1), transl, betas)


FORMAT = Format(lambda document: has(document.value, SECTIONS["camera"]), tracks)
