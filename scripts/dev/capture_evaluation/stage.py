"""Draw clips with known truth.

A room with a floor, a wall, a still camera and at most one box in front of the person.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from scripts.dev.capture_evaluation.figures import Figure
from scripts.dev.capture_evaluation.motions import BodyMotion

SUPERSAMPLING = 2
NEAR, FAR = 0.1, 100.0
WALL_BEHIND = 4.5
LAMPS = (((0.4, 0.8, 0.6), 0.55), ((-0.7, 0.5, 0.3), 0.25))


@dataclass(frozen=True)
class StageCamera:
    """A still pinhole camera in a world with y up; it looks at a point above the middle of the floor.

    position and target in metres, vertical field of view and roll in degrees, size in pixels.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float] = (0.0, 0.9, 0.0)
    field_of_view: float = 50.0
    width: int = 1280
    height: int = 720
    roll: float = 0.0

    @property
    def focal_length(self) -> float:
        """Pixels."""
        return 0.5 * self.height / math.tan(math.radians(self.field_of_view) / 2)

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) world to OpenCV camera axes (x right, y down, z forward)."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 1.0, 0.0))
        right /= np.linalg.norm(right)
        cosine, sine = math.cos(math.radians(self.roll)), math.sin(math.radians(self.roll))
        turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        return turn @ np.stack((right, np.cross(forward, right), forward))

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) world points in OpenCV camera axes."""
        return (points - np.asarray(self.position)) @ self.rotation.T


@dataclass(frozen=True)
class Box:
    """A box that stands on the floor: centre on the floor and size in metres."""

    centre: tuple[float, float]
    size: tuple[float, float, float]


def draw_clip(
    motion: BodyMotion, figure: Figure, camera: StageCamera, box: Box | None = None, seed: int = 0
) -> Iterator[np.ndarray]:
    """The frames of a clip, (height, width, 3) uint8 RGB."""

    background, depth = _room(camera, seed)
    vertices = figure.vertices(motion.root, motion.body, motion.transl)
    field = math.radians(camera.field_of_view)
    for points in vertices:
        image, buffer = background.copy(), depth.copy()
        shade = lit_colours(points, figure.faces, figure.colours)
        draw_mesh(camera.to_camera(points), figure.faces, shade, image, buffer, field)
        if box is not None:
            corners, faces, colours = _box_mesh(box)
            draw_mesh(camera.to_camera(corners), faces, colours, image, buffer, field)
        small = cv2.resize(image, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
        yield (small.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def draw_mesh(
    points: np.ndarray, faces: np.ndarray, colours: np.ndarray, image: np.ndarray, depth: np.ndarray, field: float
) -> None:
    """Draw a mesh in OpenCV camera axes into image and depth, in place.

    field: the vertical field of view in radians.
    """

    opengl = (points * (1, -1, -1)).astype(np.float32)
    settings = (
        cv2.TriangleRasterizeSettings()
        .setCullingMode(cv2.RASTERIZE_CULLING_NONE)
        .setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    )
    cv2.triangleRasterize(
        opengl[:, None],
        faces[:, None],
        colours[:, None].astype(np.float32),
        image,
        depth,
        np.eye(4, dtype=np.float32),
        field,
        NEAR,
        FAR,
        settings,
    )


def lit_colours(
    points: np.ndarray, faces: np.ndarray, colours: np.ndarray, lamps=LAMPS, everywhere: float = 0.38
) -> np.ndarray:
    """(V, 3) colours under lamps (direction towards the lamp, power) and ambient light."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    normals = np.stack(
        [sum(np.bincount(faces[:, k], across[:, axis], len(points)) for k in range(3)) for axis in range(3)], axis=-1
    )
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    light = everywhere + sum(
        power * (normals @ (np.asarray(way) / np.linalg.norm(way))).clip(0) for way, power in lamps
    )
    return colours * light[:, None]


def _room(camera: StageCamera, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Floor and wall as seen by the camera, and a depth buffer that is far everywhere."""

    random = np.random.default_rng(seed)
    height, width = camera.height * SUPERSAMPLING, camera.width * SUPERSAMPLING
    focal = camera.focal_length * SUPERSAMPLING
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2) / focal, (np.arange(height) + 0.5 - height / 2) / focal)
    rays = np.stack((x, y, np.ones_like(x)), -1) @ camera.rotation
    reach = np.where(rays[..., 1] < -1e-4, -camera.position[1] / np.minimum(rays[..., 1], -1e-4), np.inf)
    spot_x, spot_z = camera.position[0] + rays[..., 0] * reach, camera.position[2] + rays[..., 2] * reach
    tone_floor, tone_wall = random.uniform(0.45, 0.65, 3), random.uniform(0.6, 0.85, 3)
    with np.errstate(invalid="ignore"):
        planks = 0.05 * (np.floor(spot_x / 0.18) % 2) + 0.03 * np.sin(23 * spot_z + 5 * np.floor(spot_x / 0.18))
        floor = tone_floor + planks[..., None]
    wall = tone_wall * (1.0 - 0.15 * np.abs(rays[..., 1:2]))
    on_floor = (reach < 1e3) & (spot_z > -WALL_BEHIND)
    image = (
        np.where(on_floor[..., None], floor, wall)
        + cv2.resize(random.normal(0, 0.01, (height // 4, width // 4, 1)), (width, height))[..., None]
    )
    return np.nan_to_num(image).astype(np.float32), np.full((height, width), FAR, np.float32)


def _box_mesh(box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (0, 2) for z in (-1, 1)], float)
    corners = signs * np.asarray(box.size) / 2 + (box.centre[0], 0.0, box.centre[1])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    points = np.concatenate([corners[list(q)] for q in quads])
    faces = np.concatenate([np.array([(0, 1, 2), (0, 2, 3)]) + 4 * k for k in range(6)])
    tones = np.repeat((0.45, 0.45, 0.3, 0.75, 0.5, 0.6), 4)
    return points, faces.astype(np.int32), tones[:, None] * np.array([0.8, 0.62, 0.45])
