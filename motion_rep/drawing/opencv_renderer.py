"""Draw with OpenCV 5's CPU rasteriser: no GPU, no OpenGL, the same pixels on every machine.

The rasteriser assumes a centred principal point. To draw any rectangle of any pinhole camera's picture, the mesh is
transformed into camera axes and sheared so that the rectangle is centred; depth along the axis does not change.
"""

from __future__ import annotations

import cv2
import numpy as np

from motion_rep.drawing.scene import NEAR, Mesh, Region, View, joined, region_of

FAR = 20_000.0
FIELD_OF_VIEW = np.pi / 2
SUPERSAMPLING = 2
_IDENTITY = np.eye(4, dtype=np.float32)


class OpenCvRenderer:
    """A :class:`motion_rep.drawing.renderers.Renderer` for the CPU.

    Args:
        supersampling: draw this many times larger, for smooth edges; 1 takes half the time.
    """

    name = "opencv"
    threads = None

    def __init__(self, supersampling: int = SUPERSAMPLING) -> None:
        self._supersampling = supersampling
        # Bodies are closed, so back faces are hidden anyway; culling them halves the time.
        self._settings = cv2.TriangleRasterizeSettings()
        self._settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
        self._settings.setCullingMode(cv2.RASTERIZE_CULLING_CW)

    def draw(self, view: View, meshes: list[Mesh], background: np.ndarray) -> tuple[np.ndarray, Region]:
        """Draw coloured meshes over a background, with smooth edges.

        Args:
            background: (H, W, 3) uint8 RGB; not changed.
        Returns:
            The changed rectangle as (h, w, 3) uint8 RGB, and its position.
        """
        # One mesh: a call of the rasteriser costs as much as thousands of triangles.
        mesh = meshes[0] if len(meshes) == 1 else joined(meshes)
        points = view.to_camera(mesh.vertices)
        region = region_of(view, points)
        under = background[region.slices()]
        if not under.size:
            return under, region
        scale = self._supersampling
        size = (region.width * scale, region.height * scale)
        color = cv2.resize(under.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
        depth = np.full(color.shape[:2], FAR, np.float32)
        vertices, faces = _centred(view, region, points, scale), _in_front(mesh.faces, points)
        colors = np.ascontiguousarray(mesh.colors * np.float32(255.0)).reshape(-1, 1, 3)
        cv2.triangleRasterize(
            vertices, faces, colors, color, depth, _IDENTITY, FIELD_OF_VIEW, NEAR, FAR, self._settings
        )
        small = color if scale == 1 else cv2.resize(color, (region.width, region.height), interpolation=cv2.INTER_AREA)
        return cv2.convertScaleAbs(small), region

    def draw_depth(
        self, view: View, vertices: np.ndarray, faces: np.ndarray, scale: int = 1
    ) -> tuple[np.ndarray, Region]:
        """Distances along the viewing axis.

        Args:
            vertices: (V, 3) float32 metres, world frame.
            scale: draw a picture this many times as large as the view.
        Returns:
            (h, w) float32 metres, infinite in empty places, for a rectangle of the enlarged picture; the rectangle.
        """
        view = view.enlarged(scale)
        points = view.to_camera(vertices)
        region = region_of(view, points)
        depth = np.full((region.height, region.width), FAR, np.float32)
        if depth.size:
            cv2.triangleRasterizeDepth(
                _centred(view, region, points, 1),
                _in_front(faces, points),
                depth,
                _IDENTITY,
                FIELD_OF_VIEW,
                NEAR,
                FAR,
                self._settings,
            )
        depth[depth >= FAR] = np.inf
        return depth, region


def _centred(view: View, region: Region, points: np.ndarray, scale: int) -> np.ndarray:
    """(V, 3) OpenCV camera points to the rasteriser's (V, 1, 3): x right, y up, z backward.

    Sheared so that ``region`` fills the picture.
    """
    focal = region.height * scale / 2 / np.tan(FIELD_OF_VIEW / 2)
    k = view.intrinsic
    centre_x, centre_y = (region.left + region.right) / 2, (region.top + region.bottom) / 2
    shear = np.zeros((3, 3), np.float32)
    shear[0] = k[0, 0] * scale / focal, k[0, 1] * scale / focal, (k[0, 2] - centre_x) * scale / focal
    shear[1] = 0.0, -k[1, 1] * scale / focal, -(k[1, 2] - centre_y) * scale / focal
    shear[2, 2] = -1.0
    return np.ascontiguousarray(points @ shear.T).reshape(-1, 1, 3)


def _in_front(faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(F, 1, 3) the faces completely in front of the near plane; the rasteriser distorts those that cross it."""
    if points[:, 2].min() < NEAR:
        faces = faces[(points[:, 2][faces] >= NEAR).all(axis=1)]
    return np.ascontiguousarray(faces).reshape(-1, 1, 3)
