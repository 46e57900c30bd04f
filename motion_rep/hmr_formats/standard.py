"""The documented capture file, written by this toolkit's own tools and by scripts of others."""

from __future__ import annotations

from collections.abc import Mapping

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.captures.fields import REQUIRED
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.format import Format, Lookalike, has
from motion_rep.hmr_results.known_layouts import looks_like
from motion_rep.hmr_results.tracks import Person, Track, person_of
from motion_rep.safe_loading.numpy_file import NpzArrays


def tracks(document: Document) -> tuple[Track, ...]:
    """The one person of the file."""
    capture = capture_from_dict(document.value)
    return (Track(person_in(capture), lambda _space: capture),)


def person_in(capture: Capture) -> Person:
    """The only person of a file, named 0."""
    return Person("0", len(capture)) if capture.frame_index is None else person_of(0, capture.frame_index.tolist())


def _is_standard(document: Document) -> bool:
    """One frame of SMPLer-X has the documented keys, too."""
    one_frame = isinstance(document.value, NpzArrays) and has(document.value, "expression")
    return has(document.value, *REQUIRED) and not one_frame


def _is_motion(value: object) -> bool:
    return isinstance(value, Mapping) and "motion" in value and looks_like(value) is None


FORMAT = Format(
    _is_standard,
    tracks,
    lookalikes=(
        Lookalike(
            lambda document: _is_motion(document.value),
            "is a converted motion, not a capture; it needs no conversion",
        ),
    ),
    written_by_any_script=True,
)
