"""A camera projects like a pinhole, survives both forms on disk, and refuses what is no camera."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from motion_rep.common.errors import InputError
from motion_rep.kinematics.camera import (
    Camera,
    default_camera,
    extrinsic_rows,
    intrinsic_matrix,
    project,
    rigid_transform,
    transform_points,
    world_to_camera_from_rows,
)
from motion_rep.kinematics.frames import Z_UP_FROM_OPENCV, basis
from motion_rep.kinematics.rotations import matrix_to_rot6d, rotvec_to_matrix

K = intrinsic_matrix(600.0, 480, 832)


def some_pose(seed=0):
    generator = torch.Generator().manual_seed(seed)
    rotvec, place = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    return rigid_transform(rotvec_to_matrix(rotvec), place)


def test_projection_is_the_pinhole_formula():
    points = torch.tensor([[0.5, -0.25, 2.0], [0.0, 0.0, 7.0]], dtype=torch.float64)
    assert project(K, points).tolist() == [[240 + 150, 416 - 75], [240, 416]]


def test_transforms_rotate_then_move():
    pose, points = some_pose(), torch.randn(5, 3, dtype=torch.float64)
    homogeneous = torch.cat((points, torch.ones(5, 1, dtype=torch.float64)), dim=1)
    assert_close(transform_points(pose, points), (homogeneous @ pose.T)[:, :3])


def test_a_camera_knows_its_picture_and_scales_with_it():
    camera = Camera(K, some_pose())
    assert camera.size == (480, 832)
    half = camera.scaled_to(240, 416)
    points = torch.tensor([[0.3, 0.1, 3.0]], dtype=torch.float64)
    assert half.size == (240, 416)
    assert_close(project(half.intrinsic, points), project(K, points) / 2)
    wide = camera.scaled_to(960, 416)
    assert_close(project(wide.intrinsic, points), project(K, points) * torch.tensor([2.0, 0.5]))


@pytest.mark.parametrize("moving", [False, True])
def test_nine_numbers_a_row_say_the_same_as_matrices(moving):
    poses = torch.stack([some_pose(seed) for seed in range(4)]) if moving else some_pose()
    rows = extrinsic_rows(poses, 4)
    assert rows.shape == (4, 9)
    back = world_to_camera_from_rows(rows)
    assert back.shape == poses.shape
    assert_close(back, poses)


def test_nine_numbers_are_the_published_formula():
    turn = rotvec_to_matrix(torch.tensor([0.0, 0.0, 0.8], dtype=torch.float64))
    canonical_from_camera = turn @ basis(Z_UP_FROM_OPENCV, turn)
    shift = torch.tensor([0.4, -3.0, 1.1], dtype=torch.float64)
    pose = rigid_transform(canonical_from_camera.T, -canonical_from_camera.T @ shift)
    published = canonical_from_camera @ torch.diag(torch.tensor([-1.0, -1, 1], dtype=torch.float64))
    assert_close(extrinsic_rows(pose, 1)[0, :6], matrix_to_rot6d(published))
    assert_close(extrinsic_rows(pose, 1)[0, 6:], -shift @ published)


def test_the_pose_of_a_row_is_the_last_one_known():
    still, moving = Camera(K, some_pose()), Camera(K, torch.stack([some_pose(1), some_pose(2)]))
    assert_close(still.pose(7), some_pose())
    assert_close(moving.pose(0), some_pose(1))
    assert_close(moving.pose(7), some_pose(2))


@pytest.mark.parametrize("width, height", [(1920, 1080), (480, 832), (640, 640)])
def test_the_default_camera_looks_level_at_its_target(width, height):
    target = torch.tensor([0.5, -1.0, 0.9], dtype=torch.float64)
    camera = default_camera(width, height, target, distance=4.0)
    seen = transform_points(
        camera.world_to_camera,
        torch.stack((target, target + torch.tensor([0, 0, 0.5]), target + torch.tensor([0.5, 0, 0]))),
    )
    pixels = project(camera.intrinsic, seen)
    assert_close(pixels[0], torch.tensor([width / 2, height / 2], dtype=torch.float64))
    assert pixels[1, 1] < pixels[0, 1] and pixels[1, 0] == pixels[0, 0]  # up is up
    assert pixels[2, 0] < pixels[0, 0]  # seen from +y, +x is on the left
    assert float(seen[0, 2]) == pytest.approx(4.0)
    edge = torch.rad2deg(2 * torch.atan(max(width, height) / 2 / camera.intrinsic[0, 0]))
    assert float(edge) == pytest.approx(55.0)


@pytest.mark.parametrize(
    "intrinsic, pose, fault",
    [
        (torch.eye(4), torch.eye(4), "intrinsic"),
        (K, torch.eye(3), "extrinsic"),
        (K, torch.eye(4)[None, None], "extrinsic"),
        (K * float("nan"), torch.eye(4), "finite"),
        (K, torch.eye(4) * float("inf"), "finite"),
        (intrinsic_matrix(0.0, 480, 832), torch.eye(4), "focal"),
        (intrinsic_matrix(-600.0, 480, 832), torch.eye(4), "focal"),
        (intrinsic_matrix(600.0, 1e9, 832), torch.eye(4), "pixels"),
        (intrinsic_matrix(600.0, 0.0, 832), torch.eye(4), "0x832 pixels"),
    ],
)
def test_what_is_no_camera_is_refused(intrinsic, pose, fault):
    with pytest.raises(InputError, match=fault):
        Camera(intrinsic, pose)
