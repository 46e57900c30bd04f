"""List the people in a video, with number, position and times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from motion_rep.common.errors import UsageError, counted
from motion_rep.preview_capture.identity import FEWEST_LANDMARKS, VISIBLE
from motion_rep.preview_capture.networks import FrameLandmarks, Region
from motion_rep.preview_capture.tracking import PeopleFinder, PersonBox, TimedFrame
from motion_rep.video.shot_cuts import ShotWatcher

SECONDS_BETWEEN_LOOKS = 0.25
# A person moves by at most this share of the box between looks, and that much more for each look without a sighting.
# The box changes its size by at most LARGEST_GROWTH. Boxes that share SAME_SHARE of the smaller one show the same
# person.
FARTHEST_MOVE, LARGEST_GROWTH, SAME_SHARE = 0.6, 2.0, 0.6
MOST_AT_ONCE = 8
LONGEST_ABSENCE_SECONDS = 1.5
BOX_AROUND_LANDMARKS = 1.1


@dataclass(frozen=True)
class Person:
    """A person of a video.

    box: pixels, at the first sighting. last: seconds of the last sighting. height: median height in pixels.
    """

    number: int
    box: PersonBox
    last: float
    height: float

    def to_dict(self) -> dict[str, object]:
        """The values for JSON."""
        box = self.box
        corners = [round(x, 1) for x in (box.left, box.top, box.width, box.height)]
        return {
            "person": self.number,
            "box": corners,
            "first_seconds": round(box.seconds, 3),
            "last_seconds": round(self.last, 3),
            "height": round(self.height, 1),
        }

    def __str__(self) -> str:
        box = self.box
        corners = ",".join(f"{x:.0f}" for x in (box.left, box.top, box.width, box.height))
        return (
            f"person {self.number}: box {corners} at {box.seconds:.2f} s, "
            f"seen until {self.last:.2f} s, {self.height:.0f} pixels high"
        )


@dataclass(frozen=True)
class _Sighting:
    """A person at a moment: the box around the visible landmarks, and the region that the landmarks mark."""

    box: PersonBox
    region: Region

    def away(self, other: _Sighting) -> float:
        """Distance of the boxes as a share of the smaller one's side; infinite if the sizes differ too much."""
        small, large = sorted(max(one.box.width, one.box.height) for one in (self, other))
        if large > LARGEST_GROWTH * small:
            return np.inf
        (x, y), (there_x, there_y) = self.box.middle, other.box.middle
        return float(np.hypot(x - there_x, y - there_y) / small)

    def covers(self, other: _Sighting) -> bool:
        """Whether the boxes show the same person: most of the smaller one is inside the other."""
        a, b = self.box, other.box
        width = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
        height = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
        return max(width, 0) * max(height, 0) > SAME_SHARE * min(a.width * a.height, b.width * b.height)


def find_people(frames: Iterable[TimedFrame], finder: PeopleFinder) -> list[Person]:
    """All people who are seen in at least two looks, numbered by the time of the first one, then from the left.

    Args:
        frames: seconds and (height, width, 3) uint8 images of a video; None for an image that cannot be decoded.
    """
    watcher, due, looks, shot = ShotWatcher(), -np.inf, 0, 0
    known: list[list[_Sighting]] = []
    for seconds, rgb in frames:
        if rgb is None:
            continue
        if watcher.look(rgb):
            shot, due = len(known), seconds
        if seconds >= due - 1e-6:
            due, looks = seconds + SECONDS_BETWEEN_LOOKS, looks + 1
            known += _added(_seen(rgb, seconds, finder, known[shot:]), known[shot:])
    kept = [path for path in known if len(path) > 1 or looks < 3]
    kept.sort(key=lambda path: (path[0].box.seconds, path[0].box.middle[0]))
    return [
        Person(number, path[0].box, path[-1].box.seconds, float(np.median([one.box.height for one in path])))
        for number, path in enumerate(kept)
    ]


def _seen(rgb: np.ndarray, seconds: float, finder: PeopleFinder, known: list[list[_Sighting]]) -> list[_Sighting]:
    """The people in a frame, each once: first where people were a moment ago, then where the detector finds some."""
    recent = [path[-1].region for path in known if seconds - path[-1].box.seconds < 1.5 * SECONDS_BETWEEN_LOOKS]
    found: list[_Sighting] = []
    for score, region in [*((1.0, region) for region in recent), *finder.regions(rgb)[:MOST_AT_ONCE]]:
        landmarks = finder.read(rgb, region, score)
        if landmarks is not None and landmarks.next_region.usable():
            one = _Sighting(_box_of(landmarks, seconds), landmarks.next_region)
            if not any(one.covers(other) for other in found):
                found.append(one)
    return found


def _added(found: list[_Sighting], known: list[list[_Sighting]]) -> list[list[_Sighting]]:
    """Extend the known paths by the sightings, latest and nearest first; returns the new paths."""
    pairs = [
        (one.box.seconds - path[-1].box.seconds, path[-1].away(one), old, new)
        for old, path in enumerate(known)
        for new, one in enumerate(found)
    ]
    old_left, new_left = set(range(len(known))), set(range(len(found)))
    for absence, away, old, new in sorted(pairs):
        near = away <= FARTHEST_MOVE * max(1.0, absence / SECONDS_BETWEEN_LOOKS)
        if near and absence <= LONGEST_ABSENCE_SECONDS and old in old_left and new in new_left:
            known[old].append(found[new])
            old_left.discard(old)
            new_left.discard(new)
    return [[found[new]] for new in sorted(new_left)]


def _box_of(landmarks: FrameLandmarks, seconds: float) -> PersonBox:
    visible = landmarks.visibility > VISIBLE
    points = landmarks.image[visible] if visible.sum() >= FEWEST_LANDMARKS else landmarks.image
    low, high = points.min(0), points.max(0)
    width, height = (high - low) * BOX_AROUND_LANDMARKS
    left, top = (low + high) / 2 - (width / 2, height / 2)
    return PersonBox(float(left), float(top), float(width), float(height), seconds)


def chosen_person(people: list[Person], number: int) -> Person:
    """The person with a number.

    Raises:
        UsageError: there is no such person.
    """
    if number >= len(people):
        found = "; ".join(map(str, people)) or "nobody"
        raise UsageError(
            f"--person {number}: the video shows {counted(len(people), 'person', 'people')}: {found}. Choose one."
        )
    return people[number]
