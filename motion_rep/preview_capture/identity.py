"""Finds where the tracker moved from one person to another, by jumps of the trunk."""

from __future__ import annotations

import numpy as np

from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.sides import torso_sizes

TRUNK = (lm.LEFT_SHOULDER, lm.RIGHT_SHOULDER, lm.LEFT_HIP, lm.RIGHT_HIP)
# Largest plausible speed in torso lengths per second (about 12 m/s); jumps below one torso length count as noise.
FASTEST_TORSOS, LEAST_JUMP_TORSOS = 24.0, 1.0
# The same person grows or shrinks by at most this factor at once, and by this factor more in every second out of sight.
LARGEST_GROWTH, GROWTH_PER_SECOND = 1.6, 2.0


def person_changes(track: LandmarkTrack, fps: float) -> np.ndarray:
    """Numbers of the frames in which another person is followed than in the detected frame before.

    Args:
        fps: frames per second.
    """
    seen = np.flatnonzero(track.detected)
    if len(seen) < 2:
        return seen[:0]
    trunk = track.image[seen][:, TRUNK].mean(1)
    size = torso_sizes(track.image[seen])
    seconds = np.diff(seen) / fps
    moved = np.linalg.norm(np.diff(trunk, axis=0), axis=-1) / np.minimum(size[1:], size[:-1])
    extent = np.sqrt(track.image[seen].var(axis=1).sum(-1)).clip(1)
    growth = np.abs(np.diff(np.log(extent)))
    most = np.log(LARGEST_GROWTH) + np.log(GROWTH_PER_SECOND) * (seconds - 1 / fps)
    changed = (moved > np.maximum(LEAST_JUMP_TORSOS, FASTEST_TORSOS * seconds)) | (growth > most)
    return seen[1:][changed]


def longest_run(track: LandmarkTrack, changes: np.ndarray) -> slice:
    """The frames between two changes that hold the most detections."""
    edges = [0, *map(int, changes), len(track)]
    runs = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return max(runs, key=lambda run: int(track.detected[run].sum()))
