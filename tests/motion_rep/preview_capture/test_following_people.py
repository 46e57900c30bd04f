"""Whom the tracker follows and who is listed, with networks that are played by the test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from motion_rep.common.errors import UsageError
from motion_rep.preview_capture.landmarks import COUNT, LEFT_WRIST, RIGHT_WRIST
from motion_rep.preview_capture.networks import FrameLandmarks, Region
from motion_rep.preview_capture.people import chosen_person, find_people
from motion_rep.preview_capture.tracking import PeopleFinder, PersonBox, PersonTracker, track
from motion_rep.preview_capture.video_capture import _part_of

FPS = 20.0
SIDE = 100.0


@dataclass(frozen=True)
class Actor:
    """A person who walks from x over the frames first to last (not included) by ``speed`` pixels a frame."""

    x: float
    first: int = 0
    last: int = 1000
    speed: float = 0.0
    score: float = 0.9
    presence: float = 0.9
    hidden: tuple[int, ...] = ()

    def place(self, frame: int) -> float:
        return self.x + self.speed * (frame - self.first)


class Played:
    """Detector and landmark network of a scene; the picture's first pixel is the frame's number."""

    def __init__(self, *actors: Actor) -> None:
        self._actors = actors

    def find(self, rgb: np.ndarray) -> list[tuple[float, Region]]:
        found = [(one.score, Region(one.place(frame), 300, 2 * SIDE, 0.0)) for frame, one in self._there(rgb)]
        return sorted(found, key=lambda pair: -pair[0])

    def read(self, rgb: np.ndarray, region: Region) -> FrameLandmarks:
        near = [(abs(one.place(f) - region.x), one.place(f), one) for f, one in self._there(rgb)]
        distance, x, actor = min(near, default=(1e9, 0.0, None), key=lambda one: one[0])
        visibility = np.ones(COUNT)
        if actor is None or distance > region.size / 2:
            return FrameLandmarks(np.zeros((COUNT, 2)), np.zeros((COUNT, 3)), visibility, 0.0, region)
        visibility[list(actor.hidden)] = 0.1
        image = np.stack((x + 15 * np.sin(np.arange(COUNT)), np.linspace(250, 350, COUNT)), -1)
        following = Region(x, 300, 2 * SIDE, 0.0)
        return FrameLandmarks(image, np.zeros((COUNT, 3)), visibility, actor.presence, following)

    def _there(self, rgb: np.ndarray) -> list[tuple[int, Actor]]:
        frame = int(rgb[0, 0, 0])
        return [(frame, one) for one in self._actors if one.first <= frame < one.last]


def finder_of(*actors: Actor) -> PeopleFinder:
    finder = PeopleFinder.__new__(PeopleFinder)
    finder._detector = finder._landmarks = Played(*actors)  # type: ignore[assignment]
    return finder


def frames(count: int, cut: int = 1000):
    """Frames of one shot, or of two with other scenery from frame ``cut`` on."""
    for number in range(count):
        random = np.random.default_rng(number >= cut)
        rgb = np.kron(random.integers(0, 256, (12, 16, 3)), np.ones((30, 60, 1))).astype(np.uint8)
        rgb[0, 0, 0] = number
        yield number / FPS, rgb


def path_of(found) -> list[float | None]:
    return [
        float(image[:, 0].mean().round()) if seen else None
        for image, seen in zip(found.track.image, found.track.detected, strict=True)
    ]


class Alternating(Played):
    """A landmark network that sees the arms in wide regions only, and asks for the other width after each frame."""

    def read(self, rgb: np.ndarray, region: Region) -> FrameLandmarks:
        wide = region.size > SIDE
        seen = super().read(rgb, region)
        if not wide:
            seen.visibility[[LEFT_WRIST, RIGHT_WRIST]] = 0.2
        return replace(seen, next_region=replace(seen.next_region, size=SIDE if wide else 2 * SIDE))


def test_arms_that_every_other_region_loses_are_read_again_in_the_region_that_showed_them():
    finder = PeopleFinder.__new__(PeopleFinder)
    finder._detector = finder._landmarks = Alternating(Actor(300))  # type: ignore[assignment]
    visible = track(frames(8), finder).track.visibility[:, LEFT_WRIST]
    assert visible.tolist() == [1.0] * 8


class Losing(Played):
    """A landmark network that loses the arms in frame 3; notes the frames that it reads."""

    def __init__(self, *actors: Actor) -> None:
        super().__init__(*actors)
        self.frames: list[int] = []

    def read(self, rgb: np.ndarray, region: Region) -> FrameLandmarks:
        self.frames.append(int(rgb[0, 0, 0]))
        seen = super().read(rgb, region)
        if self.frames[-1] == 3:
            seen.visibility[[LEFT_WRIST, RIGHT_WRIST]] = 0.2
        return seen


@pytest.mark.parametrize(("speed", "reads"), [(10.0, 2), (30.0, 1)])
def test_a_region_that_the_person_has_left_is_not_read_again(speed, reads):
    """A region is larger than the person by a tenth of its side, here 20 pixels, on every side."""
    finder = PeopleFinder.__new__(PeopleFinder)
    finder._detector = finder._landmarks = network = Losing(Actor(300, speed=speed))  # type: ignore[assignment]
    track(frames(5), finder)
    assert network.frames.count(3) == reads


class FoundNarrow(Alternating):
    """Its detector's regions are those that hide the arms."""

    def find(self, rgb: np.ndarray) -> list[tuple[float, Region]]:
        return [(score, replace(region, size=SIDE)) for score, region in super().find(rgb)]


@pytest.mark.parametrize("box", [None, PersonBox(270, 270, 60, 60)])
def test_arms_that_the_first_region_hides_are_seen_from_the_first_frame_on(box):
    finder = PeopleFinder.__new__(PeopleFinder)
    finder._detector = finder._landmarks = FoundNarrow(Actor(300))  # type: ignore[assignment]
    visible = track(frames(8), finder, box).track.visibility[:, LEFT_WRIST]
    assert visible.tolist() == [1.0] * 8


@pytest.mark.parametrize(
    ("score", "presence", "followed"), [(0.9, 0.55, True), (0.9, 0.45, False), (0.15, 0.75, True), (0.15, 0.6, False)]
)
def test_a_doubtful_detection_is_followed_if_the_landmark_network_is_sure(score, presence, followed):
    """Half bodies from behind: the detector gives them 0.14 to 0.17, the landmark network 0.7 to 0.97."""
    finder = finder_of(Actor(300, score=score, presence=presence))
    found = PersonTracker(finder).follow(next(frames(1))[1], 0.0)
    assert (found is not None) == followed
    assert len(find_people(frames(20), finder)) == followed


def test_a_doubtful_person_does_not_draw_the_tracker_from_a_sure_one():
    finder = finder_of(Actor(300, first=3, score=0.6), Actor(500, first=3, score=0.3, presence=0.99))
    assert path_of(track(frames(6), finder))[3:] == [300.0] * 3


def test_the_person_in_the_box_is_followed_from_its_time_on():
    finder = finder_of(Actor(300, score=0.95), Actor(600, score=0.9))
    found = track(frames(10), finder, PersonBox(550, 250, SIDE, SIDE, seconds=0.2))
    assert path_of(found) == [None] * 4 + [600.0] * 6 and found.start == 4
    assert path_of(track(frames(10), finder)) == [300.0] * 10
    assert track(frames(10), finder).start is None


def test_a_box_that_shows_nobody_is_told():
    said: list[str] = []
    track(frames(6), finder_of(Actor(300)), PersonBox(0, 0, 40, 40), said.append)
    assert len(said) == 1 and "nobody was found in --bbox; the nearest person, around x 30" in said[0]
    track(frames(6), finder_of(Actor(300)), PersonBox(250, 250, SIDE, SIDE), said.append)
    assert len(said) == 1


def test_people_are_counted_over_the_whole_clip():
    assert track(frames(60), finder_of(Actor(300), Actor(600, first=30))).most_people == 2
    assert track(frames(60), finder_of(Actor(300))).most_people == 1


def test_the_tracker_starts_anew_in_a_new_shot():
    """Even where someone else stands at the old place; the surest detection of the new shot is followed."""
    finder = finder_of(
        Actor(300, last=10), Actor(300, first=10, score=0.8, presence=0.8), Actor(700, first=10, score=0.95)
    )
    found = track(frames(20, cut=10), finder)
    assert found.cuts == (10,) and path_of(found) == [300.0] * 10 + [700.0] * 10


def test_the_longest_part_is_kept_or_the_one_with_the_box():
    finder = finder_of(Actor(300, last=14), Actor(700, first=14))
    longest = _part_of(track(frames(40, cut=14), finder), FPS)
    assert (longest.frames, longest.count, longest.cuts, longest.changes) == (slice(14, 40), 2, (14,), ())
    named = _part_of(track(frames(40, cut=14), finder, PersonBox(250, 250, SIDE, SIDE)), FPS)
    assert (named.frames, named.number) == (slice(0, 14), 0)
    later = _part_of(track(frames(40, cut=14), finder, PersonBox(650, 250, SIDE, SIDE, 1.0)), FPS)
    assert later.frames == slice(14, 40)


def test_a_change_of_person_without_a_cut_ends_the_part():
    finder = finder_of(Actor(300, last=30), Actor(700, first=30))
    part = _part_of(track(frames(40), finder), FPS)
    assert (part.frames, part.cuts, part.changes) == (slice(0, 30), (), (30,))


def test_everybody_is_listed_by_time_then_from_the_left():
    finder = finder_of(
        Actor(700, score=0.95, last=30), Actor(300, score=0.3), Actor(900, first=20, last=55, speed=-4.0)
    )
    people = find_people(frames(60), finder)
    assert [person.number for person in people] == [0, 1, 2]
    assert [round(person.box.middle[0]) for person in people] == [300, 700, 900]
    assert [person.box.seconds for person in people] == [0.0, 0.0, 1.0]
    assert [person.last for person in people] == pytest.approx([2.75, 1.25, 2.5], abs=0.26)
    assert people[0].height == pytest.approx(110) and people[2].to_dict()["first_seconds"] == 1.0
    assert str(people[1]).startswith("person 1: box 68") and "at 0.00 s, seen until 1.25 s" in str(people[1])


def test_the_same_place_in_another_shot_is_another_person():
    assert len(find_people(frames(60), finder_of(Actor(300)))) == 1
    assert len(find_people(frames(60, cut=30), finder_of(Actor(300)))) == 2


def test_a_listed_person_is_followed_from_there():
    finder = finder_of(Actor(300, score=0.95), Actor(700, first=20))
    person = chosen_person(find_people(frames(60), finder), 1)
    assert path_of(track(frames(60), finder, person.box)) == [None] * 20 + [700.0] * 40
    with pytest.raises(
        UsageError, match=r"--person 2: the video shows 2 people: person 0: box .*; person 1: .* Choose"
    ):
        chosen_person(find_people(frames(60), finder), 2)


@pytest.mark.parametrize(
    ("hidden", "named"),
    [((25, 26, 27, 28), "left leg, right leg"), ((13, 15), "left arm"), ((), None), ((27,), None)],
)
def test_hidden_parts_are_told_early(hidden, named):
    told: list[tuple[int, str]] = []
    seen = 0

    def counted():
        nonlocal seen
        for one in frames(30):
            seen += 1
            yield one

    track(counted(), finder_of(Actor(300, hidden=hidden)), notice=lambda sentence: told.append((seen, sentence)))
    if named is None:
        assert told == []
    else:
        ((when, sentence),) = told
        assert when == 10 and f"hardly show: {named}; their pose will be a guess" in sentence
