"""Counting in signals over time: smoothing, peaks that stand out, spans of true flags."""

from __future__ import annotations

import numpy as np

SMOOTHING_SECONDS = 0.06  # standard deviation of the filter
END_FRAMES = 5
FLAT = 0.15  # share of the prominence: values this close to the peak belong to its top


def smoothed(values: np.ndarray, fps: float, seconds: float = SMOOTHING_SECONDS) -> np.ndarray:
    """The values (T, ...) after a Gaussian filter over time; the ends are repeated."""
    radius = int(np.ceil(3 * seconds * fps))
    if radius < 1 or len(values) < 2:
        return values
    offsets = np.arange(-radius, radius + 1) / fps
    weights = np.exp(-0.5 * (offsets / seconds) ** 2)
    padded = np.concatenate((values[:1].repeat(radius, 0), values, values[-1:].repeat(radius, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)
    smooth: np.ndarray = windows @ (weights / weights.sum())
    return smooth


def peaks(signal: np.ndarray, prominence: float, least: float) -> list[int]:
    """The frames (T,) in which a signal is highest between two valleys.

    A peak is at least ``least`` high and stands out by ``prominence`` on both sides. The clip's ends count as valleys,
    unless the signal still rises or already falls there. A flat top counts as one peak at its middle.
    """
    found: list[int] = []
    highest, lowest, rising = 0, 0, True
    for frame, value in enumerate(signal):
        if rising:
            highest = frame if value > signal[highest] else highest
            if signal[highest] - value >= prominence:
                found.append(highest)
                lowest, rising = frame, False
        else:
            lowest = frame if value < signal[lowest] else lowest
            if value - signal[lowest] >= prominence:
                highest, rising = frame, True
    if rising and signal[highest] - signal[: highest + 1].min() >= prominence and len(signal):
        found.append(highest)
    return [
        _middle(signal, frame, prominence * FLAT)
        for frame in found
        if signal[frame] >= least and not _is_cut(signal, frame, prominence * FLAT)
    ]


def span_around(flags: np.ndarray, frame: int) -> tuple[int, int]:
    """First and last frame of the run of true flags (T,) that contains the given frame."""
    false = np.flatnonzero(~flags)
    after = int(np.searchsorted(false, frame))
    first = int(false[after - 1]) + 1 if after else 0
    return first, int(false[after]) - 1 if after < len(false) else len(flags) - 1


def _is_cut(signal: np.ndarray, peak: int, change: float) -> bool:
    """Whether the peak exists only because the clip begins or ends during a movement."""
    if 0 < peak < len(signal) - 1:
        return False
    inside = signal[: END_FRAMES + 1] if peak == 0 else signal[-END_FRAMES - 1 :]
    return bool(inside.max() - inside.min() > change)


def _middle(signal: np.ndarray, peak: int, depth: float) -> int:
    """The middle of the frames around a peak that lie at most ``depth`` below it."""
    return sum(span_around(signal >= signal[peak] - depth, peak)) // 2


def spans(flags: np.ndarray, shortest: int = 1) -> list[tuple[int, int]]:
    """First and last frame of each run of true flags (T,) of at least ``shortest`` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    runs = [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]
    return [(first, last) for first, last in runs if last - first + 1 >= shortest]
