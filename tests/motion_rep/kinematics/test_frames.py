"""Changes of basis are proper rotations that do what their names say; the heading makes every person face +y."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from motion_rep.common.errors import InputError
from motion_rep.kinematics.frames import (
    OPENCV_FROM_Y_UP,
    OPENGL_FROM_OPENCV,
    Y_UP_FROM_Z_UP,
    Z_UP_FROM_OPENCV,
    basis,
    heading,
    level_from_camera,
    transform_transl,
    y_up_from_z_up,
)
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics

DOUBLE = torch.zeros(1, dtype=torch.float64)


@pytest.mark.parametrize("rows", [Z_UP_FROM_OPENCV, Y_UP_FROM_Z_UP, OPENCV_FROM_Y_UP, OPENGL_FROM_OPENCV])
def test_every_change_of_basis_is_a_rotation(rows):
    matrix = basis(rows, DOUBLE)
    assert_close(matrix @ matrix.T, torch.eye(3, dtype=torch.float64), atol=0, rtol=0)
    assert float(torch.linalg.det(matrix)) == 1.0


def test_up_is_up_in_every_frame():
    down_in_opencv = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    assert (basis(Z_UP_FROM_OPENCV, DOUBLE) @ down_in_opencv).tolist() == [0, 0, -1]
    assert (basis(Y_UP_FROM_Z_UP, DOUBLE) @ torch.tensor([0.0, 0, 1], dtype=torch.float64)).tolist() == [0, 1, 0]
    assert (basis(OPENCV_FROM_Y_UP, DOUBLE) @ torch.tensor([0.0, 1, 0], dtype=torch.float64)).tolist() == [0, -1, 0]


def test_points_and_matrix_from_z_up_to_y_up_agree():
    points = torch.randn(4, 22, 3, dtype=torch.float64)
    assert_close(y_up_from_z_up(points), points @ basis(Y_UP_FROM_Z_UP, points).T, atol=0, rtol=0)
    ahead = torch.tensor([0.0, 1.0, 0.0])
    assert y_up_from_z_up(ahead).tolist() == [0, 0, 1]


def test_a_rotation_of_the_world_moves_all_joints_of_a_posed_body_alike():
    generator = torch.Generator().manual_seed(0)
    root, body = (
        rotvec_to_matrix(torch.randn(*shape, 3, generator=generator, dtype=torch.float64)) for shape in ((6,), (6, 21))
    )
    transl = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    turn = rotvec_to_matrix(torch.tensor([0.4, 2.0, -0.7], dtype=torch.float64))
    joints = forward_kinematics(root, body, transl).positions
    moved = forward_kinematics(turn @ root, body, transform_transl(turn, transl)).positions
    assert_close(moved, joints @ turn.T)


def standing(yaw: float = 0.0) -> torch.Tensor:
    """The rest pose in z-up axes, turned about the vertical; it faces -y before that."""
    eye = torch.eye(3, dtype=torch.float64)
    rest = forward_kinematics(eye, eye.expand(21, 3, 3), torch.zeros(3, dtype=torch.float64)).positions
    z_up = torch.stack((rest[:, 0], -rest[:, 2], rest[:, 1]), dim=-1)
    return z_up @ rotvec_to_matrix(torch.tensor([0, 0, yaw], dtype=torch.float64)).T


@pytest.mark.parametrize("yaw", [0.0, 0.7, math.pi, -2.5])
def test_after_the_heading_the_person_faces_plus_y_and_stands_as_high_as_before(yaw):
    joints = standing(yaw)
    found = heading(joints)
    turned = joints @ found.canonical_from_z_up.T
    toes, ankle = (turned[JOINT_NAMES.index(f"left_{name}")] for name in ("foot", "ankle"))
    across = turned[JOINT_NAMES.index("right_hip")] - turned[JOINT_NAMES.index("left_hip")]
    assert toes[1] > ankle[1] + 0.1
    assert across[0] > 0.1 and abs(across[1]) < 1e-12
    assert_close(turned[:, 2], joints[:, 2])
    assert_close(found.canonical_from_z_up @ found.canonical_from_z_up.T, torch.eye(3, dtype=torch.float64))
    assert found.note is None


def with_upright_pair(joints, pair):
    """The pair of joints moved above each other."""
    joints = joints.clone()
    left, right = (JOINT_NAMES.index(name) for name in pair)
    joints[right] = joints[left] + torch.tensor([0.0, 0.0, 0.2], dtype=joints.dtype)
    return joints


def test_upright_hips_give_way_to_the_shoulders_and_say_so():
    joints = with_upright_pair(standing(0.4), ("left_hip", "right_hip"))
    found = heading(joints)
    turned = joints @ found.canonical_from_z_up.T
    across = turned[JOINT_NAMES.index("right_shoulder")] - turned[JOINT_NAMES.index("left_shoulder")]
    assert across[0] > 0.2 and abs(across[1]) < 1e-12
    assert "shoulder" in found.note


@pytest.mark.parametrize(("length", "note"), [(0.0009, "shoulder axis"), (0.0011, None)])
def test_a_hip_axis_of_a_millimetre_on_the_ground_tells_the_heading(length, note):
    joints = with_upright_pair(standing(0.4), ("left_hip", "right_hip"))
    joints[JOINT_NAMES.index("right_hip"), 1] += length
    found = heading(joints)
    assert (note in found.note) if note else (found.note is None)


@pytest.mark.parametrize(
    ("up", "diagonal"), [((0.0, -1.0, 0.0), (1.0, 1.0, 1.0)), ((0.0, 1.0, 0.0), (1.0, -1.0, -1.0))]
)
def test_a_level_camera_stays_and_one_upside_down_makes_half_a_turn(up, diagonal):
    found = level_from_camera(torch.tensor(up, dtype=torch.float64))
    assert_close(found, torch.diag(torch.tensor(diagonal, dtype=torch.float64)))


def test_upright_hips_and_shoulders_give_way_to_the_spine():
    joints = standing()
    joints[JOINT_NAMES.index("neck")] = joints[0] + torch.tensor([0.3, 0.4, 0.0], dtype=torch.float64)
    joints = with_upright_pair(
        with_upright_pair(joints, ("left_hip", "right_hip")), ("left_shoulder", "right_shoulder")
    )
    found = heading(joints)
    spine = found.canonical_from_z_up @ (joints[JOINT_NAMES.index("neck")] - joints[0])
    assert spine[1] > 0.49 and abs(spine[0]) < 1e-12
    assert "spine" in found.note
    assert float(torch.linalg.det(found.canonical_from_z_up)) == pytest.approx(1)


def test_a_body_without_any_direction_is_refused():
    joints = torch.zeros(22, 3, dtype=torch.float64)
    joints[:, 2] = torch.arange(22)
    with pytest.raises(InputError, match="no heading"):
        heading(joints)
