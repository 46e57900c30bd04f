"""Follow one person through the frames of a video: detect once, then look where the previous frame's landmarks
point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.identity import LOOKS_SHAPE, looks_of
from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.networks import (
    REGION_SCALE,
    FrameLandmarks,
    LandmarkNetwork,
    PersonDetector,
    Region,
)
from motion_rep.preview_capture.weights import DEFAULT_FOLDER, DETECTOR, LANDMARKS, require_weights
from motion_rep.video.shot_cuts import ShotWatcher

# Seconds and (height, width, 3) uint8 RGB.
TimedFrame = tuple[float, np.ndarray | None]

PRESENCE_THRESHOLD = 0.5
# A detection below SURE is followed only if the landmark network is more confident than usual.
SURE, PRESENCE_OF_UNSURE, MOST_UNSURE = 0.5, 0.7, 3
BOX_MARGIN = 1.25
SECONDS_BETWEEN_COUNTS = 1.0
# Fall of the mean visibility of the limbs from one frame to the next: one of twelve landmarks from seen to unseen.
LOST_LIMBS = 0.05
# How fast, per frame, a region that showed more limbs is forgotten.
FORGOTTEN_LIMBS = 0.01
# A person who moved by more than the margin of a region, as a share of its side, has left it.
REGION_MARGIN = (1 - 1 / REGION_SCALE) / 2
# Number of looks at a person who was just found, because the detector's region can cut off an arm.
LOOKS_AT_START = 3
# After this many detected frames, a notice names the parts that are not in view.
FRAMES_FOR_NOTICE, LOW_VISIBILITY = 10, 0.3


@dataclass(frozen=True)
class PersonBox:
    """Position of the person to follow at a time: left, top, width, height in pixels; seconds of the video."""

    left: float
    top: float
    width: float
    height: float
    seconds: float = 0.0

    @property
    def middle(self) -> tuple[float, float]:
        """x and y in pixels."""
        return self.left + self.width / 2, self.top + self.height / 2

    def shows(self, points: np.ndarray) -> bool:
        """Whether one of (N, 2) pixels lies in the box."""
        inside = np.abs(points - self.middle) <= np.array([self.width, self.height]) / 2
        return bool(inside.all(-1).any())

    @property
    def region(self) -> Region:
        """The square to search."""
        return Region(*self.middle, BOX_MARGIN * max(self.width, self.height), 0.0)


@dataclass(frozen=True)
class FollowedPerson:
    """The tracker's result for T frames.

    looks: (T, 2, 3, 5), see :func:`looks_of`. cuts: numbers of frames that begin a new shot. most_people: seen at once.
    start: number of the frame in which the box was, or None without a box.
    """

    track: LandmarkTrack
    looks: np.ndarray
    cuts: tuple[int, ...]
    most_people: int
    start: int | None = None


class PeopleFinder:
    """Finds people in a picture: those of the detector, and doubtful ones that the landmark network confirms."""

    def __init__(self, weights: Path = DEFAULT_FOLDER) -> None:
        self._detector = PersonDetector(require_weights(DETECTOR, weights))
        self._landmarks = LandmarkNetwork(require_weights(LANDMARKS, weights))

    def regions(self, rgb: np.ndarray) -> list[tuple[float, Region]]:
        """Score and region of everything that may be a person, best first."""
        return self._detector.find(rgb)

    def read(self, rgb: np.ndarray, region: Region, score: float = 1.0) -> FrameLandmarks | None:
        """The landmarks of the person in a region, or None if there is none; a low score of the detector needs more."""
        if not region.usable():
            return None
        found = self._landmarks.read(rgb, region)
        return found if found.score >= (PRESENCE_THRESHOLD if score >= SURE else PRESENCE_OF_UNSURE) else None


class PersonTracker:
    """Landmarks of the same person, frame by frame.

    Starts with the person in the box, else with the detection that has the highest score. After a loss it continues
    with the detection closest to the person's last position.
    """

    def __init__(self, finder: PeopleFinder, box: PersonBox | None = None) -> None:
        self._finder = finder
        self._region = box.region if box else None
        self._last_seen = self._region
        self._good, self._seen = self._region, 0.0
        self._counted = -SECONDS_BETWEEN_COUNTS
        self.most_people = 0

    def forget(self) -> None:
        """Search the next frame as if it were the first: it begins a new shot."""
        self._region = self._last_seen = self._good = None

    def follow(self, rgb: np.ndarray, seconds: float) -> FrameLandmarks | None:
        """Landmarks in the next frame, or None if no person is found.

        Args:
            rgb: (height, width, 3) uint8. seconds: time of the frame.
        """
        found = self._read(rgb, self._region) if self._region else None
        if found is None:
            found = self._search(rgb, seconds)
        elif seconds >= self._counted + SECONDS_BETWEEN_COUNTS:
            self._count(rgb, seconds)
        self._region = found.next_region if found else None
        self._last_seen = self._region or self._last_seen
        return found

    def _read(self, rgb: np.ndarray, region: Region) -> FrameLandmarks | None:
        """The landmarks in a region, or, if the network loses limbs that it just saw, in the region where it saw them.

        Each region follows from the previous landmarks. Two regions can alternate, of which only one shows the arms
        well.
        """
        found, seen_in = self._finder.read(rgb, region), region
        if found is not None and self._seen == 0.0:
            return self._settled(rgb, found, region)
        lost = found is not None and _limbs_seen(found) < self._seen - LOST_LIMBS
        if found is not None and lost and self._good is not None and not _has_left(self._good, region):
            again = self._finder.read(rgb, self._good)
            if again is not None and _limbs_seen(again) > _limbs_seen(found):
                found, seen_in = again, self._good
        seen = 0.0 if found is None else _limbs_seen(found)
        if found is None or seen >= self._seen - FORGOTTEN_LIMBS:
            self._good, self._seen = seen_in, seen
        else:
            self._seen -= FORGOTTEN_LIMBS
        return found

    def _search(self, rgb: np.ndarray, seconds: float) -> FrameLandmarks | None:
        """The landmarks of the most likely detection that the landmark network confirms."""
        people = self._count(rgb, seconds)
        sure = [(score, region) for score, region in people if score >= SURE]
        unsure = [(score, region) for score, region in people if score < SURE][:MOST_UNSURE]
        last = self._last_seen
        if last is not None:
            sure.sort(key=lambda one: (one[1].x - last.x) ** 2 + (one[1].y - last.y) ** 2)
        for score, region in sure[:1] or unsure:
            if (found := self._finder.read(rgb, region, score)) is not None:
                return self._settled(rgb, found, region)
        return None

    def _settled(self, rgb: np.ndarray, found: FrameLandmarks, region: Region) -> FrameLandmarks:
        """The first look at a person, or a later one that shows more limbs; each look chooses the next one's region."""
        best, latest = (found, region), found
        for _ in range(LOOKS_AT_START - 1):
            place = latest.next_region
            again = self._finder.read(rgb, place)
            if again is None:
                break
            if _limbs_seen(again) > _limbs_seen(best[0]) + LOST_LIMBS:
                best = again, place
            latest = again
        self._good, self._seen = best[1], _limbs_seen(best[0])
        return best[0]

    def _count(self, rgb: np.ndarray, seconds: float) -> list[tuple[float, Region]]:
        self._counted = seconds
        people = self._finder.regions(rgb)
        self.most_people = max(self.most_people, sum(score >= SURE for score, _ in people))
        return people


def _has_left(region: Region, now: Region) -> bool:
    """Whether a person who is now in another region has left this one, which would then show wrong landmarks."""
    return math.hypot(region.x - now.x, region.y - now.y) > REGION_MARGIN * region.size


def _limbs_seen(found: FrameLandmarks) -> float:
    """Mean visibility of the limbs, 0 to 1."""
    return float(found.visibility[lm.LIMBS].mean())


def track(
    frames: Iterable[TimedFrame],
    finder: PeopleFinder,
    box: PersonBox | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> FollowedPerson:
    """The landmarks of a whole clip; only one image is held at a time.

    Args:
        frames: seconds and (height, width, 3) uint8 images; None for an image that cannot be decoded.
        box: the person to follow, from the box's time on.
        notice: receives a sentence, early in the clip, if nobody is in the box, or parts of the body are out of view.
    """
    tracker, watcher, early = PersonTracker(finder, box), ShotWatcher(), _EarlyNotice(notice, box)
    found: list[FrameLandmarks | None] = []
    looks: list[np.ndarray] = []
    start = None
    shown = None
    for seconds, rgb in frames:
        shown = shown if rgb is None else rgb
        new_shot = shown is not None and watcher.look(shown)
        if rgb is None or (box is not None and seconds < box.seconds - 1e-3):
            landmarks = None
        else:
            if new_shot and start != len(found):
                tracker.forget()
            start = len(found) if start is None else start
            landmarks = tracker.follow(rgb, seconds)
        found.append(landmarks)
        unseen = np.full(LOOKS_SHAPE, np.nan)
        looks.append(unseen if rgb is None or landmarks is None else looks_of(rgb, landmarks.image))
        early.see(landmarks)
    return FollowedPerson(
        _track_of(found),
        np.array(looks).reshape(-1, *LOOKS_SHAPE),
        watcher.cuts(),
        tracker.most_people,
        start if box else None,
    )


def _track_of(found: list[FrameLandmarks | None]) -> LandmarkTrack:
    empty = FrameLandmarks(np.zeros((COUNT, 2)), np.zeros((COUNT, 3)), np.zeros(COUNT), 0.0, Region(0, 0, 0, 0))
    kept = [frame or empty for frame in found]
    return LandmarkTrack(
        image=np.array([f.image for f in kept]).reshape(-1, COUNT, 2),
        world=np.array([f.world for f in kept]).reshape(-1, COUNT, 3),
        visibility=np.array([f.visibility for f in kept]).reshape(-1, COUNT),
        detected=np.array([f is not None for f in found], bool),
    )


class _EarlyNotice:
    """Reports, once, which parts of the body are hardly visible in the first frames, and a box that shows nobody."""

    def __init__(self, notice: Callable[[str], None], box: PersonBox | None) -> None:
        self._notice, self._box = notice, box
        self._visibility: list[np.ndarray] = []

    def see(self, frame: FrameLandmarks | None) -> None:
        if frame is None or len(self._visibility) >= FRAMES_FOR_NOTICE:
            return
        if self._box is not None and not self._visibility and not self._box.shows(frame.image):
            x, y = frame.image.mean(0)
            self._notice(
                f"nobody was found in --bbox; the nearest person, around x {x:.0f} and y {y:.0f}, is followed."
            )
        self._visibility.append(frame.visibility)
        if len(self._visibility) == FRAMES_FOR_NOTICE:
            mean = np.mean(self._visibility, axis=0)
            hidden = [name for name, points in lm.PARTS.items() if mean[list(points)].mean() < LOW_VISIBILITY]
            if hidden:
                self._notice(
                    f"the first frames hardly show: {', '.join(hidden)}; their pose will be a guess. "
                    "Use a video that shows the person from head to foot."
                )
