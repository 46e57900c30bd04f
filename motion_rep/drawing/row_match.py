"""Match the rows of a motion with the frames of its video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from motion_rep.common.errors import counted
from motion_rep.motions.motion_file import MotionClip
from motion_rep.video.reading import VideoReader
from motion_rep.video.timing import is_even, measured_rate

Posed = TypeVar("Posed")

# Frame intervals by which the lengths of a motion and its video may differ.
SAME_LENGTH = 2.5
# Relative difference of rates that count as equal; a motion of any other rate was resampled by time.
SAME_RATE = 0.02
# Strides of captures that skip frames.
STEPS = (2, 3, 4, 5)


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
    """Match rows and frames by time, or by number if the motion has one row per frame at another rate.

    A system that ignores uneven frame times stores the video's average rate; others assume a rate, for example 30.

    Args:
        times: (F,) seconds at which the video's frames are shown.
        fps: the video's average rate.
    Returns:
        The match, and notes for the user.
    """
    rate = clip.fps or fps
    usual = measured_rate(times) or fps
    average = not is_even(times) and abs(rate - fps) < min(abs(rate - usual), SAME_RATE * fps)
    drifts = _has_each_frame_at_another_rate(clip, times, fps)
    notes = [] if clip.fps is not None else [_unknown_rate_note(clip, len(times), fps)]
    if average or drifts:
        notes.append(_wrong_speed_note(rate, times, fps, average))
    elif clip.fps is not None:
        notes += _length_notes(clip, rate, times, fps)
    return RowMatch(len(clip), rate, clip.start_time, average or drifts), notes


def _has_each_frame_at_another_rate(clip: MotionClip, times: np.ndarray, fps: float) -> bool:
    if clip.fps is None or clip.start_time * clip.fps > 0.5 or abs(len(clip) - (len(times) - 1)) > 1:
        return False
    return abs(len(clip) / clip.fps - float(times[-1])) > SAME_LENGTH / min(clip.fps, fps)


def _wrong_speed_note(rate: float, times: np.ndarray, fps: float, average: bool) -> str:
    matched = "rows are matched by frame number, and the motion's speed is wrong"
    if is_even(times):
        return (
            f"the motion has a row for each of the video's {len(times)} frames, but {rate:g} rows per second, and the "
            f"video {fps:g} frames: {matched}. Convert the capture again with --fps {fps:g}"
        )
    what = "its average rate" if average else "a row for each of them at one rate"
    return (
        f"the video's frames are not evenly spaced, and the motion has {what} ({rate:g}): {matched}. "
        "Capture a video with a constant frame rate"
    )


def _length_notes(clip: MotionClip, rate: float, times: np.ndarray, fps: float) -> list[str]:
    """A sentence if the motion ends after the video, or has a row for every second (third, ...) of its frames."""
    later = clip.start_time + len(clip) / rate - float(times[-1])
    if later > SAME_LENGTH / min(rate, fps):
        return [
            f"the motion ends {later:.2f} s after the video: it belongs to another video or another part, or its rate "
            f"({rate:g}) is wrong"
        ]
    frames = len(clip) + 1
    step = next((step for step in STEPS if -(-len(times) // step) == frames), None)
    if step is None or clip.start_time > 0 or abs(rate - fps) > 0.01 * fps:
        return []
    return [
        f"the motion ends after {len(clip) / rate:.2f} of the video's {float(times[-1]):.2f} s; if its capture used "
        f"one of {step} frames, convert it again with --fps {fps / step:g}"
    ]


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
        f"{note}, but the motion has {counted(len(clip), 'row')} and the video {counted(frames, 'frame')}, so "
        "they drift apart. "
        "Convert the capture again with its true rate (--fps)"
    )
