"""Lit pictures of a motion in MBench style, frame by frame. Memory does not grow with the clip."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from motion_rep.bodies.body_models import Body
from motion_rep.bodies.level_of_detail import body_for
from motion_rep.bodies.posing import parameter_chunks
from motion_rep.drawing.contact_marks import ContactMarks
from motion_rep.drawing.contact_shadow import PartOutlines
from motion_rep.drawing.ground_tiles import GroundTiles
from motion_rep.drawing.mbench_scene import (
    UP,
    Bounds,
    MbenchScene,
    ViewOfScene,
    eye_of,
    front_view,
    ground_mesh,
    mbench_scene,
)
from motion_rep.drawing.renderers import Renderer
from motion_rep.drawing.scene import NEAR, Mesh, View
from motion_rep.drawing.shading import BACKGROUND_COLOR, BODY_COLOR, shade
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.runs.ordered_threads import map_in_order


def scene_of(body: Body, parameters: BodyParameters) -> MbenchScene:
    """Positions of body and ground for a whole clip."""
    turn, boxes = np.asarray(Y_UP_FROM_Z_UP), []
    for chunk in parameter_chunks(parameters):
        # numpy is fast along long rows, and slow along columns of three.
        rows = np.ascontiguousarray(np.moveaxis(body.vertices(chunk), -1, 0))
        boxes += [Bounds(low, high).turned(turn) for low, high in zip(rows.min(-1).T, rows.max(-1).T, strict=True)]
    extents = np.array([(box.low, box.high) for box in boxes])
    path = _y_up(parameters.pelvis().numpy())
    scene = mbench_scene(Bounds(extents[:, 0].min(0), extents[:, 1].max(0)), path[0])
    return replace(scene, boxes=extents + scene.offset, path=path + scene.offset)


def lit_frames(
    body: Body,
    renderer: Renderer,
    parameters: BodyParameters,
    width: int,
    height: int,
    view_of: ViewOfScene = front_view,
    threads: int | None = None,
    marks: ContactMarks | None = None,
) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB pictures of a clip.

    Args:
        parameters: canonical z-up frame.
        view_of: the camera; the published front view by default. With a camera for each frame, the ground has tiles,
            which show how far the person moves.
        threads: number of drawing threads; by default as many as the renderer allows.
        marks: marks of standing and sliding feet.
    """
    # Millimetres matter only for comparisons of the published camera with others.
    scene = scene_of(body if view_of is front_view else body.coarse(), parameters)
    views = view_of(scene, width, height)
    shown = _backgrounds(renderer, views, scene)
    body = body_for(body, _pixels_per_metre(views, scene))
    outlines = PartOutlines(body.parts)

    def draw(posed: tuple[int, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        frame, (vertices, normals) = posed
        floor = float(scene.bounds.low[1])
        view, background = shown(frame)
        color = BODY_COLOR if marks is None else marks.body_colors(frame, body.parts)
        lit = Mesh(vertices, body.faces, shade(normals, vertices, eye_of(view), UP, color))
        discs = None if marks is None else marks.discs(frame, scene.offset, floor)
        meshes = [outlines.shadow(vertices, floor), *([] if discs is None else [discs]), lit]
        drawn, region = renderer.draw(view, meshes, background)
        picture = background.copy()
        picture[region.slices()] = drawn
        return picture

    posed = enumerate(_posed(body, parameters, scene))
    yield from map_in_order(draw, posed, renderer.threads if threads is None else threads)


def _pixels_per_metre(views: View | Sequence[View], scene: MbenchScene) -> float:
    """Scale at the point of the clip's bounds that is closest to the camera."""
    if isinstance(views, View):
        pairs = [(views, np.stack((scene.bounds.low, scene.bounds.high)))]
    else:
        pairs = list(zip(views, scene.boxes, strict=True))
    nearest = min(float(view.to_camera(_corners(box))[:, 2].min()) for view, box in pairs)
    return float(pairs[0][0].intrinsic[1, 1] / max(nearest, NEAR))


def _corners(box: np.ndarray) -> np.ndarray:
    """(8, 3) corners of a box (2, 3)."""
    return np.array(list(itertools.product(*box.T)), np.float32)


def _posed(body: Body, parameters: BodyParameters, scene: MbenchScene) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Vertices in the scene and their normals, frame by frame."""
    offset = scene.offset.astype(np.float32)
    for chunk in parameter_chunks(parameters):
        vertices = body.vertices(chunk)
        normals = body.normals(chunk, vertices)
        yield from zip(_y_up(vertices) + offset, _y_up(normals), strict=True)


def _backgrounds(
    renderer: Renderer, views: View | Sequence[View], scene: MbenchScene
) -> Callable[[int], tuple[View, np.ndarray]]:
    """The view and the background of a frame."""
    if isinstance(views, View):
        still = views, _background(renderer, views, scene)
        return lambda frame: still
    tiles = GroundTiles.below(scene)
    if all(view is views[0] for view in views):
        tiled = views[0], tiles.seen_by(views[0])
        return lambda frame: tiled
    return lambda frame: (views[frame], tiles.seen_by(views[frame]))


def _background(renderer: Renderer, view: View, scene: MbenchScene) -> np.ndarray:
    empty = np.full((view.height, view.width, 3), [round(255 * value) for value in BACKGROUND_COLOR], np.uint8)
    drawn, region = renderer.draw(view, [ground_mesh(scene)], empty)
    empty[region.slices()] = drawn
    return empty


def _y_up(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) float32 from z-up to y-up axes."""
    return vectors.astype(np.float32) @ np.asarray(Y_UP_FROM_Z_UP, np.float32).T
