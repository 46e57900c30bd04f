"""Match the rows of a motion with the frames of its video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from motion_rep.motions.motion_file import MotionClip
from motion_rep.video.reading import VideoReader
from motion_rep.video.timing import is_even, measured_rate

Posed = TypeVar("Posed")


@dataclass(frozen=True)
class RowMatch:
    """Rows by frame number or by time.

    rows: number of rows of the motion.
    rate: rows per second.
    start_time: time of the first row in the video, seconds.
    by_number: whether the motion has one row per frame although the frames are not evenly spaced.
    """

    rows: int
    rate: float
    start_time: float
    by_number: bool = False

    def row(self, number: int, time: float) -> int | None:
        """The row of a video frame, or None if the motion has none.

        A motion has one row less than its clip has frames, so the last frame has no row.
        """
        first = round(self.start_time * self.rate)
        row = number - first if self.by_number else round((time - self.start_time) * self.rate)
        return row if 0 <= row < self.rows else None


def match_rows(clip: MotionClip, times: np.ndarray, fps: float) -> tuple[RowMatch, list[str]]:
    """Match rows and frames by time, or by number if a system ignored uneven frame times.

    Such systems write one row per frame and store the video's average rate as the motion's.

    Args:
        times: (F,) seconds at which the video's frames are shown.
        fps: the video's average rate.
    Returns:
        The match, and notes for the user.
    """
    rate = clip.fps or fps
    usual = measured_rate(times) or fps
    by_number = not is_even(times) and abs(rate - fps) < abs(rate - usual)
    notes = [] if clip.fps is not None else [_unknown_rate_note(clip, len(times), fps)]
    if by_number:
        notes.append(
            f"the video's frames are not evenly spaced, and the motion has its average rate ({rate:g}): "
            "rows are matched by frame number, and the motion's speed is wrong. "
            "Capture a video with a constant frame rate"
        )
    return RowMatch(len(clip), rate, clip.start_time, by_number), notes


@dataclass(frozen=True)
class MatchedFrame(Generic[Posed]):
    """A frame of the video with its time, and its row and that row's body, or None."""

    time: float
    rgb: np.ndarray
    row: int
    posed: Posed | None


def matched_frames(video: VideoReader, posed: Iterator[Posed], match: RowMatch) -> Iterator[MatchedFrame[Posed]]:
    """Every frame of the video with its row; row numbers only increase, so only one row is kept in memory."""
    at, body = -1, None
    for number, (time, rgb) in enumerate(video):
        row = match.row(number, time)
        while row is not None and at < row:
            body, at = next(posed), at + 1
        yield MatchedFrame(time, rgb, at, body if row is not None else None)


def _unknown_rate_note(clip: MotionClip, frames: int, fps: float) -> str:
    note = f"the motion's frame rate is unknown; the video's ({fps:g}) is used"
    if abs(len(clip) - (frames - 1)) <= 1:
        return note
    return (
        f"{note}, but the motion has {len(clip)} rows and the video {frames} frames, so they drift apart. "
        "Convert the capture again with its true rate (--fps)"
    )
