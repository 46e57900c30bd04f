"""A foot is on the ground where its joint is low or slow, by the benchmark's bounds."""

from __future__ import annotations

import pytest
import torch

from motion_rep.kinematics.foot_contact import FEET, foot_contacts


def feet_at(heights, steps, fps=16.0):
    """Contacts of the left foot at these heights, moved sideways by these steps (metres); the right foot stands."""
    joints = torch.zeros(len(heights), 22, 3, dtype=torch.float64)
    joints[:, FEET[0], 2] = torch.tensor(heights, dtype=torch.float64)
    joints[1:, FEET[0], 0] = torch.tensor(steps, dtype=torch.float64).cumsum(0)
    found = foot_contacts(joints, fps)
    assert found[:, 1].all()
    return found[:, 0].tolist()


def test_a_low_foot_stands_however_fast_it_moves():
    assert feet_at([0.019, 0.019, 0.021], [1.0, 1.0]) == [True, True, False]


@pytest.mark.parametrize("fps", [16.0, 60.0])
def test_a_high_foot_stands_below_sixteen_centimetres_a_second(fps):
    slow, fast = 0.15 / fps, 0.17 / fps
    assert feet_at([0.5, 0.5, 0.5], [slow, fast], fps) == [True, False, False]


def test_the_last_frame_has_the_speed_of_the_last_step():
    assert feet_at([0.5, 0.5, 0.5], [1.0, 0.009]) == [False, True, True]


def test_one_frame_has_no_speed():
    assert feet_at([0.01], []) == [True] and feet_at([0.5], []) == [False]
