"""The depth video of a motion, and its overlay on the source video."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from motion_rep.bodies.body_models import Body
from motion_rep.bodies.level_of_detail import body_for
from motion_rep.bodies.posing import CHUNK, posed_frames
from motion_rep.common.errors import InputError
from motion_rep.common.rates import DRAWING, playback_rate
from motion_rep.common.sizes import DEFAULT_FIELD_OF_VIEW, DEFAULT_SIZE
from motion_rep.drawing.depth_clip import DepthPainter, depth_range
from motion_rep.drawing.renderers import Renderer
from motion_rep.drawing.row_match import MatchedFrame, match_rows, matched_frames
from motion_rep.kinematics.camera import Camera, default_camera
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.motions.encoding import body_parameters, body_parameters_from_velocity
from motion_rep.motions.motion_file import MotionClip
from motion_rep.runs.ordered_threads import map_in_order
from motion_rep.video.reading import VideoReader, frame_times, open_video
from motion_rep.video.timing import is_even
from motion_rep.video.writing import open_writer

# Margin around the person in the default camera's picture, and that camera's smallest distance (metres).
DEFAULT_ROOM, NEAREST_CAMERA = 1.2, 3.0

# Largest relative difference of aspect ratios of the same scene.
SHAPE_TOLERANCE = 0.03

# Grey of the farthest point in an overlay: black would leave the picture unchanged and hide a body that fits.
OVERLAY_DARKEST = 90

Shown = Callable[[Iterable, int | None], Iterable]


@dataclass(frozen=True)
class CheckOptions:
    """Choices of the user; None means the motion's own value."""

    fps: float | None = None
    width: int | None = None
    height: int | None = None
    from_velocity: bool = False
    zero_translation: bool = False
    batch_size: int = CHUNK


def check_depth(
    clip: MotionClip, target: str | os.PathLike, body: Body, renderer: Renderer, options: CheckOptions, shown: Shown
) -> list[str]:
    """Write the depth video of a motion.

    Args:
        shown: wraps the frames in a progress bar, given their number.
    Returns:
        Notes for the user.
    """
    parameters = chosen_parameters(clip, options)
    camera, (width, height), notes = _camera_and_size(clip, parameters, options)
    body, painter = depth_painter(body, renderer, parameters, camera, width, height)
    posed = enumerate(posed_frames(body, parameters, options.batch_size))
    pictures = map_in_order(lambda item: painter.picture(*item), posed, renderer.threads)
    with open_writer(target, width, height, playback_rate(DRAWING, options.fps, clip.fps)[0]) as writer:
        for picture in shown(pictures, len(clip)):
            writer.write_grey(picture)
    return notes + _sight_notes(painter)


def check_overlay(
    clip: MotionClip,
    video_path: str | os.PathLike,
    target: str | os.PathLike,
    body: Body,
    renderer: Renderer,
    options: CheckOptions,
    shown: Shown,
) -> list[str]:
    """Write the overlay, a 50 % blend of source frame and depth; each frame keeps its time in the source.

    Raises:
        InputError: the video cannot be read, or has another shape than the picture of the motion's camera.
    """
    parameters = chosen_parameters(clip, options)
    times = frame_times(video_path)
    with open_video(video_path) as video:
        camera, notes = camera_for_video(clip, parameters, video)
        match, rate_notes = match_rows(clip, times, video.fps)
        if options.fps is not None:
            rate_notes.insert(0, f"--fps {options.fps:g} is ignored: an overlay has the video's own times")
        body, painter = depth_painter(body, renderer, parameters, camera, video.width, video.height, OVERLAY_DARKEST)
        matched = matched_frames(video, posed_frames(body, parameters, options.batch_size), match)
        pictures = map_in_order(lambda item: _mix(painter, item), matched, renderer.threads)
        even = is_even(times)
        with open_writer(target, video.width, video.height, video.fps, even=even) as writer:
            for time, picture in shown(pictures, video.frame_count):
                writer.write(picture, None if even else time)
    return notes + rate_notes + video.length_notes(writer.frames) + _sight_notes(painter)


def depth_painter(
    body: Body,
    renderer: Renderer,
    parameters: BodyParameters,
    camera: Camera,
    width: int,
    height: int,
    darkest: int = 0,
) -> tuple[Body, DepthPainter]:
    """The body at the visible level of detail and its painter; the full mesh sets the depth range."""
    span = depth_range(body, renderer, parameters, camera, width, height)
    drawn = body if span is None else body_for(body, float(camera.intrinsic[1, 1]) / span.near)
    return drawn, DepthPainter(renderer, drawn.faces, camera, width, height, span, darkest)


def chosen_parameters(clip: MotionClip, options: CheckOptions) -> BodyParameters:
    """The body's parameters (N frames, float64), with the path from velocities or without translation if requested."""
    decode = body_parameters_from_velocity if options.from_velocity else body_parameters
    parameters = decode(clip.motion.double())
    return parameters.without_translation() if options.zero_translation else parameters


def _mix(painter: DepthPainter, frame: MatchedFrame[np.ndarray]) -> tuple[float, np.ndarray]:
    if frame.posed is None:
        depth = np.zeros(frame.rgb.shape[:2], np.uint8)
    else:
        depth = painter.picture(frame.row, frame.posed)
    return frame.time, cv2.addWeighted(frame.rgb, 0.5, cv2.cvtColor(depth, cv2.COLOR_GRAY2RGB), 0.5, 0.0)


def _camera_and_size(
    clip: MotionClip, parameters: BodyParameters, options: CheckOptions
) -> tuple[Camera, tuple[int, int], list[str]]:
    if clip.camera is None:
        size = (options.width or DEFAULT_SIZE[0], options.height or DEFAULT_SIZE[1])
        return (
            _default_camera(parameters, *size),
            size,
            ["the camera is unknown; a default camera in front of the person is used"],
        )
    own = clip.camera.size
    size = (options.width or own[0], options.height or own[1])
    return _scaled(clip.camera, size), size, _scale_notes(own, size, "the requested size")


def camera_for_video(clip: MotionClip, parameters: BodyParameters, video: VideoReader) -> tuple[Camera, list[str]]:
    """The motion's camera for a video's picture, and notes for the user.

    Raises:
        InputError: the video has another shape than the picture of that camera.
    """
    size = (video.width, video.height)
    if clip.camera is None:
        return _default_camera(parameters, *size), [
            "the camera is unknown, so the overlay cannot fit; a default camera in front of the person is used"
        ]
    if not _same_shape(clip.camera.size, size):
        raise InputError(_other_shape(clip.camera.size, video))
    return _scaled(clip.camera, size), _scale_notes(clip.camera.size, size, "the video")


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one picture is the other at another scale; sides are often rounded to multiples of 16."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1.0) <= SHAPE_TOLERANCE


def _other_shape(seen: tuple[int, int], video: VideoReader) -> str:
    found = f"{video.path}: shows {video.width}x{video.height} pixels"
    expected = f"expected the shape that the motion's camera saw, {seen[0]}x{seen[1]}"
    stored = video.stored_size
    if stored != (video.width, video.height) and _same_shape(seen, stored):
        return (
            f"{found} (stored as {stored[0]}x{stored[1]}, then turned or stretched to square pixels), {expected}. "
            "The capture was made from the stored pixels: encode the video again upright and capture that."
        )
    return f"{found}, {expected}. Give the video that was captured."


def _scaled(camera: Camera, size: tuple[int, int]) -> Camera:
    return camera if camera.size == size else camera.scaled_to(*size)


def _scale_notes(own: tuple[int, int], size: tuple[int, int], what: str) -> list[str]:
    if own == size:
        return []
    return [f"the camera is for {own[0]}x{own[1]} pixels, {what} has {size[0]}x{size[1]}; the camera was scaled"]


def _sight_notes(painter: DepthPainter) -> list[str]:
    return ["the body is never in the camera's view; the pictures are empty"] if painter.span is None else []


def _default_camera(parameters: BodyParameters, width: int, height: int) -> Camera:
    """A level camera in front of the person, centred on the first root position, with the whole clip in view."""
    joints = parameters.joints()
    target = parameters.pelvis()[0]
    reach = (joints - target).abs().amax(dim=(0, 1))
    tangent = np.tan(np.deg2rad(DEFAULT_FIELD_OF_VIEW / 2)) / max(width, height)
    sideways, upright = float(reach[0]) / (tangent * width), float(reach[2]) / (tangent * height)
    distance = max(NEAREST_CAMERA, DEFAULT_ROOM * max(sideways, upright) + float(reach[1]))
    return default_camera(width, height, target, distance, DEFAULT_FIELD_OF_VIEW)
