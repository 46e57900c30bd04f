"""The documented capture file, as this toolkit's own tools and other people's scripts write it."""

from __future__ import annotations

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.tracks import Person, Track, person_of


def tracks(document: Document) -> tuple[Track, ...]:
    """The one person of the file."""
    capture = capture_from_dict(document.value)
    return (Track(person_in(capture), lambda _space: capture),)


def person_in(capture: Capture) -> Person:
    """The only person of a file, named 0."""
    return Person("0", len(capture)) if capture.frame_index is None else person_of(0, capture.frame_index.tolist())
