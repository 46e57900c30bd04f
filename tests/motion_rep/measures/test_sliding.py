"""Feet that slide: found where they do, and nowhere in steps that are known not to."""

from __future__ import annotations

import numpy as np
import pytest

from motion_rep.measures.in_seconds import SKATING
from motion_rep.measures.sliding import foot_points
from scripts.dev.refining_evaluation.steps import make_steps

FPS = 16.0


@pytest.mark.parametrize("name", ["walk", "walk_fast", "jumps", "turn"])
def test_feet_that_stand_still_do_not_slide(name):
    points = foot_points(make_steps(name).parameters.joints().numpy(), FPS)
    assert points.standing.any() and not points.sliding.any()


@pytest.mark.parametrize("speed, slides", [(0.95 * SKATING, False), (1.05 * SKATING, True)])
def test_the_limit_is_the_speed_along_the_ground(speed, slides):
    joints = np.repeat(make_steps("jumps").parameters.joints().numpy()[:1], 9, axis=0)
    joints[4:, :, 1] += speed / FPS * np.arange(1, 6)[:, None]
    points = foot_points(joints, FPS)
    assert points.standing.all() and not points.sliding[:3].any()
    assert points.sliding[3:].all() == slides and points.sliding.any() == slides
    standing, sliding = points.of_foot(1)
    assert standing.all() and sliding.tolist() == [False] * 3 + [slides] * 6
