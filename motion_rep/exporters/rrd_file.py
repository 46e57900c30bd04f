"""A recording for the rerun viewer: body, joints, curves, camera and video on one timeline (https://rerun.io)."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.bodies.posing import posed_frames
from motion_rep.common.optional_packages import optional_module
from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.local_files import require_file
from motion_rep.kinematics.camera import Camera
from motion_rep.kinematics.foot_contact import foot_contacts
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS
from motion_rep.measures.benchmark import at_metric_rate, jitter_per_frame

TIME = "seconds"
BODY, JOINTS, CAMERA, CURVES = "world/body", "world/joints", "world/camera", "curves"
COLOR = (28, 135, 204)
LEAST_FRAMES = 3  # limit of the jitter degree


def write_rrd(path: str | os.PathLike, motion: PosedMotion, video: Path | None = None) -> None:
    """Write the recording; metres, seconds, z up. The built-in mannequin is drawn.

    Args:
        video: source video, shown through the motion's camera, or alone if that is unknown.
    Raises:
        UsageError: ``rerun-sdk`` is not installed.
        InputError: the video is missing.
    """
    rerun = optional_module("rerun", "rerun-sdk", "the format rrd")
    with atomic_path(path) as temporary:
        recording = rerun.RecordingStream("reference_motion")
        recording.save(temporary)
        recording.log("world", rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        _log_body(rerun, recording, motion)
        _log_curves(rerun, recording, motion)
        if motion.camera is not None:
            _log_camera(rerun, recording, motion.camera, motion)
        if video is not None:
            place = f"{CAMERA}/video" if motion.camera is not None else "video"
            _log_video(rerun, recording, require_file(video), place, motion)
        recording.flush()
        recording.disconnect()


def _log_body(rerun: ModuleType, recording: Any, motion: PosedMotion) -> None:
    body = MannequinBody().coarse()
    joints = motion.joints().numpy()
    recording.log(BODY, rerun.Mesh3D.from_fields(triangle_indices=body.faces, albedo_factor=(*COLOR, 255)), static=True)
    for frame, vertices in enumerate(posed_frames(body, motion.parameters)):
        recording.set_time(TIME, duration=frame / motion.fps)
        recording.log(BODY, rerun.Mesh3D.from_fields(vertex_positions=vertices))
        recording.log(JOINTS, rerun.Points3D(joints[frame], radii=0.02, labels=list(JOINT_NAMES), show_labels=False))
        bones = [joints[frame, [parent, joint]] for joint, parent in enumerate(PARENTS) if parent >= 0]
        recording.log(f"{JOINTS}/bones", rerun.LineStrips3D(bones, radii=0.008))


def _log_curves(rerun: ModuleType, recording: Any, motion: PosedMotion) -> None:
    """Log the jitter at its own rate, the heights of pelvis and feet, and the foot contacts."""
    joints = motion.joints()
    contacts = foot_contacts(joints, motion.fps).numpy()
    named = {"pelvis": joints[:, 0, 2].numpy(), "left_foot": joints[:, 10, 2].numpy()}
    curves = {f"height/{name}": heights for name, heights in {**named, "right_foot": joints[:, 11, 2].numpy()}.items()}
    curves |= {f"contact/{side}_foot": contacts[:, number] for number, side in enumerate(("left", "right"))}
    for name, values in curves.items():
        _log_curve(rerun, recording, name, values, np.arange(len(values)) / motion.fps)
    sampled = at_metric_rate(y_up_from_z_up(joints).numpy(), motion.fps)
    if len(sampled) >= LEAST_FRAMES:
        jitter = jitter_per_frame(sampled)
        seconds = len(motion) / motion.fps
        _log_curve(rerun, recording, "jitter", jitter, (np.arange(len(jitter)) + 1) * seconds / len(sampled))


def _log_curve(rerun: ModuleType, recording: Any, name: str, values: np.ndarray, seconds: np.ndarray) -> None:
    times = rerun.TimeColumn(TIME, duration=seconds)
    recording.send_columns(f"{CURVES}/{name}", [times], rerun.Scalars.columns(scalars=values.astype(np.float64)))


def _log_camera(rerun: ModuleType, recording: Any, camera: Camera, motion: PosedMotion) -> None:
    lens = rerun.Pinhole(image_from_camera=camera.intrinsic.double().numpy(), resolution=camera.size)
    recording.log(CAMERA, lens, static=True)
    for frame in range(len(motion)):
        pose = camera.pose(frame).double().numpy()
        recording.set_time(TIME, duration=frame / motion.fps)
        turned = pose[:3, :3].T
        recording.log(CAMERA, rerun.Transform3D(mat3x3=turned, translation=-turned @ pose[:3, 3]))


def _log_video(rerun: ModuleType, recording: Any, video: Path, place: str, motion: PosedMotion) -> None:
    """Log the source video's picture at the time of each row."""
    recording.log(place, rerun.AssetVideo(path=video), static=True)
    seconds = np.arange(len(motion)) / motion.fps
    shown = ((seconds + motion.start_time) * 1e9).round().astype(np.int64)
    pictures = rerun.VideoFrameReference.columns_nanos(shown)
    recording.send_columns(place, [rerun.TimeColumn(TIME, duration=seconds)], pictures)
