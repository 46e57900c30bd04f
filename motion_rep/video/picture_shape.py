"""Correct pixel aspect ratio and rotation: pictures with square pixels, upright."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

# Larger pixel aspect ratios are errors in the file; real ones lie between 1:2 and 2:1.
MOST_STRETCHED = 8


@dataclass(frozen=True)
class Orientation:
    """Turns a stored picture upright: first transpose, then flip."""

    exchanged: bool = False
    left_right: bool = False
    top_bottom: bool = False

    def upright(self, picture: np.ndarray) -> np.ndarray:
        """The (H, W, C) picture turned."""
        if self.exchanged:
            picture = cv2.transpose(picture)
        if self.left_right or self.top_bottom:
            picture = cv2.flip(picture, -1 if self.left_right and self.top_bottom else int(self.left_right))
        return picture


def orientation_of(frame: VideoFrame) -> Orientation:
    """The rotation in the frame's display matrix, in quarter turns.

    The matrix maps stored (x, y) to shown (a x + c y, b x + d y), 16.16 fixed point:
    https://ffmpeg.org/doxygen/trunk/group__lavu__video__display.html
    """
    side_data: Any = frame.side_data  # PyAV's stubs know one kind of it only
    found = side_data.get(Type.DISPLAYMATRIX)
    if found is None:
        return Orientation()
    a, b, _, c, d = struct.unpack_from("=5i", bytes(found))
    exchanged = abs(a) + abs(d) < abs(b) + abs(c)
    along_x, along_y = (c, b) if exchanged else (a, d)
    return Orientation(exchanged, along_x < 0, along_y < 0)


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int] | None:
    """The size of a picture when its pixels, ``aspect`` times as wide as high, are made square.

    None for an implausible aspect.
    """
    if not aspect:
        return width, height
    if not Fraction(1, MOST_STRETCHED) <= aspect <= MOST_STRETCHED:
        return None
    return max(1, round(width * aspect)), height
