"""The lit body drawn into its source video. Outside the body the pictures are the source's own."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator

import cv2
import numpy as np

from motion_rep.bodies.body_models import Body
from motion_rep.bodies.level_of_detail import body_for
from motion_rep.bodies.posing import parameter_chunks
from motion_rep.common.errors import InputError
from motion_rep.drawing.contact_marks import ContactMarks
from motion_rep.drawing.depth_check import camera_for_video
from motion_rep.drawing.mbench_scene import eye_of
from motion_rep.drawing.renderers import Renderer
from motion_rep.drawing.row_match import MatchedFrame, match_rows, matched_frames
from motion_rep.drawing.scene import NEAR, Mesh, view_of_camera
from motion_rep.drawing.shading import shade
from motion_rep.kinematics.camera import Camera, project, transform_points
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip
from motion_rep.runs.ordered_threads import map_in_order
from motion_rep.video.reading import frame_times, open_video
from motion_rep.video.timing import is_even
from motion_rep.video.writing import open_writer

UP = np.array([0.0, 0.0, 1.0])
# Pixels of the longer side; larger videos are shrunk.
LARGEST_SIDE = 960
# Side of a square around a person, relative to the extent of the joints, to include head, hands and feet.
AROUND_JOINTS = 1.3

PosedBody = tuple[np.ndarray, np.ndarray]  # vertices and normals (V, 3)


def write_tinted_overlay(
    clip: MotionClip,
    video_path: str | os.PathLike,
    target: str | os.PathLike,
    body: Body,
    renderer: Renderer,
    marks: ContactMarks,
    threads: int | None = None,
) -> None:
    """Write the source video with the lit body in it; each frame keeps its time.

    Args:
        marks: marks of standing and sliding feet.
        threads: number of drawing threads; by default as many as the renderer allows.
    Raises:
        InputError: the motion has no camera, the video cannot be read, or it has another shape than the picture of
            the motion's camera.
    """
    if clip.camera is None:
        raise InputError("the motion has no camera, so the body cannot be drawn over the source video")
    parameters, times = body_parameters(clip.motion.double()), frame_times(video_path)
    with open_video(video_path) as video:
        width, height = _shown_size(video.width, video.height)
        camera = camera_for_video(clip, parameters, video)[0].scaled_to(width, height)
        drawn = body_for(body, _pixels_per_metre(camera, parameters))
        frames = matched_frames(video, _posed(drawn, parameters), match_rows(clip, times, video.fps)[0])
        draw = functools.partial(_drawn, drawn, renderer, camera, (width, height), marks)
        pictures = map_in_order(draw, frames, renderer.threads if threads is None else threads)
        even = is_even(times)
        with open_writer(target, width, height, video.fps, even=even) as writer:
            for time, picture in pictures:
                writer.write(picture, None if even else time)


def person_square(clip: MotionClip) -> tuple[float, float, float] | None:
    """The square of a video's picture that contains the person in all frames, as large as needed.

    Returns:
        Left, top and side in pixels of the motion's camera; None without a camera or if a joint is behind it.
    """
    if clip.camera is None:
        return None
    camera, joints = clip.camera, body_parameters(clip.motion.double()).joints()
    points = transform_points(camera.world_to_camera.double(), joints)
    if float(points[..., 2].min()) < NEAR:
        return None
    pixels = project(camera.intrinsic.double(), points).flatten(0, 1).numpy()
    low, high = np.maximum(pixels.min(0), 0.0), np.minimum(pixels.max(0), camera.size)
    side = float((high - low).max()) * AROUND_JOINTS
    # Inside the picture, if that is large enough.
    middle = (low + high) / 2
    room = np.maximum(np.array(camera.size) - side, 0.0)
    left, top = np.where(room > 0, np.clip(middle - side / 2, 0, room), (np.array(camera.size) - side) / 2)
    return (float(left), float(top), side) if side > 0 else None


def _shown_size(width: int, height: int) -> tuple[int, int]:
    """Even numbers of pixels with the aspect ratio of a picture."""
    scale = min(1.0, LARGEST_SIDE / max(width, height))
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def _pixels_per_metre(camera: Camera, parameters: BodyParameters) -> float:
    """Scale at the joint that is closest to the camera."""
    view = view_of_camera(camera, *camera.size)
    nearest = min(
        float(view_of_camera(camera, *camera.size, row).to_camera(joints.astype(np.float32))[:, 2].min())
        for row, joints in enumerate(parameters.joints().numpy())
    )
    return float(view.intrinsic[1, 1]) / max(nearest, NEAR)


def _posed(body: Body, parameters: BodyParameters) -> Iterator[PosedBody]:
    for chunk in parameter_chunks(parameters):
        vertices = body.vertices(chunk)
        yield from zip(vertices, body.normals(chunk, vertices), strict=True)


def _drawn(
    body: Body,
    renderer: Renderer,
    camera: Camera,
    size: tuple[int, int],
    marks: ContactMarks,
    frame: MatchedFrame[PosedBody],
) -> tuple[float, np.ndarray]:
    own = (frame.rgb.shape[1], frame.rgb.shape[0])
    picture = frame.rgb if own == size else cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
    if frame.posed is None:
        return frame.time, picture
    vertices, normals = frame.posed
    view = view_of_camera(camera, *size, frame.row)
    colors = shade(normals, vertices, eye_of(view), UP, marks.body_colors(frame.row, body.parts))
    drawn, region = renderer.draw(view, [Mesh(vertices, body.faces, colors)], picture)
    picture = picture.copy()
    picture[region.slices()] = drawn
    return frame.time, picture
