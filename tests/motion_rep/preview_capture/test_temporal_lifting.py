"""The lifting network of movement."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from motion_rep.common.errors import InputError
from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.lifting import MARGIN, MIRROR, MIRRORED_JOINTS, Lens, TemporalNetwork, mirrored

LENS = Lens(700.0, 640, 480)


def track_of(frames: int, seed: int = 0) -> LandmarkTrack:
    """A person in a random pose that changes slowly."""
    random = np.random.default_rng(seed)
    path = np.linspace(0, 1, frames)[:, None, None]
    image = random.uniform(100, 400, (2, COUNT, 2))
    world = random.normal(0, 0.4, (2, COUNT, 3))
    return LandmarkTrack(
        image[0] * (1 - path) + image[1] * path,
        world[0] * (1 - path) + world[1] * path,
        random.uniform(0.5, 1, (frames, COUNT)),
        np.ones(frames, bool),
    )


@pytest.fixture(scope="module")
def network() -> TemporalNetwork:
    return TemporalNetwork.load()


@pytest.mark.parametrize("frames", [1, 2, 40])
def test_every_frame_gets_a_body_and_an_up(network, frames):
    found = network.lift(track_of(frames), LENS, 30.0)
    assert found.frames.joints.shape == found.frames.spread.shape == (frames, 22, 3)
    assert_allclose(np.linalg.det(found.frames.rotations), 1, atol=1e-6)
    assert_allclose(np.linalg.norm(found.up, axis=-1), 1, atol=1e-6)
    assert (found.frames.spread > 0).all() and (found.up_spread > 0).all() and found.up_spread.shape == (frames,)


def test_the_mirror_image_gives_the_mirrored_body(network):
    track = track_of(20)
    straight, flipped = network.lift(track, LENS, 15.0), network.lift(mirrored(track, 640), LENS, 15.0)
    assert_allclose(flipped.frames.joints[:, MIRRORED_JOINTS] @ MIRROR, straight.frames.joints, atol=1e-4)
    turned = MIRROR @ flipped.frames.rotations[:, MIRRORED_JOINTS] @ MIRROR
    assert_allclose(turned, straight.frames.rotations, atol=1e-3)
    assert_allclose(flipped.up @ MIRROR, straight.up, atol=1e-4)


def test_neighbours_in_time_count_and_far_frames_do_not(network):
    track = track_of(40)
    world = track.world.copy()
    world[20] += 0.3
    other = network.lift(LandmarkTrack(track.image, world, track.visibility, track.detected), LENS, 15.0)
    changed = np.abs(other.frames.joints - network.lift(track, LENS, 15.0).frames.joints).max((1, 2))
    assert (changed[20 - MARGIN : 21 + MARGIN] > 0).all()
    assert (changed[: 20 - MARGIN] == 0).all() and (changed[21 + MARGIN :] == 0).all()


def test_the_frame_rate_hardly_matters(network):
    """The same movement at 60 and 15 frames a second."""
    fast = track_of(121)
    fast = LandmarkTrack(fast.image, fast.world, np.ones_like(fast.visibility), fast.detected)
    at_60, at_15 = network.lift(fast, LENS, 60.0), network.lift(fast[::4], LENS, 15.0)
    away = np.linalg.norm(at_60.frames.joints[::4] - at_15.frames.joints, axis=-1)
    assert away[8:-8].max() < 0.02


def test_a_damaged_network_is_one_clear_error(tmp_path):
    np.savez(tmp_path / "net.npz", mean=np.zeros(3))
    with pytest.raises(InputError, match="does not contain the temporal lifting network"):
        TemporalNetwork.load(tmp_path / "net.npz")


def test_joined_with_an_estimate_from_single_frames_it_is_the_mean(network):
    body = network.lift(track_of(5), LENS, 30.0)
    single = network.lift(track_of(5, 1), LENS, 30.0).frames
    both, same = body.joined(single), body.joined(body.frames)
    assert_allclose(both.joints, (body.frames.joints + single.joints) / 2)
    assert_allclose(same.rotations, body.frames.rotations, atol=1e-9)
    assert_allclose(same.spread, body.frames.spread)
    assert both.view is body.frames.view
