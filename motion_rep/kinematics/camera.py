"""A pinhole camera: intrinsic, extrinsic in all forms of the format, projection."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from motion_rep.common.errors import InputError
from motion_rep.common.sizes import DEFAULT_FIELD_OF_VIEW, LARGEST_SIDE
from motion_rep.kinematics.finite import all_finite, require_shape
from motion_rep.kinematics.frames import PYTORCH3D_FROM_OPENCV, Z_UP_FROM_OPENCV, basis
from motion_rep.kinematics.rotations import matrix_to_rot6d, rot6d_to_matrix

# Pixels; the limits of --focal-length.
SHORTEST_FOCAL, LONGEST_FOCAL = 1e-6, 1e9


@dataclass(frozen=True)
class Camera:
    """The camera of a motion.

    intrinsic: (3, 3) pixels; pixel centres at whole numbers plus one half; image centre (width / 2, height / 2).
    world_to_camera: (4, 4) for a still camera, or (N, 4, 4) with one pose per row; OpenCV camera axes, metres.
    """

    intrinsic: Tensor
    world_to_camera: Tensor

    def __post_init__(self) -> None:
        require_shape("intrinsic", self.intrinsic, (3, 3))
        if self.world_to_camera.ndim not in (2, 3) or self.world_to_camera.shape[-2:] != (4, 4):
            raise InputError(
                f"extrinsic has shape {tuple(self.world_to_camera.shape)}, expected (4, 4) or (frames, 4, 4)."
            )
        numbers = self.intrinsic.flatten().tolist()
        if not (all(map(math.isfinite, numbers)) and all_finite(self.world_to_camera)):
            raise InputError("the camera has values that are not finite numbers.")
        require_lens(min(numbers[0], numbers[4]), max(numbers[0], numbers[4]), *self.size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels: twice the principal point."""
        return round(2 * float(self.intrinsic[0, 2])), round(2 * float(self.intrinsic[1, 2]))

    def pose(self, row: int) -> Tensor:
        """(4, 4) world to camera of one row."""
        return (
            self.world_to_camera
            if self.world_to_camera.ndim == 2
            else self.world_to_camera[min(row, len(self.world_to_camera) - 1)]
        )

    def scaled_to(self, width: int, height: int) -> Camera:
        """The same camera for a picture of another size."""
        own_width, own_height = self.size
        scale = torch.tensor([[width / own_width], [height / own_height], [1.0]], dtype=self.intrinsic.dtype)
        return Camera(self.intrinsic * scale, self.world_to_camera)


def require_lens(shortest: float, longest: float, width: float, height: float) -> None:
    """Check the numbers of a camera from a file, all in pixels.

    Args:
        shortest, longest: range of the focal lengths of all frames.
    Raises:
        InputError: without the file's name.
    """
    if not (shortest >= SHORTEST_FOCAL and longest <= LONGEST_FOCAL):
        found = shortest if shortest < SHORTEST_FOCAL else longest
        raise InputError(
            f"the focal length (focal_length) is {found:g} pixels, expected a number above zero, at most "
            f"{LONGEST_FOCAL:g}."
        )
    if not all(1 <= side <= LARGEST_SIDE for side in (width, height)):
        raise InputError(
            f"the camera's picture (width, height; twice the principal point) has {width:g}x{height:g} pixels, "
            f"expected sides above zero, at most {LARGEST_SIDE}."
        )


def intrinsic_matrix(focal_length: float, width: float, height: float) -> Tensor:
    """(3, 3) float64 [[f, 0, W/2], [0, f, H/2], [0, 0, 1]], pixels."""
    rows = [[focal_length, 0.0, width / 2], [0.0, focal_length, height / 2], [0.0, 0.0, 1.0]]
    return torch.tensor(rows, dtype=torch.float64)


def transform_points(transform: Tensor, points: Tensor) -> Tensor:
    """Points (..., n, 3) moved by rigid transforms (..., 4, 4)."""
    return points @ transform[..., :3, :3].mT + transform[..., None, :3, 3]


def project(intrinsic: Tensor, points: Tensor) -> Tensor:
    """Points (..., 3) in an OpenCV camera frame to pixels (..., 2); undefined behind the camera."""
    image = points @ intrinsic.mT
    return image[..., :2] / image[..., 2:]


def rigid_transform(rotation: Tensor, translation: Tensor) -> Tensor:
    """(3, 3) and (3,) to a (4, 4) transform."""
    transform = torch.eye(4, dtype=rotation.dtype, device=rotation.device)
    transform[:3, :3], transform[:3, 3] = rotation, translation
    return transform


def extrinsic_rows(world_to_camera: Tensor, count: int) -> Tensor:
    """The published data set's extrinsic: nine numbers per row, in PyTorch3D's row-vector convention and axes (x left,
    y up).

    ``p_pytorch3d = p_world @ R + T`` with rot6d of R, then T.

    Args:
        world_to_camera: (4, 4) or (count, 4, 4), OpenCV axes.
        count: rows of the motion.
    Returns:
        (count, 9)
    """
    poses = world_to_camera.expand(count, 4, 4)
    flipped = basis(PYTORCH3D_FROM_OPENCV, poses) @ poses[:, :3]
    return torch.cat((matrix_to_rot6d(flipped[:, :, :3].mT), flipped[:, :, 3]), dim=1)


def world_to_camera_from_rows(rows: Tensor) -> Tensor:
    """The inverse of :func:`extrinsic_rows`: (N, 9) to (4, 4), or to (N, 4, 4) for a moving camera."""
    rotation, translation = rot6d_to_matrix(rows[:, :6]).mT, rows[:, 6:]
    flip = basis(PYTORCH3D_FROM_OPENCV, rows)
    poses = torch.eye(4, dtype=rows.dtype).repeat(len(rows), 1, 1)
    poses[:, :3, :3], poses[:, :3, 3] = flip @ rotation, translation @ flip
    return poses[0] if torch.allclose(poses, poses[:1], atol=1e-5) else poses


def default_camera(
    width: int, height: int, target: Tensor, distance: float, field_of_view: float = DEFAULT_FIELD_OF_VIEW
) -> Camera:
    """A level camera that looks along -y at a point of a z-up world, for motions without a camera.

    Args:
        width, height: pixels; the field of view (degrees) spans the larger one.
        target: (3,) metres.
        distance: metres between camera and target; the camera is at +y, the direction that a canonical person faces.
    """
    focal = max(width, height) / 2 / torch.tan(torch.deg2rad(torch.tensor(field_of_view / 2, dtype=torch.float64)))
    ahead = torch.tensor([0.0, 0.0, distance], dtype=torch.float64)
    rotation = basis(Z_UP_FROM_OPENCV, ahead).mT
    return Camera(
        intrinsic_matrix(float(focal), width, height), rigid_transform(rotation, ahead - rotation @ target.double())
    )
