"""Holes are filled up to a limit and no further; another frame rate keeps the movement."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.captures.resampling import fill_gaps, frame_ranges, resample
from motion_rep.common.errors import InputError
from motion_rep.kinematics.rotations import matrix_to_rotvec, rotvec_to_matrix


@pytest.fixture
def steady():
    """A capture that moves at a constant rate, so that interpolation must be exact: T frames at 16 fps."""

    def make(index):
        times = torch.as_tensor(index, dtype=torch.float64)
        axis = torch.tensor([0.0, 0.6, 0.8], dtype=torch.float64)
        root = rotvec_to_matrix(0.3 * times[:, None] * axis)
        body = rotvec_to_matrix(-0.11 * times[:, None, None] * axis.expand(21, 3))
        values = {
            "global_orient": matrix_to_rotvec(root),
            "body_pose": matrix_to_rotvec(body),
            "transl": times[:, None] * torch.tensor([0.01, 0.02, 0.03], dtype=torch.float64),
            "focal_length": 500 + times,
            "width": 640,
            "height": 360,
            "fps": 16.0,
            "frame_index": torch.as_tensor(index),
        }
        return capture_from_dict(values)

    return make


def same_movement(found, expected):
    for name in ("root_rotations", "body_rotations", "transl", "focal_length"):
        assert_close(getattr(found, name), getattr(expected, name), atol=1e-9, rtol=0)


def test_a_capture_without_holes_is_returned_as_it_is(steady):
    whole, unnumbered = steady(range(5, 15)), dataclasses.replace(steady(range(5)), frame_index=None)
    assert fill_gaps(whole) is whole
    assert fill_gaps(unnumbered) is unnumbered


def test_short_holes_are_filled_on_the_arc_and_named(steady):
    filled = fill_gaps(steady([2, 3, 5, 6, 11, 12]))
    same_movement(filled, steady(range(2, 13)))
    assert filled.frame_index.tolist() == list(range(2, 13))
    assert filled.fps == 16.0 and "filled 5 missing frames" in filled.notes[0] and "4, 7-10" in filled.notes[0]


@pytest.mark.parametrize("fps, longest", [(16.0, 4), (30.0, 9), (10.0, 3), (60.0, 18), (None, 4), (2.0, 0)])
def test_the_limit_is_three_tenths_of_a_second(steady, fps, longest):
    def with_gap(missing):
        return dataclasses.replace(steady([0, 1, missing + 2, missing + 3]), fps=fps)

    if longest:
        assert len(fill_gaps(with_gap(longest))) == longest + 4
    with pytest.raises(InputError, match=f"in the frames 2{'-' + str(longest + 2) if longest else ''};") as error:
        fill_gaps(with_gap(longest + 1))
    assert "Cut the clip there" in str(error.value) and "\n" not in str(error.value)


def test_only_the_long_holes_are_named_in_the_error(steady):
    with pytest.raises(InputError, match="frames 20-29, 31-39;"):
        fill_gaps(steady([*range(4), *range(5, 20), 30, 40, 41]))


def test_two_new_frames_are_enough_and_one_is_not(steady):
    clip = dataclasses.replace(steady(range(5)), frame_index=None)
    assert len(resample(clip, 4.0)) == 2
    with pytest.raises(InputError, match="too short for two frames at 3 fps"):
        resample(clip, 3.0)


def test_many_ranges_are_cut_short():
    assert frame_ranges([(1, 1), (3, 5)]) == "1, 3-5"
    assert frame_ranges([(i, i) for i in range(20)]) == "0, 1, 2, 3, 4, 5, 6, 7 and 12 more"


@pytest.mark.parametrize("target", [8.0, 16.0, 20.0, 29.97, 30.0, 60.0])
def test_steady_movement_is_exact_at_any_rate(steady, target):
    resampled = resample(steady(range(33)), target)
    assert resampled.fps == target and resampled.frame_index is None
    assert len(resampled) == int(2.0 * target + 1e-6) + 1  # two seconds
    expected = steady(torch.arange(33).tolist())
    times = torch.arange(len(resampled), dtype=torch.float64) * 16 / target
    assert_close(resampled.transl, times[:, None] * expected.transl[1], atol=1e-9, rtol=0)
    turned = matrix_to_rotvec(resampled.root_rotations[:-1].mT @ resampled.root_rotations[1:]).norm(dim=-1)
    assert_close(turned, torch.full_like(turned, 0.3 * 16 / target), atol=1e-9, rtol=0)


def test_between_frames_rotations_lie_on_romas_arc(make_capture, roma):
    capture = capture_from_dict(make_capture(frames=9, seed=4))
    doubled = resample(capture, 32.0)
    half = roma.rotmat_slerp(
        capture.body_rotations[:-1], capture.body_rotations[1:], torch.tensor([0.5], dtype=torch.float64)
    )[0]
    assert len(doubled) == 17
    assert_close(doubled.body_rotations[::2], capture.body_rotations, atol=1e-12, rtol=0)
    assert_close(doubled.body_rotations[1::2], half, atol=1e-9, rtol=0)


def test_the_same_rate_changes_nothing(make_capture):
    capture = capture_from_dict(make_capture(seed=5))
    same_movement(resample(capture, 16.0), capture)


def test_an_unknown_rate_and_a_clip_too_short_are_refused(steady):
    with pytest.raises(InputError, match="--fps"):
        resample(dataclasses.replace(steady(range(5)), fps=None), 16.0)
    with pytest.raises(InputError, match="too short"):
        resample(steady(range(3)), 4.0)


def test_nothing_that_was_given_is_changed(steady):
    capture = steady([0, 1, 3])
    before = capture.transl.clone()
    fill_gaps(capture)
    resample(capture, 30.0)
    assert torch.equal(capture.transl, before) and capture.notes == () and len(capture) == 3
