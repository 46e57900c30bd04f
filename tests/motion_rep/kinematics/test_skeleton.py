"""The skeleton is SMPL-X's: the same constants as mannequin-x, the same joints as smplx, a chain of rigid bones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import (
    JOINT_NAMES,
    LEVELS,
    PARENTS,
    REST_JOINTS,
    _plan,
    forward_kinematics,
    pelvis_at_rest,
    rest_joints,
)


def random_pose(frames, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    pose = 0.9 * torch.randn(frames, 22, 3, generator=generator, dtype=dtype)
    return pose[:, 0], pose[:, 1:], torch.randn(frames, 3, generator=generator, dtype=dtype)


def joints_of(root, body, transl):
    return forward_kinematics(rotvec_to_matrix(root), rotvec_to_matrix(body), transl)


def test_names_and_parents_describe_a_tree_with_two_equal_sides():
    assert len(JOINT_NAMES) == len(PARENTS) == len(REST_JOINTS) == 22
    assert PARENTS[0] == -1 and all(0 <= parent < joint for joint, parent in enumerate(PARENTS) if joint)
    assert sorted(joint for level in LEVELS for joint in level) == list(range(1, 22))
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith("left_"):
            other = JOINT_NAMES.index(name.replace("left_", "right_"))
            assert REST_JOINTS[joint][0] > 0 > REST_JOINTS[other][0]
            assert JOINT_NAMES[PARENTS[joint]].replace("left_", "right_") == JOINT_NAMES[PARENTS[other]]


def test_rest_joints_are_mannequin_xs_neutral_body():
    from mannequin import Mannequin

    model = Mannequin("wooden")
    their_names = [name.lower().replace("l_", "left_").replace("r_", "right_") for name in model.joint_names]
    places = model.joint_transforms(model.rest_pose())[:, :3, 3]
    ours = np.array(REST_JOINTS)
    theirs = np.stack([places[their_names.index(name)] for name in JOINT_NAMES])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], atol=1e-6)


def test_the_pelvis_is_where_the_published_format_has_it():
    assert_close(
        rest_joints()[0], torch.tensor([0.00312326, -0.35140747, 0.01203655], dtype=torch.float64), atol=1e-8, rtol=0
    )
    assert pelvis_at_rest(torch.zeros(1, dtype=torch.float32)).dtype == torch.float32


def test_joints_are_those_of_smplx(smplx_file):
    import smplx

    frames = 5
    layer = smplx.SMPLX(
        str(smplx_file), ext="npz", use_pca=False, flat_hand_mean=True, batch_size=frames, num_betas=10
    ).double()
    root, body, transl = random_pose(frames)
    hands = torch.zeros(frames, 45, dtype=torch.float64)
    output = layer(
        global_orient=root, body_pose=body.flatten(1), transl=transl, left_hand_pose=hands, right_hand_pose=hands
    )
    assert_close(joints_of(root, body, transl).positions, output.joints[:, :22], atol=1e-6, rtol=0)


def test_joints_are_those_of_smplx_with_a_whole_body_file(shared):
    import smplx

    path = shared / "body" / "SMPLX_NEUTRAL.npz"
    if not path.is_file():
        pytest.skip("no body file beside this checkout")
    layer = smplx.SMPLX(str(path), ext="npz", use_pca=False, batch_size=3, num_betas=10)
    root, body, transl = (value.float() for value in random_pose(3, seed=1))
    output = layer(global_orient=root, body_pose=body.flatten(1), transl=transl)
    assert_close(joints_of(root, body, transl).positions, output.joints[:, :22], atol=2e-5, rtol=0)


def test_bones_keep_their_lengths_and_the_pelvis_stays_whatever_turns():
    root, body, transl = random_pose(20, seed=2)
    positions = joints_of(root, body, transl).positions
    rest = rest_joints()
    for joint in range(1, 22):
        lengths = (positions[:, joint] - positions[:, PARENTS[joint]]).norm(dim=-1)
        assert_close(lengths, (rest[joint] - rest[PARENTS[joint]]).norm().expand(20))
    assert_close(positions[:, 0], rest[0] + transl)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_any_batch_shape_and_dtype(shape, dtype):
    eye = torch.eye(3, dtype=dtype)
    poses = forward_kinematics(
        eye.expand(*shape, 3, 3), eye.expand(*shape, 21, 3, 3), torch.zeros(*shape, 3, dtype=dtype)
    )
    assert poses.rotations.shape == (*shape, 22, 3, 3) and poses.positions.shape == (*shape, 22, 3)
    assert poses.positions.dtype == dtype
    assert_close(poses.positions, rest_joints(dtype).expand(*shape, 22, 3), atol=1e-6, rtol=0)


def test_turning_the_root_turns_everything_about_the_pelvis():
    root, body, transl = random_pose(4, seed=3)
    turn = rotvec_to_matrix(torch.tensor([0.3, -1.1, 0.4], dtype=torch.float64))
    before = joints_of(root, body, transl).positions
    after = forward_kinematics(turn @ rotvec_to_matrix(root), rotvec_to_matrix(body), transl).positions
    assert_close(after - after[:, :1], (before - before[:, :1]) @ turn.T)


def test_gradients_flow_also_after_a_first_call_that_needed_none():
    _plan.cache_clear()
    root, body, transl = random_pose(2)
    with torch.inference_mode():
        joints_of(root, body, transl)
    body.requires_grad_()
    joints_of(root, body, transl).positions.sum().backward()
    assert body.grad.isfinite().all() and body.grad.abs().max() > 0
