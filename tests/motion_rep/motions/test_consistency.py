"""Joint columns and rotations of a motion: which of them is taken, and what is refused."""

from __future__ import annotations

import pytest
import torch
from sample_motions import smooth_clip
from torch.testing import assert_close

from motion_rep.common.errors import InputError
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip


def with_joints(motion: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
    changed = motion.clone()
    unpack(changed).joints.copy_(joints)
    return changed


def test_columns_that_agree_are_taken_as_they_are():
    motion = smooth_clip(21).motion
    joints, note = agreed_joints(motion)
    assert note is None and torch.equal(joints, unpack(motion).joints)


def test_small_differences_give_the_joints_of_the_rotations_and_a_note():
    motion = smooth_clip(21).motion
    noise = 0.02 * torch.randn(20, 22, 3, generator=torch.Generator().manual_seed(0))
    joints, note = agreed_joints(with_joints(motion, unpack(motion).joints + noise))
    assert_close(joints, body_parameters(motion.double()).joints().float(), atol=1e-6, rtol=0)
    assert "mm away from the joints of the rotations" in note


def test_joints_of_another_unit_are_refused():
    motion = smooth_clip(21).motion
    with pytest.raises(InputError, match="looks normalised, or its joints have another unit or axis"):
        agreed_joints(with_joints(motion, 1000 * unpack(motion).joints))


def test_one_row_far_away_is_an_edit_and_not_another_body():
    motion = smooth_clip(21).motion
    joints = unpack(motion).joints.clone()
    joints[7] += 5.0
    found, note = agreed_joints(with_joints(motion, joints))
    assert "up to 8.66e+03 mm away" in note
    assert_close(found, body_parameters(motion.double()).joints().float(), atol=1e-6, rtol=0)


def test_a_root_that_is_no_rotation_is_refused():
    motion = smooth_clip(21).motion
    unpack(motion).root_rot6d.mul_(10)
    with pytest.raises(InputError, match="looks normalised"):
        agreed_joints(motion)


def z_scored(motion: torch.Tensor) -> torch.Tensor:
    return (motion - motion.mean(0)) / motion.std(0).clamp(min=1e-4)


def test_a_normalised_motion_is_refused_by_the_reader_too():
    motion = z_scored(smooth_clip(40).motion)
    for use in (agreed_joints, MotionClip):
        with pytest.raises(InputError, match="looks normalised"):
            use(motion)


def test_rotations_of_a_decoder_may_be_a_little_off():
    motion = smooth_clip(21).motion
    noise = 0.1 * torch.randn(20, 126, generator=torch.Generator().manual_seed(0))
    motion[:, :126] += noise
    assert agreed_joints(motion).note is not None and len(MotionClip(motion)) == 20
