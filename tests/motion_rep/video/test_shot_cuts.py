"""Cuts between shots, on drawn frames."""

from __future__ import annotations

import numpy as np
import pytest

from motion_rep.video.shot_cuts import ShotWatcher


def scene(seed: int, left: float = 0.0) -> np.ndarray:
    """A picture of coloured blocks, seen from a camera that moved ``left`` pixels."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (12, 40, 3))
    wide = np.kron(blocks, np.ones((20, 20, 1))).astype(np.uint8)
    return np.ascontiguousarray(np.roll(wide, -round(left), axis=1)[:, :320])


def cuts(frames: list[np.ndarray]) -> tuple[int, ...]:
    watcher = ShotWatcher()
    for frame in frames:
        watcher.look(frame)
    return watcher.cuts()


@pytest.mark.parametrize("length", [1, 3, 20])
def test_cuts_are_found(length):
    frames = [scene(1, k) for k in range(20)] + [scene(2, k) for k in range(length)] + [scene(3, k) for k in range(20)]
    assert cuts(frames) == (20, 20 + length)


def test_a_cut_is_suspected_at_once():
    watcher = ShotWatcher()
    assert [watcher.look(scene(seed)) for seed in (1, 1, 2, 2)] == [False, False, True, False]


@pytest.mark.parametrize("pixels", [2, 12, 30])
def test_a_moving_camera_makes_no_cut(pixels):
    """Even a whip pan, in which every frame differs much from the one before."""
    assert cuts([scene(1, pixels * k) for k in range(30)]) == ()


def test_changes_of_light_and_flashes_make_no_cut():
    dark = [scene(1) for _ in range(10)] + [(scene(1) * 0.4).astype(np.uint8) for _ in range(10)]
    assert cuts(dark) == ()
    for length in (1, 10):
        assert cuts([scene(1)] * 10 + [np.full_like(scene(1), 250)] * length + [scene(1)] * 10) == ()
    assert cuts([scene(1)] * 30 + [scene(2)] * 30 + [scene(1)] * 30) == (30, 60)


def test_plain_pictures_and_short_clips_make_no_cut():
    plain = [np.full((60, 80, 3), 100 + k % 2, np.uint8) for k in range(20)]
    assert cuts(plain) == () and cuts([]) == () and cuts([scene(1)]) == ()
