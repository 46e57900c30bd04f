"""Tremble: what noise gives, what speed gives, at every rate."""

from __future__ import annotations

import numpy as np
import pytest

from motion_rep.measures.tremble import tremble


def swinging(fps, hertz=1.0, size=0.5, seconds=5.0):
    """Joints on circles of different phase: fast and smooth."""
    times = np.arange(int(seconds * fps)) / fps
    phases = 2 * np.pi * (hertz * times[:, None] + np.arange(22) / 22)
    return size * np.stack((np.cos(phases), np.sin(phases), 0 * phases), axis=-1)


def noise(shape, size, seed=0):
    return np.random.default_rng(seed).normal(size=shape) * size


def test_it_is_its_definition():
    joints = noise((9, 22, 3), 0.3)
    ratios = []
    for joint in range(1, 22):
        place = joints[:, joint] - joints[:, 0]
        for t in range(2, 7):
            second = np.linalg.norm(place[t + 1] - 2 * place[t] + place[t - 1])
            fourth = place[t + 2] - 4 * place[t + 1] + 6 * place[t] - 4 * place[t - 1] + place[t - 2]
            ratios.append(np.linalg.norm(fourth) / (second + 0.001))
    assert tremble(joints) == pytest.approx(np.median(ratios) / np.sqrt(70 / 6))


@pytest.mark.parametrize("size", (0.02, 0.2))
def test_white_noise_of_any_size_gives_about_one(size):
    assert tremble(noise((400, 22, 3), size)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("fps", (16, 24, 30, 60))
def test_a_fast_smooth_movement_is_below_the_suggested_limit_and_its_noisy_copy_above(fps):
    smooth = swinging(fps)
    assert tremble(smooth) < 0.2
    assert tremble(smooth + noise(smooth.shape, 0.03)) > 0.6


def test_a_still_body_and_a_short_clip_do_not_tremble():
    assert tremble(np.zeros((20, 22, 3))) == 0
    assert tremble(noise((4, 22, 3), 0.3)) == 0


def test_the_way_of_the_whole_body_does_not_count():
    joints = swinging(16)
    assert tremble(joints + noise((len(joints), 1, 3), 0.05)) == pytest.approx(tremble(joints))
