"""The answer of an adapter: the people in a file, each with a function that makes the capture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError, counted, listed, short_text
from motion_rep.hmr_results.names import LONGEST

MOST_PEOPLE = 6  # in a message


@dataclass(frozen=True)
class Person:
    """A person in a file: the system's name, the number of frames, the first and the last (None if unknown)."""

    name: str
    frames: int
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        span = "" if self.first is None else f", from frame {self.first} to {self.last}"
        return f"person {self.name}: {counted(self.frames, 'frame')}{span}"


@dataclass(frozen=True)
class Track:
    """A person, the available spaces, and ``read(space)``, which makes the capture (errors without the file's name)."""

    person: Person
    read: Callable[[str], Capture]
    spaces: tuple[str, ...] = ("camera",)


def person_of(name: object, frame_numbers: Sequence[int]) -> Person:
    """A person seen in these frames."""
    numbers = [int(number) for number in frame_numbers]
    return Person(short_text(name, 60), len(numbers), min(numbers, default=None), max(numbers, default=None))


def choose_track(tracks: Sequence[Track], wanted: str | int, needs: str = "") -> Track:
    """The requested person; ``longest`` means the one in most frames, the first of several.

    Args:
        needs: a sentence for a file without people.
    Raises:
        InputError: no person in the file, or none of this name (lists the people).
    """
    if not tracks:
        raise InputError(
            f"contains no person. {needs} Run the capture again with a video that shows one.".replace("  ", " ")
        )
    if str(wanted) == LONGEST:
        return max(tracks, key=lambda track: track.person.frames)
    for track in tracks:
        if track.person.name == str(wanted):
            return track
    raise InputError(
        f"has no person {wanted}; it contains {people_text(tracks)}. Give one of these names with --person, or omit it "
        "for the longest."
    )


def people_text(tracks: Sequence[Track]) -> str:
    """``person 0: 80 frames, ...; person 3: ...`` with the longest first."""
    ordered = sorted((track.person for track in tracks), key=lambda person: -person.frames)
    return listed(ordered, MOST_PEOPLE, "; ")


def people_note(tracks: Sequence[Track], taken: Track) -> tuple[str, ...]:
    """A note if the file contains several people."""
    if len(tracks) == 1:
        return ()
    return (f"took person {taken.person.name} of {len(tracks)} ({people_text(tracks)}). --person takes another one",)
