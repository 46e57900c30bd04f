"""WHAM's ``wham_output.pkl`` (written with ``--save_pkl``): SMPL of every track, in the camera and in a gravity-aligned
world with y up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import short_text
from motion_rep.hmr_results.bodies import SMPL_NOTE, body_from_smpl, with_mid_hip_at, y_down_from_y_up
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import constant_focal, frame_numbers, numbers, rotation_vectors, section
from motion_rep.hmr_results.format import Format, Lookalike, every_entry_has, folder_holds
from motion_rep.hmr_results.tracks import Track, person_of

NO_SIZE = (
    "WHAM stores no image size, so there is no camera for an overlay. Give the video's size with --image-size "
    "1280x720; the focal length is then the diagonal, as in WHAM"
)
# WHAM places the body by the middle of its hips (lib/models/smpl.py), from its own regressor, which is not available
# here.
MID_HIP_NOTE = (
    "WHAM's world gives the middle of the hips; the middle of SMPL-X's hips was put there, which can differ from "
    "WHAM's by a few centimetres"
)


def tracks(document: Document) -> tuple[Track, ...]:
    """Every track with its frame numbers."""
    return tuple(_track(document, name) for name in document.entries)


def _is_empty(document: Document) -> bool:
    """No other system writes an empty dict."""
    return isinstance(document.value, dict) and not document.value


def _track(document: Document, name: object) -> Track:
    holder = f"person {short_text(name, 60)}: "
    values = section(document.value, name, "person ")
    frames = frame_numbers(values, "frame_ids", holder)
    reads = {
        "camera": lambda: _in_camera(values, document.image_size, holder),
        "world": lambda: _in_world(values, holder),
    }
    spaces = ("camera", "world") if "trans_world" in values else ("camera",)
    return Track(person_of(name, frames.tolist()), lambda space: reads[space](), spaces)


def _in_camera(values: Mapping, image_size: tuple[int, int] | None, holder: str) -> Capture:
    frames = frame_numbers(values, "frame_ids", holder)
    count = len(frames)
    path = body_from_smpl(
        rotation_vectors(values, "pose", count, 22, holder), numbers(values, "trans", (count, 3), holder)
    )
    if image_size is None:
        return Capture(*path, frame_index=frames, source="wham", notes=(SMPL_NOTE, NO_SIZE))
    width, height = image_size
    focal = constant_focal(math.hypot(width, height), count)
    return Capture(
        *path, focal_length=focal, width=width, height=height, frame_index=frames, source="wham", notes=(SMPL_NOTE,)
    )


def _in_world(values: Mapping, holder: str) -> Capture:
    frames = frame_numbers(values, "frame_ids", holder)
    mid_hip = numbers(values, "trans_world", (len(frames), 3), holder)
    rotations = rotation_vectors(values, "pose_world", len(frames), 22, holder)
    path = y_down_from_y_up(with_mid_hip_at(body_from_smpl(rotations, mid_hip), mid_hip))
    return Capture(*path, frame_index=frames, has_camera=False, source="wham", notes=(SMPL_NOTE, MID_HIP_NOTE))


NEEDS = "WHAM tracks only people who are detected in at least 30 frames, and writes an empty dict if there are none."


FORMAT = Format(
    matches=lambda document: every_entry_has(document.value, "pose", "trans", "frame_ids") or _is_empty(document),
    tracks=tracks,
    needs=NEEDS,
    lookalikes=(
        Lookalike(
            lambda document: every_entry_has(document.value, "poses_body"),
            "comes from WHAM's wham_api.py; run WHAM's demo.py with --save_pkl and give wham_output.pkl",
        ),
        Lookalike(
            lambda document: (
                folder_holds(document, "tracking_results.pth") or every_entry_has(document.value, "frame_id", "bbox")
            ),
            "is an intermediate result of WHAM; run its demo.py with --save_pkl and give wham_output.pkl",
        ),
    ),
)
