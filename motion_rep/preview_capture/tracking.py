"""Follows one person through the frames of a video: detects once, then looks where the last frame's landmarks point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motion_rep.common.errors import UsageError
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.networks import FrameLandmarks, LandmarkNetwork, PersonDetector, Region
from motion_rep.preview_capture.weights import DEFAULT_FOLDER, DETECTOR, LANDMARKS, require_weights

PRESENCE_THRESHOLD = 0.5
# A detection below SURE is followed only if the landmark network is surer than usual.
SURE, PRESENCE_OF_UNSURE, MOST_UNSURE = 0.5, 0.7, 3
BOX_MARGIN = 1.25
FRAMES_BETWEEN_COUNTS = 30
# After this many detected frames the user hears which parts are not in view.
FRAMES_FOR_NOTICE, LOW_VISIBILITY = 10, 0.3


@dataclass(frozen=True)
class PersonBox:
    """Where the person to follow stands in the first frame: left, top, width, height in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def region(self) -> Region:
        """The square to look in."""
        side = BOX_MARGIN * max(self.width, self.height)
        return Region(self.left + self.width / 2, self.top + self.height / 2, side, 0.0)


class PersonTracker:
    """Landmarks of the same person, frame by frame.

    Starts with the person in the box, or number ``person`` from the left, else the detection with the highest score.
    After a loss it continues with the detection closest to the person's last position.
    """

    def __init__(self, weights: Path = DEFAULT_FOLDER, box: PersonBox | None = None, person: int | None = None) -> None:
        self._detector = PersonDetector(require_weights(DETECTOR, weights))
        self._landmarks = LandmarkNetwork(require_weights(LANDMARKS, weights))
        self._region = box.region if box else None
        self._last_seen = self._region
        self._person = person
        self._until_count = FRAMES_BETWEEN_COUNTS
        self.most_people = 0

    def follow(self, rgb: np.ndarray) -> FrameLandmarks | None:
        """Landmarks in the next frame, or None if no person is found.

        Args:
            rgb: (height, width, 3) uint8
        Raises:
            UsageError: the first frame with people has no person of the given number.
        """
        self._until_count -= 1
        if self._person is not None:
            self._region = self._numbered(rgb)
        found = self._read(rgb, self._region, PRESENCE_THRESHOLD)
        if found is None:
            found = self._search(rgb)
        elif self._until_count <= 0:
            self._count(rgb)
        self._region = found.next_region if found else None
        self._last_seen = self._region or self._last_seen
        return found

    def _read(self, rgb: np.ndarray, region: Region | None, threshold: float) -> FrameLandmarks | None:
        if region is None or not region.usable():
            return None
        found = self._landmarks.read(rgb, region)
        return found if found.score >= threshold else None

    def _search(self, rgb: np.ndarray) -> FrameLandmarks | None:
        """The landmarks of the likeliest detection that the landmark network confirms."""
        people = self._count(rgb)
        sure = [region for score, region in people if score >= SURE]
        unsure = [region for score, region in people if score < SURE][:MOST_UNSURE]
        last = self._last_seen
        if last is not None:
            sure.sort(key=lambda region: (region.x - last.x) ** 2 + (region.y - last.y) ** 2)
        tries = [(region, PRESENCE_THRESHOLD) for region in sure[:1]] or [(r, PRESENCE_OF_UNSURE) for r in unsure]
        return next(filter(None, (self._read(rgb, region, least) for region, least in tries)), None)

    def _count(self, rgb: np.ndarray) -> list[tuple[float, Region]]:
        self._until_count = FRAMES_BETWEEN_COUNTS
        people = self._detector.find(rgb)
        self.most_people = max(self.most_people, sum(score >= SURE for score, _ in people))
        return people

    def _numbered(self, rgb: np.ndarray) -> Region | None:
        """The region of the person with the given number, from the left; None in a frame without people."""
        people = sorted((region for score, region in self._count(rgb) if score >= SURE), key=lambda region: region.x)
        if not people:
            return None
        if self._person is None or self._person >= len(people):
            places = ", ".join(f"{number} at x={region.x:.0f} y={region.y:.0f}" for number, region in enumerate(people))
            raise UsageError(
                f"--person {self._person}: the first frame shows {len(people)} people: {places}. Choose one."
            )
        chosen, self._person = people[self._person], None
        return chosen


def track(
    frames: Iterable[np.ndarray], tracker: PersonTracker, notice: Callable[[str], None] = lambda _: None
) -> LandmarkTrack:
    """The landmarks of a whole clip; only one image is held at a time.

    Args:
        notice: receives one sentence, early in the clip, where parts of the body are out of view.
    """
    seen = list(_with_notice((tracker.follow(rgb) for rgb in frames), notice))
    empty = FrameLandmarks(np.zeros((COUNT, 2)), np.zeros((COUNT, 3)), np.zeros(COUNT), 0.0, Region(0, 0, 0, 0))
    kept = [frame or empty for frame in seen]
    return LandmarkTrack(
        image=np.array([f.image for f in kept]).reshape(-1, COUNT, 2),
        world=np.array([f.world for f in kept]).reshape(-1, COUNT, 3),
        visibility=np.array([f.visibility for f in kept]).reshape(-1, COUNT),
        detected=np.array([f is not None for f in seen], bool),
    )


def _with_notice(
    frames: Iterable[FrameLandmarks | None], notice: Callable[[str], None]
) -> Iterator[FrameLandmarks | None]:
    legs: list[float] = []
    for frame in frames:
        if frame is not None and len(legs) < FRAMES_FOR_NOTICE:
            legs.append(float(frame.visibility[list(lm.LEGS)].mean()))
            if len(legs) == FRAMES_FOR_NOTICE and np.mean(legs) < LOW_VISIBILITY:
                notice(
                    f"the legs are hardly seen in the first frames (visibility {np.mean(legs):.2f}); "
                    "their pose will be a guess. "
                    "Use a video that shows the person from head to foot."
                )
        yield frame
