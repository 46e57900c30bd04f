"""Read a capture of any supported system.

Stages: the path's contents are read without running anything (documents.py), the first adapter that recognises them
(in the order of hmr_results/names.py) lists the people in it (tracks.py), and the requested one becomes a
:class:`motion_rep.captures.capture.Capture`.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from motion_rep.captures.capture import Capture
from motion_rep.captures.fields import REQUIRED
from motion_rep.common.errors import InputError, located
from motion_rep.hmr_results.corrections import NO_CORRECTIONS, Corrections
from motion_rep.hmr_results.documents import Document, open_document
from motion_rep.hmr_results.format import Format, has_any
from motion_rep.hmr_results.known_layouts import found_text, looks_like
from motion_rep.hmr_results.lens import with_focal_length
from motion_rep.hmr_results.names import FORMATS, LONGEST, SYSTEMS
from motion_rep.hmr_results.tracks import Person, Track, choose_track, people_note

ADAPTERS: dict[str, Format] = {
    system.name: importlib.import_module(f"motion_rep.hmr_formats.{system.module}").FORMAT for system in SYSTEMS
}
NO_RESULT = "is a folder without the result of a known system; give the file, or the folder of SMPLer-X or TRAM"

NO_ADVICE = "the table in motion_rep/hmr_formats/README.md lists what each system writes"


@dataclass(frozen=True)
class OpenedCapture:
    """A file of a known system: ``document`` has its contents, ``tracks`` the people."""

    format: str
    document: Document
    tracks: tuple[Track, ...]
    corrections: Corrections = NO_CORRECTIONS

    @property
    def people(self) -> tuple[Person, ...]:
        """The people in the file, the longest first."""
        return tuple(sorted((track.person for track in self.tracks), key=lambda person: -person.frames))

    def capture(self, person: str | int = LONGEST, space: str = "camera", focal_length: float | None = None) -> Capture:
        """One person as a capture; see :func:`read_capture`."""
        with located(self.document.path):
            track = choose_track(self.tracks, person, ADAPTERS[self.format].needs)
            read = self.corrections.capture(track.read(_known_space(track, space, self.format)))
            if not ADAPTERS[self.format].written_by_any_script:
                read = dataclasses.replace(read, corrections=())
            read = read.with_notes(*people_note(self.tracks, track))
            return read if focal_length is None else with_focal_length(read, focal_length)


def read_capture(
    path: str | os.PathLike,
    format: str = "auto",  # noqa: A002 - the name of the flag
    person: str | int = LONGEST,
    space: str = "camera",
    trust_pickle: bool = False,
    image_size: tuple[int, int] | None = None,
    focal_length: float | None = None,
    corrections: Corrections = NO_CORRECTIONS,
) -> Capture:
    """One person of a file or folder, whichever system wrote it.

    Args:
        path: a file, or a folder of SMPLer-X or TRAM.
        format: one of ``names.FORMATS``.
        person: ``longest``, or a name from :func:`list_people`.
        space: ``camera``, or ``world`` for the gravity-aligned world of systems that store one. A system with only a
            world (AMASS) always gives that.
        trust_pickle: load with the ordinary loaders, which run any code in the file. Only for your own files.
        image_size: (width, height) of the video, for systems that do not store it.
        focal_length: pixels; replaces the system's focal length (lens.py).
        corrections: the true up axis and units of a file that any script may have written.
    Raises:
        InputError: unreadable or unusable; the message starts with the path.
    """
    return open_capture(path, format, trust_pickle, image_size, corrections).capture(person, space, focal_length)


def list_people(
    path: str | os.PathLike,
    format: str = "auto",  # noqa: A002
    trust_pickle: bool = False,
) -> tuple[Person, ...]:
    """The people in a file, with lengths, the longest first.

    Raises:
        InputError: the message starts with the path.
    """
    return open_capture(path, format, trust_pickle).people


def open_capture(
    path: str | os.PathLike,
    format: str = "auto",  # noqa: A002
    trust_pickle: bool = False,
    image_size: tuple[int, int] | None = None,
    corrections: Corrections = NO_CORRECTIONS,
) -> OpenedCapture:
    """Read a file, recognise its system and list its people; arguments as in :func:`read_capture`."""
    return recognised(open_document(Path(path), image_size, trust_pickle), format, corrections)


def recognised(
    document: Document,
    format: str = "auto",  # noqa: A002
    corrections: Corrections = NO_CORRECTIONS,
) -> OpenedCapture:
    """The system and the people of a document."""
    with located(document.path):
        name = _known_format(document, format)
        _require_correctable(name, corrections)
        corrected = dataclasses.replace(document, value=corrections.values(document.value))
        return OpenedCapture(name, corrected, ADAPTERS[name].tracks(corrected), corrections)


def _known_format(document: Document, wanted: str) -> str:
    if wanted not in FORMATS:
        raise InputError(f"cannot be read as {wanted!r}, expected one of {', '.join(FORMATS)}.")
    if wanted != "auto":
        return wanted
    name = next((name for name, adapter in ADAPTERS.items() if adapter.matches(document)), None)
    if name is not None:
        return name
    advice = next(
        (one.advice for adapter in ADAPTERS.values() for one in adapter.lookalikes if one.matches(document)), None
    )
    if advice or document.path.is_dir():
        raise InputError(f"{advice or NO_RESULT}.")
    if has_any(document.value, REQUIRED):
        # The reader of the documented keys reports the missing ones.
        return "standard"
    raise InputError(
        f"is not the result of a known system: found {found_text(document.value)}. "
        f"{_capitalised(looks_like(document.value) or NO_ADVICE)}."
    )


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def _require_correctable(name: str, corrections: Corrections) -> None:
    """Reject corrections of a program's own files, whose axes and units are known."""
    if corrections == NO_CORRECTIONS or ADAPTERS[name].written_by_any_script:
        return
    others = ", ".join(other for other, adapter in ADAPTERS.items() if adapter.written_by_any_script)
    raise InputError(
        f"{name} always writes metres, radians and its own axes. Omit --up, --units and --degrees, or give another "
        f"system with --format ({others})."
    )


def _known_space(track: Track, space: str, name: str) -> str:
    if space in track.spaces or track.spaces == ("world",):
        return space
    raise InputError(
        f"{name} stores no gravity-aligned world, so --space {space} is not possible. Omit it to get camera space."
    )
