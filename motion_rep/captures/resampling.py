"""Resample a capture in time: fill short gaps, change the frame rate. Rotations use spherical interpolation."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError, counted, listed
from motion_rep.files.limits import require_frames
from motion_rep.kinematics.rotations import slerp

MAX_GAP_SECONDS = 0.3
# Longest gap in frames for an unknown frame rate: 0.3 s at 16 fps.
MAX_GAP_FRAMES_UNKNOWN_FPS = 4
MOST_RANGES = 8  # in a message


def fill_gaps(capture: Capture, max_gap_seconds: float = MAX_GAP_SECONDS) -> Capture:
    """Interpolate the source frames that are missing in ``frame_index``, with a note.

    Returns:
        A capture with one row for every source frame from the first seen to the last.
    Raises:
        InputError: a gap longer than ``max_gap_seconds``; the frames are named.
    """
    index = capture.frame_index
    if index is None or bool((index.diff() == 1).all()):
        return capture
    limit = MAX_GAP_FRAMES_UNKNOWN_FPS if capture.fps is None else int(max_gap_seconds * capture.fps + 1e-9)
    gaps = [(int(a) + 1, int(b) - 1) for a, b in zip(index[:-1], index[1:], strict=True) if b - a > 1]
    long = [gap for gap in gaps if gap[1] - gap[0] + 1 > limit]
    if long:
        rate = "an unknown frame rate" if capture.fps is None else f"{capture.fps:g} fps"
        raise InputError(
            f"has no person in the frames {frame_ranges(long)}; only gaps of up to {limit} frames "
            f"({max_gap_seconds:g} s at {rate}) are filled. "
            "Cut the clip there and convert the parts, or run the capture again."
        )
    require_frames(int(index[-1] - index[0]) + 1)
    frames = torch.arange(int(index[0]), int(index[-1]) + 1)
    filled = _sample(capture, index.double(), frames.double())
    missing = sum(last - first + 1 for first, last in gaps)
    return dataclasses.replace(filled, frame_index=frames).with_notes(
        f"filled {counted(missing, 'missing frame')} by interpolation: {frame_ranges(gaps)}"
    )


def resample(capture: Capture, target_fps: float) -> Capture:
    """The same movement at another frame rate; slerp for rotations, straight lines for translations.

    The first frame stays; the clip ends at the last new frame that lies within it. A higher rate is marked.

    Raises:
        InputError: the capture's own rate is unknown, or the clip is shorter than two new frames.
    """
    if capture.fps is None:
        raise InputError("its frame rate is unknown, so it cannot be resampled. Set the rate with --fps.")
    duration = (len(capture) - 1) / capture.fps
    count = int(duration * target_fps + 1e-6) + 1
    if count < 2:
        raise InputError(f"lasts {duration:.3g} s, too short for two frames at {target_fps:g} fps.")
    require_frames(count)
    own_times = torch.arange(len(capture), dtype=torch.float64)
    new_times = (torch.arange(count, dtype=torch.float64) * (capture.fps / target_fps)).clamp(max=len(capture) - 1)
    source = capture.fps if target_fps > capture.fps else None
    sampled = _sample(capture, own_times, new_times)
    return dataclasses.replace(sampled, fps=target_fps, frame_index=None, interpolated_from=source)


def frame_ranges(ranges: list[tuple[int, int]]) -> str:
    """(3, 3), (7, 9) as ``3, 7-9``."""
    return listed([str(first) if first == last else f"{first}-{last}" for first, last in ranges], MOST_RANGES)


def _sample(capture: Capture, times: Tensor, new_times: Tensor) -> Capture:
    """Interpolate between the neighbours in ``times`` (increasing); ``new_times`` must lie within."""
    after = torch.searchsorted(times, new_times).clamp(1, len(times) - 1)
    before = after - 1
    weight = (new_times - times[before]) / (times[after] - times[before])

    def straight(values: Tensor) -> Tensor:
        return torch.lerp(values[before], values[after], weight.reshape(-1, *[1] * (values.ndim - 1)))

    return dataclasses.replace(
        capture,
        root_rotations=slerp(capture.root_rotations[before], capture.root_rotations[after], weight),
        body_rotations=slerp(
            capture.body_rotations[before], capture.body_rotations[after], weight[:, None].expand(-1, 21)
        ),
        transl=straight(capture.transl),
        focal_length=None if capture.focal_length is None else straight(capture.focal_length),
        frame_index=None,
    )
