"""Rotations agree with roma, undo each other, and stay finite where formulas divide by zero."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from motion_rep.kinematics.rotations import (
    angle_between,
    continuous_rotvecs,
    matrix_to_quaternion,
    matrix_to_rot6d,
    matrix_to_rotvec,
    nearest_rotation,
    quaternion_to_matrix,
    rot6d_to_matrix,
    rotvec_to_matrix,
    slerp,
)

DTYPES = [torch.float32, torch.float64]
SHAPES = [(), (1,), (7,), (2, 3), (2, 1, 3), (0,)]


def close_enough(dtype):
    return {"atol": 2e-6, "rtol": 0} if dtype == torch.float32 else {"atol": 1e-12, "rtol": 0}


def random_rotvec(shape, dtype, longest=3.1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    axis = torch.randn(*shape, 3, generator=generator, dtype=dtype)
    return axis / axis.norm(dim=-1, keepdim=True) * longest * torch.rand(*shape, 1, generator=generator, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_conversion_agrees_with_roma_and_keeps_dtype_and_batch(shape, dtype, roma):
    rotvec = random_rotvec(shape, dtype)
    matrix = rotvec_to_matrix(rotvec)
    assert matrix.shape == (*shape, 3, 3) and matrix.dtype == dtype
    if matrix.numel():
        assert_close(matrix, roma.rotvec_to_rotmat(rotvec), **close_enough(dtype))
        wxyz = matrix_to_quaternion(matrix)
        xyzw = roma.rotmat_to_unitquat(matrix)
        xyzw = torch.where(xyzw[..., 3:] < 0, -xyzw, xyzw)
        assert_close(wxyz, xyzw.roll(1, dims=-1), **close_enough(dtype))
    back = matrix_to_rotvec(matrix)
    assert back.shape == rotvec.shape and back.dtype == dtype
    # Close to a half turn an angle is worth less than the matrix it came from.
    assert_close(back, rotvec, atol=1e-4 if dtype == torch.float32 else 1e-11, rtol=0)
    assert_close(quaternion_to_matrix(matrix_to_quaternion(matrix)), matrix, **close_enough(dtype))
    assert_close(rot6d_to_matrix(matrix_to_rot6d(matrix)), matrix, **close_enough(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("angle", [1e-7, 1e-5, 1e-4, 1e-3])
def test_tiny_angles_survive_the_way_there_and_back(angle, dtype):
    rotvec = angle * torch.eye(3, dtype=dtype)
    assert_close(
        matrix_to_rotvec(rotvec_to_matrix(rotvec)), rotvec, rtol=1e-5, atol=0 if dtype == torch.float64 else 1e-13
    )


@pytest.mark.parametrize("angle", [1e-6, 9e-5, 1.1e-4, 1e-3, 0.01, 0.1, 0.5])
def test_no_angle_falls_between_the_series_and_the_formula(angle, roma):
    rotvec = angle * torch.tensor([0.48, 0.6, -0.64], dtype=torch.float64)
    assert_close(rotvec_to_matrix(rotvec), roma.rotvec_to_rotmat(rotvec), atol=1e-14, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0.8, 0), (-0.48, 0.6, 0.64), (0, -0.6, -0.8)])
def test_exactly_half_a_turn_gives_the_axis_up_to_its_sign(axis, dtype):
    unit = torch.tensor(axis, dtype=dtype)
    matrix = 2 * torch.outer(unit, unit) - torch.eye(3, dtype=dtype)
    rotvec = matrix_to_rotvec(matrix)
    tolerance = 1e-6 if dtype == torch.float32 else 1e-14
    assert abs(float(rotvec.norm()) - math.pi) < tolerance * 4
    assert abs(abs(float(rotvec @ unit)) - math.pi) < tolerance * 4
    assert_close(rotvec_to_matrix(rotvec), matrix, atol=4 * tolerance, rtol=0)


@pytest.mark.parametrize("beyond", [1e-7, 1e-4, -1e-7, -1e-4])
def test_close_to_half_a_turn_the_angle_stays_below_pi(beyond):
    rotvec = (math.pi + beyond) * torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    back = matrix_to_rotvec(rotvec_to_matrix(rotvec))
    assert float(back.norm()) <= math.pi + 1e-12
    assert_close(rotvec_to_matrix(back), rotvec_to_matrix(rotvec), atol=1e-12, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("angle", [0.0, 1e-30, 1e-7, 1e-4, 1.0, math.pi - 1e-7, math.pi])
def test_gradients_are_finite_everywhere(angle, dtype):
    rotvec = (angle * torch.tensor([[0.6, 0.0, 0.8], [0.0, 0.0, 1.0]], dtype=dtype)).requires_grad_()
    weights = torch.arange(1.0, 4.0, dtype=dtype)
    for through in (
        lambda value: value,
        lambda value: matrix_to_rotvec(value),
        lambda value: matrix_to_quaternion(value),
        lambda value: rot6d_to_matrix(matrix_to_rot6d(value)),
        lambda value: slerp(torch.eye(3, dtype=dtype).expand(2, 3, 3), value, torch.full((2,), 0.3, dtype=dtype)),
    ):
        (gradient,) = torch.autograd.grad((through(rotvec_to_matrix(rotvec))[..., :3] * weights).sum(), rotvec)
        assert gradient.isfinite().all()


def test_the_derivative_at_no_rotation_is_the_cross_product():
    jacobian = torch.autograd.functional.jacobian(rotvec_to_matrix, torch.zeros(3, dtype=torch.float64))
    for axis in range(3):
        for column in range(3):
            expected = torch.linalg.cross(
                torch.eye(3, dtype=torch.float64)[axis], torch.eye(3, dtype=torch.float64)[column]
            )
            assert_close(jacobian[:, column, axis], expected)


def test_the_derivative_is_right_at_ordinary_angles():
    rotvec = random_rotvec((4,), torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(rotvec_to_matrix, (rotvec,))
    assert torch.autograd.gradcheck(lambda value: matrix_to_rotvec(rotvec_to_matrix(value)), (rotvec,))


def test_rot6d_is_the_first_two_columns_row_by_row():
    matrix = torch.arange(9.0).reshape(3, 3)
    assert matrix_to_rot6d(matrix).tolist() == [0, 1, 3, 4, 6, 7]


def test_gram_schmidt_ignores_lengths_and_what_leans_on_the_first_column(roma):
    matrix = rotvec_to_matrix(random_rotvec((5,), torch.float64))
    first, second = matrix[..., 0], matrix[..., 1]
    disturbed = torch.stack((3.0 * first, 0.2 * second + 1.7 * first), dim=-1).flatten(-2)
    assert_close(rot6d_to_matrix(disturbed), matrix)
    assert_close(rot6d_to_matrix(disturbed), roma.special_gramschmidt(disturbed.unflatten(-1, (3, 2))))


def test_quaternions_have_a_real_part_of_at_least_zero_and_any_length_will_do():
    matrix = rotvec_to_matrix(random_rotvec((50,), torch.float64, longest=6.0))
    quaternion = matrix_to_quaternion(matrix)
    assert (quaternion[:, 0] >= 0).all()
    assert_close(quaternion_to_matrix(-2.5 * quaternion), matrix)


@pytest.mark.parametrize("dtype", DTYPES)
def test_slerp_agrees_with_roma_and_turns_at_a_steady_rate_on_the_shortest_arc(dtype, roma):
    start = rotvec_to_matrix(random_rotvec((6,), dtype, seed=1))
    end = start @ rotvec_to_matrix(random_rotvec((6,), dtype, longest=3.0, seed=2))
    weights = torch.linspace(0, 1, 5, dtype=dtype)
    steps = torch.stack([slerp(start, end, weight.expand(6)) for weight in weights])
    assert_close(steps[0], start, **close_enough(dtype))
    assert_close(steps[-1], end, atol=1e-5 if dtype == torch.float32 else 1e-12, rtol=0)
    total = matrix_to_rotvec(start.mT @ end).norm(dim=-1)
    for before, after in zip(steps[:-1], steps[1:], strict=True):
        assert_close(matrix_to_rotvec(before.mT @ after).norm(dim=-1), total / 4, atol=1e-5, rtol=0)
    expected = roma.rotmat_slerp(start, end, weights)
    assert_close(steps, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nearest_rotation_keeps_rotations_and_repairs_everything_else(dtype, roma):
    rotation = rotvec_to_matrix(random_rotvec((8,), dtype))
    assert_close(nearest_rotation(rotation), rotation, **close_enough(dtype))
    generator = torch.Generator().manual_seed(3)
    noisy = torch.randn(40, 3, 3, generator=generator, dtype=dtype)  # half of them mirror
    repaired = nearest_rotation(noisy)
    assert_close(torch.linalg.det(repaired), torch.ones(40, dtype=dtype), atol=1e-4, rtol=0)
    assert_close(repaired, roma.special_procrustes(noisy), atol=2e-4 if dtype == torch.float32 else 1e-10, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_angle_between_two_rotations_is_that_of_the_turn(dtype, roma):
    first, second = (rotvec_to_matrix(random_rotvec((50,), dtype, seed=seed)) for seed in (1, 2))
    turn = roma.rotmat_to_rotvec(second @ first.mT).norm(dim=-1)
    assert_close(angle_between(first, second), turn, atol=1e-3 if dtype == torch.float32 else 1e-7, rtol=0)
    half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=dtype)) @ first
    assert_close(
        angle_between(first, half_turn),
        torch.full((50,), math.pi, dtype=dtype),
        atol=2e-3 if dtype == torch.float32 else 1e-7,
        rtol=0,
    )
    assert float(angle_between(first, first).max()) < (2e-3 if dtype == torch.float32 else 1e-7)


def test_rotation_vectors_over_time_give_the_rotations_back_and_do_not_jump():
    turn = torch.linspace(0, 12.0, 120, dtype=torch.float64)
    axes = torch.nn.functional.normalize(random_rotvec((120, 3), torch.float64) * 0.1 + 1.0, dim=-1)
    matrices = rotvec_to_matrix(axes[:1] * turn[:, None, None])
    vectors = continuous_rotvecs(matrices)
    assert_close(rotvec_to_matrix(vectors), matrices, atol=1e-9, rtol=0)
    assert_close(vectors, axes[:1] * turn[:, None, None], atol=1e-6, rtol=0)


def test_rotation_vectors_over_time_stay_below_two_turns():
    turn = torch.arange(0, 60.0, 0.2, dtype=torch.float64)
    matrices = rotvec_to_matrix(turn[:, None] * torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64))
    vectors = continuous_rotvecs(matrices)
    assert float(vectors.norm(dim=-1).max()) <= 4 * math.pi
    assert_close(rotvec_to_matrix(vectors), matrices, atol=1e-9, rtol=0)


def test_still_joints_and_single_frames_have_their_shortest_vectors():
    one = rotvec_to_matrix(random_rotvec((1, 4), torch.float64))
    assert_close(continuous_rotvecs(one), matrix_to_rotvec(one))
    still = torch.eye(3, dtype=torch.float64).expand(5, 2, 3, 3)
    assert_close(continuous_rotvecs(still), torch.zeros(5, 2, 3, dtype=torch.float64))
