"""Lit pictures of a motion in MBench style, frame by frame. Memory does not grow with the clip."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from motion_rep.bodies.body_models import Body
from motion_rep.bodies.level_of_detail import body_for
from motion_rep.bodies.posing import parameter_chunks
from motion_rep.drawing.contact_marks import Marks
from motion_rep.drawing.contact_shadow import PartOutlines
from motion_rep.drawing.mbench_scene import EMPTY_BOUNDS, UP, MbenchScene, eye_of, front_view, ground_mesh, mbench_scene
from motion_rep.drawing.renderers import Renderer
from motion_rep.drawing.scene import NEAR, Mesh, View
from motion_rep.drawing.shading import BACKGROUND_COLOR, shade
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.runs.ordered_threads import map_in_order

ViewOfScene = Callable[[MbenchScene, int, int], View]


def scene_of(body: Body, parameters: BodyParameters) -> MbenchScene:
    """Positions of body and ground for a whole clip."""
    bounds = EMPTY_BOUNDS
    for chunk in parameter_chunks(parameters):
        bounds = bounds.joined(body.vertices(chunk))
    return mbench_scene(bounds.turned(np.asarray(Y_UP_FROM_Z_UP)), _y_up(parameters.pelvis()[:1].numpy())[0])


def lit_frames(
    body: Body,
    renderer: Renderer,
    parameters: BodyParameters,
    width: int,
    height: int,
    view_of: ViewOfScene = front_view,
    threads: int | None = None,
    marks: Marks | None = None,
) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB pictures of a clip.

    Args:
        parameters: canonical z-up frame.
        view_of: the camera; the published front view by default.
        threads: number of drawing threads; by default as many as the renderer allows.
        marks: what lies on the ground in each frame.
    """
    scene = scene_of(body, parameters)
    view = view_of(scene, width, height)
    background = _background(renderer, view, scene)
    body = body_for(body, _pixels_per_metre(view, scene))
    outlines = PartOutlines(body.parts)
    eye = eye_of(view)

    def draw(posed: tuple[int, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        frame, (vertices, normals) = posed
        floor = float(scene.bounds.low[1])
        lit = Mesh(vertices, body.faces, shade(normals, vertices, eye, UP))
        mark = None if marks is None else marks(frame, scene.offset, floor)
        meshes = [outlines.shadow(vertices, floor), *([] if mark is None else [mark]), lit]
        drawn, region = renderer.draw(view, meshes, background)
        picture = background.copy()
        picture[region.slices()] = drawn
        return picture

    posed = enumerate(_posed(body, parameters, scene))
    yield from map_in_order(draw, posed, renderer.threads if threads is None else threads)


def _pixels_per_metre(view: View, scene: MbenchScene) -> float:
    """Scale where the clip's bounds are closest to the camera."""
    corners = np.array(list(itertools.product(*zip(scene.bounds.low, scene.bounds.high, strict=True))), np.float32)
    return float(view.intrinsic[1, 1] / max(view.to_camera(corners)[:, 2].min(), NEAR))


def _posed(body: Body, parameters: BodyParameters, scene: MbenchScene) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Vertices in the scene and their normals, frame by frame."""
    offset = scene.offset.astype(np.float32)
    for chunk in parameter_chunks(parameters):
        vertices = body.vertices(chunk)
        normals = body.normals(chunk, vertices)
        yield from zip(_y_up(vertices) + offset, _y_up(normals), strict=True)


def _background(renderer: Renderer, view: View, scene: MbenchScene) -> np.ndarray:
    empty = np.full((view.height, view.width, 3), [round(255 * value) for value in BACKGROUND_COLOR], np.uint8)
    drawn, region = renderer.draw(view, [ground_mesh(scene)], empty)
    empty[region.slices()] = drawn
    return empty


def _y_up(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) float32 from z-up to y-up axes."""
    return vectors.astype(np.float32) @ np.asarray(Y_UP_FROM_Z_UP, np.float32).T
