"""TRAM's ``results/<video>/``: ``hps/hps_track_<k>.npy`` with one person's SMPL each, and ``camera.npy`` with the lens
and the camera's path.
"""

from __future__ import annotations

from pathlib import Path

import torch

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError, counted
from motion_rep.hmr_results.bodies import SMPL_NOTE, body_from_smpl, y_down_from_y_up
from motion_rep.hmr_results.documents import Document, load_value
from motion_rep.hmr_results.fields import (
    constant_focal,
    frame_numbers,
    number,
    numbers,
    rotation_matrices,
    whole_pixels,
)
from motion_rep.hmr_results.format import Format, Lookalike, folder_holds, has
from motion_rep.hmr_results.names import result_files
from motion_rep.hmr_results.tracks import Track, person_of
from motion_rep.kinematics.parameters import BodyParameters

NO_CAMERA = "there is no camera.npy in its folder, so there is no camera for an overlay and no world"

FILES = result_files("tram")


def tracks(document: Document) -> tuple[Track, ...]:
    """The person of the file, or the people of the folder."""
    camera_path = _camera_path(document.path)
    camera = None if camera_path is None else load_value(camera_path, document.trust_pickle)
    if not document.path.is_dir():
        return (_track(document.path, document.value, camera),)
    return tuple(_track(path, load_value(path, document.trust_pickle), camera) for path in _track_files(document.path))


def _track_files(folder: Path) -> list[Path]:
    found = [path for pattern in FILES for path in folder.glob(pattern)]
    if not found:
        raise InputError(f"contains no {FILES[0]}. Give TRAM's folder results/<video>.")
    return sorted(found, key=lambda path: (len(path.stem), path.stem))


def _camera_path(path: Path) -> Path | None:
    folders = (path, path.parent) if path.is_dir() else (path.parent, path.parent.parent)
    return next((folder / "camera.npy" for folder in folders if (folder / "camera.npy").is_file()), None)


def _track(path: Path, values: object, camera: object) -> Track:
    name = path.stem.removeprefix("hps_track_")
    holder = f"{path.name}: "
    frames = frame_numbers(values, "frame", holder)
    spaces = ("camera",) if camera is None else ("camera", "world")
    return Track(person_of(name, frames.tolist()), lambda space: _capture(values, camera, space, holder), spaces)


def _capture(values: object, camera: object, space: str, holder: str) -> Capture:
    frames = frame_numbers(values, "frame", holder)
    count = len(frames)
    transl = numbers(values, "pred_trans", (count, 1, 3), holder).squeeze(1)
    path = body_from_smpl(rotation_matrices(values, "pred_rotmat", (count, 24), holder), transl)
    if space == "world":
        return Capture(
            *_in_world(path, camera, frames), frame_index=frames, has_camera=False, source="tram", notes=(SMPL_NOTE,)
        )
    if camera is None:
        return Capture(*path, frame_index=frames, source="tram", notes=(SMPL_NOTE, NO_CAMERA))
    width, height = whole_pixels(2 * numbers(camera, "img_center", (2,), "camera.npy: "))
    focal = constant_focal(number(camera, "img_focal", "camera.npy: "), count)
    return Capture(
        *path, focal_length=focal, width=width, height=height, frame_index=frames, source="tram", notes=(SMPL_NOTE,)
    )


def _in_world(path: BodyParameters, camera: object, frames: torch.Tensor) -> BodyParameters:
    """p_world = world_cam_R[f] p_camera + world_cam_T[f], y up (lib/camera/est_gravity.py)."""
    rotations = rotation_matrices(camera, "world_cam_R", (None,), "camera.npy: ")
    shifts = numbers(camera, "world_cam_T", (len(rotations), 3), "camera.npy: ")
    if int(frames.max()) >= len(rotations):
        raise InputError(
            f"the person is seen in frame {int(frames.max())}, but camera.npy has "
            f"{counted(len(rotations), 'frame')}. They "
            "belong to different runs."
        )
    return y_down_from_y_up(path.turned(rotations[frames], shifts[frames]))


FORMAT = Format(
    matches=lambda document: (
        folder_holds(document, *FILES) or has(document.value, "pred_rotmat", "pred_trans", "frame")
    ),
    tracks=tracks,
    needs="TRAM tracks only people who are detected in 16 frames in a row.",
    lookalikes=(
        Lookalike(
            lambda document: has(document.value, "world_cam_R"),
            "is TRAM's camera; give the folder above it, or one of hps/hps_track_<number>.npy",
        ),
    ),
)
