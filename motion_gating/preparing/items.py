"""An entry with its source files, and the step at which it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from motion_gating.archives.archive import InvalidEntry, entry_id, without_true
from motion_gating.archives.candidates import GIVEN, problem_of
from motion_gating.archives.entry_number import entry_number
from motion_gating.archives.fields import (
    EVAL_PATH,
    GLOBAL_ID,
    ID,
    JUDGED_CONTENT,
    MOTION_PATH,
    PROMPT,
    SOURCE_CAPTURE,
    SOURCE_VIDEO,
    TEXT_KEYS,
    VIDEO_PATH,
)
from motion_gating.archives.paths import path_in_archive
from motion_gating.archives.texts import text_of
from motion_gating.preparing.layout import Layout
from motion_rep.common.errors import InputError
from motion_rep.files.locations import Location, RemotePath, resolve_from


@dataclass(frozen=True)
class Item:
    """An entry with the files that it starts from.

    Attributes:
        entry: as written into the archive.
        name: base name of its files.
        video: the source video, possibly still to be generated; None without one.
        capture, motion: files given by the user; a given motion takes precedence over a given capture.
        problem: why the entry cannot be processed.
    """

    entry: dict
    name: str
    video: Path | None = None
    capture: Location | None = None
    motion: Location | None = None
    generated: bool = False
    problem: str | None = None

    @property
    def identifier(self) -> object:
        return entry_id(self.entry)

    @property
    def needs_capture(self) -> bool:
        return self.problem is None and self.motion is None and self.capture is None


def item_of(entry: dict, layout: Layout) -> Item:
    """The item of an entry whose paths are relative to the run's archive.

    It starts after the last step whose file exists.
    """
    name = layout.name(entry_id(entry))
    if isinstance(entry, InvalidEntry):
        return Item(entry, name, problem=entry.problem)
    if (invalid := problem_of(entry)) is not None:
        return Item(_prepared(entry, layout, name, None), name, problem=invalid)
    if (field := next((field for field in GIVEN if isinstance(entry.get(field), list)), None)) is not None:
        several = f"{field} names several files, but the entry has a group already. Name one file."
        return Item(_prepared(entry, layout, name, None), name, problem=several)
    try:
        motion, capture = (
            _existing(entry, field, own, layout)
            for field, own in ((MOTION_PATH, layout.motion(name)), (SOURCE_CAPTURE, layout.capture(name)))
        )
        video = _source_video(entry, layout, name)
    except InputError as error:
        return Item(_prepared(entry, layout, name, None), name, problem=str(error))
    if (motion or capture or video) is None:
        problem = _missing_source(entry, layout)
        own = None if problem else layout.video(name)
        return Item(_prepared(entry, layout, name, own), name, own, generated=problem is None, problem=problem)
    generated = (motion or capture) is None and video == layout.video(name)
    given = capture if motion is None else None
    return Item(_prepared(entry, layout, name, video), name, video, given, motion, generated)


def with_problem(item: Item, problem: str | None) -> Item:
    """The item with another reason why it cannot be processed, if it has none yet."""
    return item if problem is None or item.problem is not None else replace(item, problem=problem)


def _source_video(entry: dict, layout: Layout, name: str) -> Path | None:
    """The source video; ``video_path`` counts as one only in an entry without an eval file, which the renderer adds.

    Raises:
        InputError: it is a URL.
    """
    own = layout.video(name)
    fields = (SOURCE_VIDEO,) if EVAL_PATH in entry or entry.get(MOTION_PATH) else (SOURCE_VIDEO, VIDEO_PATH)
    found = next((path for field in fields if (path := _existing(entry, field, own, layout)) is not None), None)
    if isinstance(found, RemotePath):
        raise InputError(f"{found}: a source video must be a local file. Download it first.")
    return found or (own if own.exists() else None)


def _existing(entry: dict, field: str, own: Path, layout: Layout) -> Location | None:
    """The file in a field; None if it is missing or a result of this run."""
    value = entry.get(field)
    if not isinstance(value, str) or not value:
        return None
    found = resolve_from(value, layout.archive)
    if isinstance(found, RemotePath):
        return found
    return found if os.path.exists(found) and os.path.abspath(found) != os.path.abspath(own) else None


def _missing_source(entry: dict, layout: Layout) -> str | None:
    """Why an entry without a file cannot start; None if its video can be generated."""
    named = next((entry[field] for field in (SOURCE_CAPTURE, SOURCE_VIDEO) if entry.get(field)), None)
    if named is not None:
        return f"{named}: not found, and no later step of this entry exists. Correct the path."
    motion = entry.get(MOTION_PATH)
    if isinstance(motion, str) and motion and os.path.exists(str(resolve_from(motion, layout.archive))):
        return (
            f"{motion}: is a result in the output folder, and the entry has no source. Add the path of the file it "
            "was made from."
        )
    return None if text_of(entry) is not None else "has no video, capture, motion or text. Add one."


def _prepared(entry: dict, layout: Layout, name: str, video: Path | None) -> dict:
    """An entry with the fields that the next program needs; a ``true`` is dropped if this run makes the motion."""
    if JUDGED_CONTENT not in entry:
        entry = without_true(entry)
    if video is not None and EVAL_PATH not in entry:
        entry = {key: value for key, value in entry.items() if key != VIDEO_PATH}
    known = {ID: entry_id(entry), GLOBAL_ID: entry_number(entry)}
    texts = {key: text_of(entry, key) or text_of(entry) for key in (PROMPT, *TEXT_KEYS)}
    texts = {key: text for key, text in texts.items() if text is not None}
    source = {} if video is None else {SOURCE_VIDEO: path_in_archive(video, layout.archive)}
    return {**known, **entry, **texts, **source, MOTION_PATH: path_in_archive(layout.motion(name), layout.archive)}
