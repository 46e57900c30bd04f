"""Depth pictures of a motion from its camera: near is white, far is black. Memory does not grow with the clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from motion_rep.bodies.body_models import Body
from motion_rep.bodies.posing import posed_frames
from motion_rep.drawing.renderers import Renderer
from motion_rep.drawing.scene import View, region_of, view_of_camera
from motion_rep.kinematics.camera import Camera
from motion_rep.kinematics.parameters import BodyParameters

SUPERSAMPLING = 2


@dataclass(frozen=True)
class DepthRange:
    """Nearest and farthest visible distance of a whole clip, metres along the viewing axis."""

    near: float
    far: float

    def to_grey(self, depth: np.ndarray, darkest: int = 0) -> np.ndarray:
        """(h, w) float32 metres to uint8: ``near`` is 255, ``far`` is ``darkest``, nothing (infinite) is 0."""
        scale = np.float32((255.0 - darkest) / max(self.far - self.near, 1e-6))
        grey = np.clip((np.float32(self.far) - depth) * scale + np.float32(darkest), darkest, 255.0)
        return cv2.convertScaleAbs(np.where(np.isfinite(depth), grey, np.float32(0.0)))


def depth_range(
    body: Body, renderer: Renderer, parameters: BodyParameters, camera: Camera, width: int, height: int
) -> DepthRange | None:
    """The depth range of the whole clip; None if the body is never in view.

    The nearest vertex in view is always visible. The farthest may be hidden, so frames are drawn, the most distant
    first, until no remaining frame can reach farther.
    """
    spans = list(enumerate(_vertex_spans(body, parameters, camera, width, height)))
    seen = [(row, span) for row, span in spans if span is not None]
    if not seen:
        return None
    near, far = min(span[0] for _, span in seen), -np.inf
    for row, span in sorted(seen, key=lambda item: -item[1][1]):
        if span[1] <= far:
            break
        far = max(far, _farthest_drawn(body, renderer, parameters, view_of_camera(camera, width, height, row), row))
    return DepthRange(float(near), float(max(far, near)))


@dataclass(frozen=True)
class DepthPainter:
    """Draws one clip's frames through ``camera``, normalised by ``span`` (None: nothing is in view).

    darkest: grey of the farthest point; above 0 it differs from the empty background.
    """

    renderer: Renderer
    faces: np.ndarray
    camera: Camera
    width: int
    height: int
    span: DepthRange | None
    darkest: int = 0

    def picture(self, row: int, vertices: np.ndarray) -> np.ndarray:
        """(H, W) uint8 of a row's vertices (V, 3); supersampled for smooth edges."""
        picture = np.zeros((self.height, self.width), np.uint8)
        if self.span is None:
            return picture
        view = view_of_camera(self.camera, self.width, self.height, row)
        depth, region = self.renderer.draw_depth(view, vertices, self.faces, SUPERSAMPLING)
        factor = SUPERSAMPLING
        top, left = region.top % factor, region.left % factor
        grey = (
            cv2.copyMakeBorder(
                self.span.to_grey(depth, self.darkest),
                top,
                -region.bottom % factor,
                left,
                -region.right % factor,
                cv2.BORDER_CONSTANT,
            )
            if depth.size
            else depth
        )
        if grey.size:
            small = cv2.resize(grey, (grey.shape[1] // factor, grey.shape[0] // factor), interpolation=cv2.INTER_AREA)
            row_start, column_start = region.top // factor, region.left // factor
            picture[row_start : row_start + small.shape[0], column_start : column_start + small.shape[1]] = small
        return picture


def _vertex_spans(
    body: Body, parameters: BodyParameters, camera: Camera, width: int, height: int
) -> Iterator[tuple[float, float] | None]:
    """Smallest and largest depth of the vertices in view, frame by frame; None if none is in view."""
    for row, vertices in enumerate(posed_frames(body, parameters)):
        view = view_of_camera(camera, width, height, row)
        points = view.to_camera(vertices)
        region = region_of(view, points, margin=0)
        whole = region.left > 0 and region.top > 0 and region.right < width and region.bottom < height
        depth = points[:, 2] if whole else _depths_in_view(view, points)
        yield (float(depth.min()), float(depth.max())) if depth.size else None


def _depths_in_view(view: View, points: np.ndarray) -> np.ndarray:
    depth = points[:, 2]
    ahead = depth > 0.05
    x = (
        np.divide(points[:, 0], depth, where=ahead, out=np.full_like(depth, np.inf)) * view.intrinsic[0, 0]
        + view.intrinsic[0, 2]
    )
    y = (
        np.divide(points[:, 1], depth, where=ahead, out=np.full_like(depth, np.inf)) * view.intrinsic[1, 1]
        + view.intrinsic[1, 2]
    )
    return depth[ahead & (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)]


def _farthest_drawn(body: Body, renderer: Renderer, parameters: BodyParameters, view: View, row: int) -> float:
    vertices = body.vertices(parameters.rows(slice(row, row + 1)))[0]
    depth, _ = renderer.draw_depth(view, vertices, body.faces)
    visible = depth[np.isfinite(depth)]
    return float(visible.max()) if visible.size else -np.inf
