"""The kinematics in NumPy equal those in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from motion_rep.kinematics.array_chain import PELVIS_AT_REST, frames_last, pose_chain
from motion_rep.kinematics.array_rotations import between_rotations, rotation_matrices, rotation_vectors
from motion_rep.kinematics.rotations import matrix_to_rotvec, rotvec_to_matrix, slerp
from motion_rep.kinematics.skeleton import forward_kinematics

RANDOM = np.random.default_rng(4)
AXES = RANDOM.normal(0, 1, (50, 3))
AXES = AXES / np.linalg.norm(AXES, axis=1, keepdims=True)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-7, 1e-4, 0.5, 2.0, np.pi - 1e-6, np.pi])
def test_rotation_vectors_become_the_same_matrices_and_come_back(angle):
    matrices = rotation_matrices(AXES * angle)
    assert np.allclose(matrices, rotvec_to_matrix(torch.from_numpy(AXES * angle)).numpy(), atol=1e-12)
    assert np.allclose(rotation_matrices(rotation_vectors(matrices)), matrices, atol=1e-12)
    assert np.allclose(rotation_vectors(matrices), matrix_to_rotvec(torch.from_numpy(matrices)).numpy(), atol=1e-9)
    assert rotation_vectors(matrices.astype(np.float32)).dtype == np.float32


def test_rotations_between_two_are_those_of_slerp():
    start, end = (rotation_matrices(RANDOM.normal(0, 0.8, (6, 4, 3))) for _ in range(2))
    weight = RANDOM.uniform(0, 1, (6, 4))
    assert np.allclose(
        between_rotations(start, end, weight), slerp(*map(torch.from_numpy, (start, end, weight))).numpy(), atol=1e-9
    )


def test_the_pose_of_the_chain_is_that_of_forward_kinematics():
    root, body = (rotation_matrices(RANDOM.normal(0, 1, shape)) for shape in ((7, 3), (7, 21, 3)))
    transl = RANDOM.normal(0, 1, (7, 3))
    pose = pose_chain(frames_last(root), frames_last(body), frames_last(transl + PELVIS_AT_REST))
    wanted = forward_kinematics(*map(torch.from_numpy, (root, body, transl)))
    assert np.allclose(pose.rotations.transpose(3, 2, 0, 1), wanted.rotations.numpy())
    assert np.allclose(pose.positions.T, wanted.positions.numpy(), atol=1e-6)
