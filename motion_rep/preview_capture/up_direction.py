"""Estimate which way is up in a still camera's axes from how the person stands over a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import LandmarkTrack

HIPS, ANKLES = [lm.LEFT_HIP, lm.RIGHT_HIP], [lm.LEFT_ANKLE, lm.RIGHT_ANKLE]
HIP_JOINTS, ANKLE_JOINTS = [1, 2], [7, 8]
LEVEL = np.array([0.0, -1.0, 0.0])
# Degrees: the error of a direction that does not scatter, and the angle beyond which a frame counts little.
FLOOR_OF_SPREAD, LEANING = 5.0, 15.0
# Share of frames in which the legs must be visible and nearly straight.
LEAST_STANDING = 0.3
SHORTEST_LEG = 0.2
LARGEST_SPREAD, LEAST_TILT = 9.0, 15.0
_ROUNDS = 10


@dataclass(frozen=True)
class UpDirection:
    """A unit vector (3,) in OpenCV camera axes and its spread in degrees."""

    direction: np.ndarray
    spread: float

    @property
    def tilted(self) -> bool:
        """Whether the camera is certainly not level: the tilt is reliable, and large."""
        tilt = float(_degrees(self.direction, LEVEL))
        return self.spread <= LARGEST_SPREAD and tilt > max(LEAST_TILT, 2 * self.spread)


def find_up(track: LandmarkTrack, joints: np.ndarray, up: np.ndarray) -> UpDirection | None:
    """The mean of three directions over the clip; None if the person does not stand.

    Two of them point from the ankles to the hips, because the hips of a balanced person are, on average, above the
    feet. The third is the lifting network's own. Their errors differ: the world landmarks put the ankles too far back,
    and the lifted joints are biased towards level cameras.

    Args:
        track: T frames of one person.
        joints: (T, 22, 3) the lifted joints, camera axes, metres.
        up: (T, 3) the network's direction, camera axes.
    """
    seen = track.visibility[:, [*HIPS, *ANKLES]].min(1) * track.detected
    found = [
        _mean_leg(legs, seen)
        for legs in (
            track.world[:, HIPS].mean(1) - track.world[:, ANKLES].mean(1),
            joints[:, HIP_JOINTS].mean(1) - joints[:, ANKLE_JOINTS].mean(1),
        )
    ]
    sure = [way for way in found if way is not None]
    if len(sure) < len(found):
        return None
    ways = np.stack((sure[0][0], sure[1][0], _mean_direction(up, track.detected.astype(float))[0]))
    apart = float(np.degrees(np.arccos(np.clip(ways @ ways.T, -1, 1)).max()))
    scatter = max(sure[0][1], sure[1][1])
    return UpDirection(_unit(ways.sum(0)), float(np.sqrt(FLOOR_OF_SPREAD**2 + (scatter / 2) ** 2 + (apart / 4) ** 2)))


def _mean_leg(legs: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The robust mean of (T, 3) legs that are nearly straight, and their scatter in degrees; None if there are too
    few.
    """
    length = np.linalg.norm(legs, axis=-1)
    full = float(np.percentile(length, 90)) if len(length) else 0.0
    if full < SHORTEST_LEG:
        return None
    weight = seen * np.clip(2 * length / full - 1, 0, 1)
    if weight.mean() < LEAST_STANDING:
        return None
    return _mean_direction(legs / np.maximum(length, 1e-6)[:, None], weight)


def _mean_direction(ways: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """The robust mean of (T, 3) unit vectors, and their scatter in degrees."""
    up = _unit((ways * weight[:, None]).sum(0))
    for _ in range(_ROUNDS):
        up = _unit((ways * (weight / (1 + (_degrees(ways, up) / LEANING) ** 2))[:, None]).sum(0))
    return up, float(np.sqrt((weight * _degrees(ways, up) ** 2).sum() / weight.sum()))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _degrees(ways: np.ndarray, way: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(ways @ way, -1, 1)))
