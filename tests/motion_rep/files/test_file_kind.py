"""Files of other kinds are named as what they are."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from checkout import REPO

from motion_rep.common.errors import InputError
from motion_rep.files.file_kind import found_at_start, kind_at_start
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.motions.motion_file import read_motion


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "a png picture"), (".jpg", "a jpeg picture")])
def test_pictures_are_told_by_their_first_bytes(suffix, kind):
    data = cv2.imencode(suffix, np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    assert kind_at_start(io.BytesIO(data)) == kind
    assert found_at_start(io.BytesIO(data)) == f"it is {kind}"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"HIERARCHY\nROOT hips", "it is a BVH file"),
        (b"hello there", "it starts with 'hello there'"),
        (b"\x80\x02}q\x00.", None),
        (b"", None),
    ],
)
def test_text_is_quoted_and_bytes_without_meaning_are_not(data, found):
    assert found_at_start(io.BytesIO(data)) == found


@pytest.mark.parametrize("read", [read_capture, read_motion])
def test_a_video_is_neither_capture_nor_motion(read):
    with pytest.raises(InputError, match="it is an mp4 or mov video"):
        read(REPO / "data_samples" / "sample_video.mp4")
