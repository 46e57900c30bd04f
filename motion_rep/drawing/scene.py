"""The description of a scene for all renderers: coloured meshes and the view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion_rep.kinematics.camera import Camera


@dataclass(frozen=True)
class Mesh:
    """Triangles with colours that include the light.

    vertices: (V, 3) float32 metres, world frame.
    faces: (F, 3) int32.
    colors: (V, 3) float32 RGB, 0 to 1.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colors: np.ndarray


def joined(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = [mesh.faces + np.int32(start) for mesh, start in zip(meshes, starts, strict=True)]
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate(faces),
        np.concatenate([mesh.colors for mesh in meshes]),
    )


@dataclass(frozen=True)
class View:
    """A pinhole camera and the picture it makes.

    intrinsic: (3, 3) pixels.
    world_to_camera: (4, 4), OpenCV camera axes, metres.
    width, height: pixels.
    """

    intrinsic: np.ndarray
    world_to_camera: np.ndarray
    width: int
    height: int

    def enlarged(self, factor: int) -> View:
        """The same view as a picture ``factor`` times as large."""
        k = self.intrinsic * np.array([[factor], [factor], [1.0]])
        return View(k, self.world_to_camera, self.width * factor, self.height * factor)

    def to_camera(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) world points to float32 camera points."""
        rotation, translation = self.world_to_camera[:3, :3], self.world_to_camera[:3, 3]
        return (vertices @ rotation.T.astype(np.float32) + translation.astype(np.float32)).astype(np.float32)


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        return max(0, self.bottom - self.top)

    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of the picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


# Nearer than this (metres) nothing is drawn.
NEAR = 0.05


def view_of_camera(camera: Camera, width: int, height: int, row: int = 0) -> View:
    """A motion's camera as a view of a picture with these sizes."""
    return View(camera.intrinsic.numpy().astype(np.float64), camera.pose(row).numpy().astype(np.float64), width, height)


def region_of(view: View, camera_points: np.ndarray, margin: int = 2) -> Region:
    """The rectangle around points (V, 3) in camera axes; the whole picture if some are behind the camera."""
    depth = camera_points[:, 2]
    if depth.min() < NEAR:
        return Region(0, 0, view.width, view.height)
    x = camera_points[:, 0] / depth * view.intrinsic[0, 0] + view.intrinsic[0, 2]
    y = camera_points[:, 1] / depth * view.intrinsic[1, 1] + view.intrinsic[1, 2]
    left, right = (int(np.clip(value, -1e6, 1e6)) for value in (np.floor(x.min()) - margin, np.ceil(x.max()) + margin))
    top, bottom = (int(np.clip(value, -1e6, 1e6)) for value in (np.floor(y.min()) - margin, np.ceil(y.max()) + margin))
    left, right = np.clip((left, right), 0, view.width)
    top, bottom = np.clip((top, bottom), 0, view.height)
    return Region(int(left), int(top), int(right), int(bottom))
