"""Which row of a motion belongs to which frame of its video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion_rep.motions.motion_file import MotionClip
from motion_rep.video.timing import is_even, measured_rate


@dataclass(frozen=True)
class RowMatch:
    """Rows by frame number or by time.

    rows: how many rows the motion has.
    rate: rows per second.
    start_time: seconds into the video at which the first row lies.
    by_number: the motion has one row for each frame, although the frames are not evenly spaced.
    """

    rows: int
    rate: float
    start_time: float
    by_number: bool = False

    def row(self, number: int, time: float) -> int | None:
        """The row of a video frame, or None where the motion says nothing about it.

        A motion has one row less than its clip has frames, so nothing is known about the last frame.
        """
        first = round(self.start_time * self.rate)
        row = number - first if self.by_number else round((time - self.start_time) * self.rate)
        return row if 0 <= row < self.rows else None


def match_rows(clip: MotionClip, times: np.ndarray, fps: float) -> tuple[RowMatch, list[str]]:
    """How the rows of a motion and the frames of its video belong together.

    Systems that read an unevenly timed video themselves make one row a frame and call the average rate the motion's.

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
            "rows are matched by frame number, and the motion's speed is wrong. Capture an evenly timed video"
        )
    return RowMatch(len(clip), rate, clip.start_time, by_number), notes


def _unknown_rate_note(clip: MotionClip, frames: int, fps: float) -> str:
    note = f"the motion's frame rate is unknown; the video's ({fps:g}) is used"
    if abs(len(clip) - (frames - 1)) <= 1:
        return note
    return (
        f"{note}, but the motion has {len(clip)} rows and the video {frames} frames, so they drift apart. "
        "Convert the capture again with its true rate (--fps)"
    )
