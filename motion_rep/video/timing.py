"""Frame times: whether they are even, the best rate for resampling, and resampled frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from motion_rep.common.rates import FASTEST_RATE
from motion_rep.files.limits import require_frames
from motion_rep.video.writing import exact_rate

Picture = TypeVar("Picture")

# Largest deviation from an even grid in frame intervals: time stamps are rounded, and one late frame is harmless.
LARGEST_SHIFT = 0.6


def is_even(times: np.ndarray) -> bool:
    """Whether frames have a constant rate.

    Args:
        times: (F,) seconds, increasing, the first 0.
    """
    if len(times) < 3 or times[-1] <= 0:
        return True
    interval = times[-1] / (len(times) - 1)
    off = np.abs(times - interval * np.arange(len(times))) / interval
    return bool(off.max() <= LARGEST_SHIFT)


def measured_rate(times: np.ndarray) -> float | None:
    """Frames per second that at least three quarters of the frames reach; None for fewer than two frames.

    A higher rate would repeat frames and make the motion jerky. A few pauses do not lower it.

    Args:
        times: (F,) seconds, increasing.
    """
    intervals = np.diff(times)
    intervals = intervals[intervals > 0]
    if not len(intervals):
        return None
    return min(float(exact_rate(1.0 / _usual(intervals))), FASTEST_RATE)


def frames_at_rate(frames: Iterable[tuple[float, Picture]], fps: float) -> Iterator[Picture]:
    """The frame nearest in time to k / fps, for k = 0, 1, ... up to the last; frames are repeated or dropped.

    Args:
        frames: (seconds, picture) in order of time.
    Raises:
        InputError: more frames than a clip may have, because of a long pause; without the video's name.
    """
    count, previous = 0, None
    for time, picture in frames:
        require_frames(int(time * fps))
        # The previous frame is used for all times that are closer to it.
        while previous is not None and count / fps - previous[0] <= time - count / fps:
            yield previous[1]
            count += 1
        previous = (time, picture)
    while previous is not None and count / fps - previous[0] < 0.5 / fps:
        yield previous[1]
        count += 1


def uneven_note(times: np.ndarray, fps: float) -> str:
    """A sentence for the user about a video that is resampled."""
    intervals = np.diff(times)
    return (
        f"its frame intervals vary from {intervals.min() * 1000:.0f} to {intervals.max() * 1000:.0f} ms; "
        f"it is resampled to an even {fps:g} frames per second"
    )


def _usual(intervals: np.ndarray) -> float:
    """The mean of the intervals near the third quartile, because each is rounded to milliseconds."""
    usual = np.quantile(intervals, 0.75, method="lower")
    return float(intervals[np.abs(intervals - usual) <= 0.1 * usual + 0.0011].mean())
