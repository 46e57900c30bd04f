"""A capture is checked when it is made: each thing that can be wrong with one has its refusal."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError
from motion_rep.kinematics.finite import all_finite

T = 5
EYE = torch.eye(3, dtype=torch.float64)
GOOD = {
    "root_rotations": EYE.repeat(T, 1, 1),
    "body_rotations": EYE.repeat(T, 21, 1, 1),
    "transl": torch.zeros(T, 3, dtype=torch.float64),
    "focal_length": torch.full((T,), 500.0, dtype=torch.float64),
    "width": 640,
    "height": 360,
    "fps": 16.0,
    "frame_index": torch.arange(T),
}


def spoiled(name, place, value):
    tensor = GOOD[name].clone().double()
    tensor[place] = value
    return {name: tensor}


def test_a_good_capture_knows_its_length_and_takes_notes():
    capture = Capture(**GOOD)
    noted = capture.with_notes("one").with_notes("two", "three")
    assert len(capture) == T
    assert noted.notes == ("one", "two", "three") and capture.notes == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        capture.fps = 20.0


def test_everything_optional_may_be_unknown():
    Capture(**{**GOOD, "focal_length": None, "width": None, "height": None, "fps": None, "frame_index": None})


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"transl": GOOD["transl"][:, :2]}, "transl has shape"),
        ({"transl": torch.tensor(0.0)}, "transl has shape"),
        ({"root_rotations": GOOD["root_rotations"][:4]}, "root rotations has shape"),
        ({"body_rotations": GOOD["body_rotations"][:, :20]}, "body rotations has shape"),
        ({"body_rotations": GOOD["body_rotations"][:3]}, "body rotations has shape"),
        (spoiled("transl", (3, 1), float("nan")), "1 of 5 frames .first: frame 3"),
        (spoiled("root_rotations", (2, 0, 0), float("inf")), "root_rotations is not a finite"),
        (spoiled("body_rotations", (4, 20, 2, 2), float("nan")), "first: frame 4"),
        (spoiled("focal_length", 0, float("nan")), "focal_length is not a finite"),
        (spoiled("focal_length", 0, 0.0), "above zero"),
        ({"focal_length": GOOD["focal_length"][:2]}, "focal_length has shape"),
        ({"width": 0}, "above zero"),
        ({"height": -360}, "above zero"),
        ({"width": None}, "all three"),
        ({"focal_length": None}, "all three"),
        ({"has_camera": False}, "world frame"),
        ({"fps": 0.0}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"fps": float("inf")}, "fps"),
        ({"frame_index": torch.tensor([0, 1, 1, 2, 3])}, "does not increase"),
        ({"frame_index": torch.tensor([0, 2, 1, 3, 4])}, "does not increase"),
        ({"frame_index": torch.tensor([-1, 2, 3, 4, 5])}, "begins at -1, expected numbers from 0 on"),
        ({"frame_index": torch.arange(4)}, "frame_index has shape"),
    ],
)
def test_each_fault_is_refused_by_name(changes, fault):
    with pytest.raises(InputError, match=fault) as error:
        Capture(**{**GOOD, **changes})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("frames", [0, 1])
def test_fewer_than_two_frames_are_refused(frames):
    with pytest.raises(InputError, match=f"has {frames} frame.*at least 2"):
        Capture(EYE.repeat(frames, 1, 1), EYE.repeat(frames, 21, 1, 1), torch.zeros(frames, 3, dtype=torch.float64))


@pytest.mark.parametrize(
    ("length", "spread", "fits"),
    [(1.0, 0.0, True), (1.0, 180.0, True), (1.0, 180.1, False), (1.0, -0.1, False), (0.98, 5.0, False)],
)
def test_up_is_a_unit_vector_with_a_spread_of_at_most_half_a_turn(length, spread, fits):
    values = {**GOOD, "up": torch.tensor([0.0, -length, 0.0], dtype=torch.float64), "up_spread": spread}
    if fits:
        assert Capture(**values).up_spread == spread
        return
    with pytest.raises(InputError, match="expected a unit vector and 0 to 180 degrees"):
        Capture(**values)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_finite_numbers_are_finite_however_large(dtype):
    numbers = torch.full((40, 3), torch.finfo(dtype).max, dtype=dtype)
    assert all_finite(numbers) and all_finite(-numbers) and all_finite(numbers[:0])
    for wrong in (float("inf"), float("-inf"), float("nan")):
        spoiled = numbers.clone()
        spoiled[7, 1] = wrong
        assert not all_finite(spoiled)
    assert not all_finite(torch.tensor([float("inf"), float("-inf")], dtype=dtype))
