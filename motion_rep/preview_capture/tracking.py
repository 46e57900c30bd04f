"""Follows one person through the frames of a video: detect once, then look where the landmarks of the last frame say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.networks import FrameLandmarks, LandmarkNetwork, PersonDetector, Region
from motion_rep.preview_capture.weights import DEFAULT_FOLDER, DETECTOR, LANDMARKS, require_weights

PRESENCE_THRESHOLD = 0.5
BOX_MARGIN = 1.25


@dataclass(frozen=True)
class PersonBox:
    """Where the person to follow stands in the first frame: left, top, width, height in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def region(self) -> Region:
        return Region(
            self.left + self.width / 2, self.top + self.height / 2, BOX_MARGIN * max(self.width, self.height), 0.0
        )


class PersonTracker:
    """Landmarks of the same person, frame by frame.

    The first person is the one in the box if there is one, else the surest detection; after a loss it is the detection nearest to where
    the person was last seen.
    """

    def __init__(self, weights: Path = DEFAULT_FOLDER, box: PersonBox | None = None) -> None:
        self._detector = PersonDetector(require_weights(DETECTOR, weights))
        self._landmarks = LandmarkNetwork(require_weights(LANDMARKS, weights))
        self._region = box.region if box else None
        self._last_seen = self._region
        self.most_people = 0

    def follow(self, rgb: np.ndarray) -> FrameLandmarks | None:
        """Landmarks in the next frame, or None where nobody is found.

        Args:
            rgb: (height, width, 3) uint8
        """
        found = self._read(rgb, self._region)
        if found is None:
            found = self._read(rgb, self._detect(rgb))
        self._region = found.next_region if found else None
        self._last_seen = self._region or self._last_seen
        return found

    def _read(self, rgb: np.ndarray, region: Region | None) -> FrameLandmarks | None:
        if region is None or not region.usable():
            return None
        found = self._landmarks.read(rgb, region)
        return found if found.score >= PRESENCE_THRESHOLD else None

    def _detect(self, rgb: np.ndarray) -> Region | None:
        people = self._detector.find(rgb)
        self.most_people = max(self.most_people, len(people))
        if not people:
            return None
        last = self._last_seen
        if last is None:
            return people[0][1]
        return min((region for _, region in people), key=lambda r: (r.x - last.x) ** 2 + (r.y - last.y) ** 2)


def track(frames: Iterable[np.ndarray], tracker: PersonTracker) -> LandmarkTrack:
    """The landmarks of a whole clip; only one image is held at a time."""
    seen = [tracker.follow(rgb) for rgb in frames]
    empty = FrameLandmarks(np.zeros((COUNT, 2)), np.zeros((COUNT, 3)), np.zeros(COUNT), 0.0, Region(0, 0, 0, 0))
    kept = [frame or empty for frame in seen]
    return LandmarkTrack(
        image=np.array([f.image for f in kept]).reshape(-1, COUNT, 2),
        world=np.array([f.world for f in kept]).reshape(-1, COUNT, 3),
        visibility=np.array([f.visibility for f in kept]).reshape(-1, COUNT),
        detected=np.array([f is not None for f in seen], bool),
    )
