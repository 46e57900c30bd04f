"""A clip of more frames than memory takes is refused before the memory is taken."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.captures.resampling import fill_gaps, resample
from motion_rep.common.errors import InputError
from motion_rep.files.limits import MOST_FRAMES


def small_capture(**more):
    values = {"global_orient": torch.zeros(3, 3), "body_pose": torch.zeros(3, 63), "transl": torch.zeros(3, 3)}
    return capture_from_dict({**values, **more})


@pytest.mark.parametrize("kind", [np.zeros, torch.zeros, lambda shape: [[0.0] * shape[1]] * shape[0]])
def test_too_many_rows(kind):
    with pytest.raises(InputError, match=f"has {MOST_FRAMES + 1:,} frames, expected at most"):
        small_capture(transl=kind((MOST_FRAMES + 1, 3)))


def test_gaps_that_fill_up_to_too_many():
    capture = small_capture(fps=1000.0, frame_index=torch.tensor([0, MOST_FRAMES // 2, MOST_FRAMES]))
    with pytest.raises(InputError, match=f"has {MOST_FRAMES + 1:,} frames"):
        fill_gaps(capture, max_gap_seconds=1e6)


def test_resampling_to_too_many():
    with pytest.raises(InputError, match="frames, expected at most"):
        resample(small_capture(fps=0.1), 1e4)
