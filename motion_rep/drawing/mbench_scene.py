"""The scene for the judge: the framing of the published MBench renderer, or a closer one; y up, metres."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from motion_rep.drawing.scene import Mesh, View
from motion_rep.drawing.shading import GROUND_COLOR

FIELD_OF_VIEW = np.deg2rad(60.0)
PITCH = np.deg2rad(30.0)
CLOSE_PITCH = np.deg2rad(10.0)
CLOSE_FILL = 0.92  # share of the picture
# A still camera is close enough if the person always fills this share of the picture's height or width.
# Otherwise, it follows the pelvis when that is this far (x, y, z, metres) from the middle.
STILL_FILL = 0.55
FREE_WAY = np.array([0.25, 0.5, 0.25])
CAMERA_HEIGHT = 1.5
GROUND_MARGIN = 0.5
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest vertex coordinates of a whole clip: low (3,) and high (3,), metres."""

    low: np.ndarray
    high: np.ndarray

    def turned(self, rotation: np.ndarray) -> Bounds:
        """The bounds in other axes; ``rotation`` (3, 3) maps axes to axes."""
        corners = np.stack((self.low, self.high)) @ rotation.T
        return Bounds(corners.min(0), corners.max(0))

    def moved(self, offset: np.ndarray) -> Bounds:
        return Bounds(self.low + offset, self.high + offset)


@dataclass(frozen=True)
class MbenchScene:
    """Placement of one clip.

    offset: (3,) added to y-up vertices; moves the first pelvis over the origin and centres the height on y = 0.
    bounds: bounds of the clip after that.
    boxes: (T, 2, 3) lowest and highest coordinates of each frame, after that.
    path: (T, 3) pelvis of each frame, after that.
    """

    offset: np.ndarray
    bounds: Bounds
    boxes: np.ndarray = field(default_factory=lambda: np.empty((0, 2, 3)))
    path: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))


def mbench_scene(bounds: Bounds, first_pelvis: np.ndarray) -> MbenchScene:
    """The scene for a clip.

    Args:
        bounds: of all its vertices, y-up axes.
        first_pelvis: (3,) pelvis of the first frame, same axes.
    """
    middle = (bounds.low[1] + bounds.high[1]) / 2
    offset = np.array([-first_pelvis[0], -middle, -first_pelvis[2]])
    return MbenchScene(offset, bounds.moved(offset))


def front_view(scene: MbenchScene, width: int, height: int) -> View:
    """The published camera: 60 degrees high, looking 30 degrees down."""
    low, high = scene.bounds.low, scene.bounds.high
    distance = max(4.0, low[2] + 2 * (CAMERA_HEIGHT - low[1]), high[0] - low[0])
    eye = np.array([(low[0] + high[0]) / 2, CAMERA_HEIGHT, distance])
    sine, cosine = np.sin(PITCH), np.cos(PITCH)
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, -cosine, sine], [0.0, -sine, -cosine]])
    return _view(rotation, eye, width, height)


def close_view(scene: MbenchScene, width: int, height: int) -> View:
    """A view from the front and slightly above, as close as the whole clip allows: for judges, who need no empty
    floor.
    """
    return _near_view(scene.bounds, width, height)


def close_views(scene: MbenchScene, width: int, height: int) -> Sequence[View]:
    """A close camera for each frame: still if the person is large enough in that view, else following the person.

    Its direction and its distance do not change.
    """
    view = close_view(scene, width, height)
    if _smallest_fill(view, scene.boxes) >= STILL_FILL:
        return [view] * len(scene.boxes)
    middles = _followed(scene.path)
    relative = scene.boxes - middles[:, None]
    near = _near_view(Bounds(relative[:, 0].min(0), relative[:, 1].max(0)), width, height)
    rotation, eye = near.world_to_camera[:3, :3], eye_of(near)
    return [_view(rotation, eye + middle, width, height) for middle in middles]


def _near_view(bounds: Bounds, width: int, height: int) -> View:
    """The view that ``bounds`` fill."""
    low, high = bounds.low, bounds.high
    sine, cosine = np.sin(CLOSE_PITCH), np.cos(CLOSE_PITCH)
    rotation = np.array([[1.0, 0.0, 0.0], [0.0, -cosine, sine], [0.0, -sine, -cosine]])
    corners = np.array(list(itertools.product(*zip(low, high, strict=True)))) - (low + high) / 2
    seen = corners @ rotation.T
    slope = np.tan(FIELD_OF_VIEW / 2) * CLOSE_FILL
    needed = np.abs(seen[:, :2]) / (slope * np.array([width / height, 1.0])) - seen[:, 2:]
    eye = (low + high) / 2 - rotation.T @ np.array([0.0, 0.0, float(needed.max())])
    return _view(rotation, eye, width, height)


def _smallest_fill(view: View, boxes: np.ndarray) -> float:
    """The smallest share of the picture's height or width (whichever is larger) that a box fills."""
    depths = view.to_camera(boxes.mean(1).astype(np.float32))[:, 2]
    width, height, _ = (boxes[:, 1] - boxes[:, 0]).T
    size = np.maximum(height / view.height, width / view.width)
    return float((view.intrinsic[1, 1] * size / depths).min(initial=np.inf))


def _followed(path: np.ndarray) -> np.ndarray:
    """(T, 3) the middle of the picture: it stays while the pelvis is near, and is dragged along otherwise."""
    middles = path.copy()
    for frame in range(1, len(path)):
        middles[frame] = np.clip(middles[frame - 1], path[frame] - FREE_WAY, path[frame] + FREE_WAY)
    return middles


MBENCH, CLOSE = "mbench", "close"
# One view for all frames, or one for each frame.
ViewOfScene = Callable[[MbenchScene, int, int], View | Sequence[View]]
VIEWS: dict[str, ViewOfScene] = {MBENCH: front_view, CLOSE: close_views}


def ground_mesh(scene: MbenchScene) -> Mesh:
    """A light grey rectangle at the lowest vertex, half a metre wider than the clip."""
    low, high = scene.bounds.low - GROUND_MARGIN, scene.bounds.high + GROUND_MARGIN
    floor = scene.bounds.low[1]
    corners = np.array(
        [[low[0], floor, low[2]], [low[0], floor, high[2]], [high[0], floor, high[2]], [high[0], floor, low[2]]],
        np.float32,
    )
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Mesh(corners, faces, np.tile(np.asarray(GROUND_COLOR, np.float32), (4, 1)))


def eye_of(view: View) -> np.ndarray:
    """(3,) position of the camera of a view."""
    rotation, translation = view.world_to_camera[:3, :3], view.world_to_camera[:3, 3]
    return -rotation.T @ translation


def _view(rotation: np.ndarray, eye: np.ndarray, width: int, height: int) -> View:
    focal = height / 2 / np.tan(FIELD_OF_VIEW / 2)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ eye
    return View(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]]), pose, width, height)
