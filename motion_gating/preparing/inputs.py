"""Read the entries from the inputs: folders, files, archives, CSV and text files, a prompt."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from motion_gating.archives.archive import LINES_SUFFIXES, InvalidEntry, entry_id, is_lines, read_entries
from motion_gating.archives.candidates import (
    DEFAULT_SEED,
    GIVEN,
    FreeSeeds,
    problem_of,
    valid_seed,
    with_candidates,
)
from motion_gating.archives.fields import (
    GLOBAL_ID,
    ID,
    MOTION_DURATION,
    MOTION_PATH,
    PROMPT,
    SOURCE_CAPTURE,
    SOURCE_VIDEO,
)
from motion_gating.archives.making import adds_nothing, entries_at, fits, free_name, repeated_note
from motion_gating.archives.paths import rebased
from motion_gating.archives.texts import text_note, text_of
from motion_gating.preparing.items import Item, item_of, with_problem
from motion_gating.preparing.layout import Layout
from motion_gating.preparing.settings import PrepareRun
from motion_gating.preparing.texts import Warn, slug, with_given_texts, with_own_texts
from motion_rep.common.errors import UsageError, counted
from motion_rep.files.locations import place_of

RESULTS = ("captures", "motions", "motions_raw", "checks", "renders")
FILE_FIELDS = (MOTION_PATH, SOURCE_CAPTURE, SOURCE_VIDEO)
DUPLICATE = "has a duplicate id in the inputs; results would be mixed up. Give every entry its own id."
COMPARED = (*FILE_FIELDS, PROMPT)  # entries that differ in one of them are not merged


def layout_of(run: PrepareRun) -> Layout:
    """The layout of the output folder; an archive of JSON lines gives archives of JSON lines."""
    lines = [is_lines(path) for path in run.inputs]
    return Layout(run.output, ".jsonl" if len(lines) == 1 and lines[0] else ".json")


def read_items(run: PrepareRun, layout: Layout, warn: Warn) -> list[Item]:
    """The items of a run, in the order of the command line.

    Raises:
        UsageError: an input cannot be read, or there is nothing to prepare.
    """
    entries, problems = _gathered(run, layout, warn), dict[str, str]()
    if run.prompts is not None and run.inputs:
        entries = with_given_texts(entries, run.prompts, layout.archive, warn, problems)
    if run.prompt is not None and run.inputs:
        if len(entries) != 1:
            raise UsageError(f"--prompt is the text of one entry, but there are {len(entries)}. Give --prompts FILE.")
        entries = {name: {**entry, PROMPT: run.prompt} for name, entry in entries.items()}
    entries = with_own_texts(entries, layout.archive, warn, problems)
    items = [with_problem(item_of(entry, layout), problems.get(name)) for name, entry in entries.items()]
    if (flag := run.video.given_flag) is not None and not any(item.generated for item in items):
        raise UsageError(f"{flag} sets how to generate a video, but no entry needs one. Leave it out.")
    given = ((str(text_of(entry)), valid_seed(entry)) for entry in entries.values())
    free = FreeSeeds(given, DEFAULT_SEED if run.video.seed is None else run.video.seed, run.video.candidates)
    return [one for item in items for one in _candidates(item, run, layout, free)]


def _gathered(run: PrepareRun, layout: Layout, warn: Warn) -> dict[str, dict]:
    """The entries, keyed by the text of their ids."""
    if not run.inputs and run.prompts is None:
        if not (run.prompt or "").strip():
            raise UsageError("give INPUT (videos, folders, captures, motions, an archive, a CSV) or --prompt TEXT.")
        return {"0": {ID: 0, PROMPT: run.prompt}}
    found: dict[str, dict] = {}
    repeated: list[str] = []
    sources = run.inputs or (run.prompts,)
    for source in sources:
        for identifier, entry in _entries_of(source, layout, warn):
            if not isinstance(entry, InvalidEntry) and adds_nothing(found.get(str(identifier)), entry):
                repeated.append(str(identifier))
            _add(found, identifier, entry, layout)
    for sentence in repeated_note(repeated):
        warn(sentence)
    if not found:
        raise UsageError(
            f"{', '.join(map(str, sources))}: contains no entries. Give videos, captures, motions or texts."
        )
    invalid = [entry for entry in found.values() if isinstance(entry, InvalidEntry)]
    if len(invalid) == len(found):
        raise UsageError(f"{', '.join(map(str, sources))}: entry {invalid[0].identifier} {invalid[0].problem}")
    return found


def _entries_of(source: Path | None, layout: Layout, warn: Warn) -> Iterator[tuple[object, dict]]:
    if source is None or not source.exists():
        raise UsageError(f"{source}: not found. Give existing files or folders.")
    if source.suffix.lower() in (".json", *LINES_SUFFIXES):
        yield from _archive_entries(source, layout, warn)
        return
    unreadable: list[str] = []
    for name, entry in entries_at(source, layout.archive, unreadable):
        if isinstance(entry, InvalidEntry):
            yield name, entry
            continue
        fields = {key: value for key, value in entry.items() if key != MOTION_DURATION}
        _require_foreign(fields, layout)
        yield (slug(name) if name == entry.get(PROMPT) else name), fields
    for sentence in unreadable:
        warn(sentence)


def _require_foreign(entry: dict, layout: Layout) -> None:
    """Check that the file of an entry is not a result of this run, which the run would overwrite."""
    for path in (layout.folder / entry[field] for field in FILE_FIELDS if field in entry):
        if os.path.abspath(path.parent) in {os.path.abspath(layout.folder / name) for name in RESULTS}:
            raise UsageError(f"{path}: is a result in the output folder. Give its source, or another --output.")


def _archive_entries(source: Path, layout: Layout, warn: Warn) -> Iterator[tuple[object, dict]]:
    if place_of(source) in (place_of(layout.archive), place_of(layout.other_archive)):
        raise UsageError(
            f"{source}: is the working copy in the output folder. Give your own archive, or another --output."
        )
    lists = 0
    for entry in read_entries(source):
        lists += text_note(entry) is not None
        several = any(isinstance(entry.get(field), list) for field in FILE_FIELDS)
        for one in with_candidates(entry, 1) if several and problem_of(entry) is None else (entry,):
            yield entry_id(one), rebased(one, source, layout.archive)
    if lists:
        warn(f"{source}: {counted(lists, 'entry has', 'entries have')} several texts; the first of each counts")


def _add(found: dict[str, dict], identifier: object, entry: dict, layout: Layout) -> None:
    """Add an entry, or complete the entry of the same name; a second file of the same kind gets another name.

    Entries of archives keep their ids, so two different ones with one id are invalid.
    """
    name = str(identifier)
    if isinstance(entry, InvalidEntry):
        _add_invalid(found, entry)
        return
    known = found.get(name, {})
    if isinstance(known, InvalidEntry) or not fits(known, entry, COMPARED):
        if ID in entry or GLOBAL_ID in entry:
            if not isinstance(known, InvalidEntry):
                found[name] = InvalidEntry(name, DUPLICATE, known)
            _add_invalid(found, InvalidEntry(name, DUPLICATE, entry))
            return
        identifier = name = _other_name(found, name, entry, layout)
    earlier = found.get(name, {ID: identifier} if ID not in entry and GLOBAL_ID not in entry else {})
    found[name] = {**earlier, **entry}


def _add_invalid(found: dict[str, dict], entry: InvalidEntry) -> None:
    """Add an invalid entry under a name that is free."""
    others = (f"{entry.identifier} ({number})" for number in itertools.count(2))
    name = next(one for one in itertools.chain([entry.identifier], others) if one not in found)
    found[name] = InvalidEntry(name, entry.problem, entry.item)


def _other_name(found: dict[str, dict], name: str, entry: dict, layout: Layout) -> str:
    file = next((str(entry[field]) for field in FILE_FIELDS if entry.get(field)), "")
    folder = (layout.folder / file).parent.name
    if file and fits(found.get(f"{folder}_{name}", {}), entry, COMPARED):
        return f"{folder}_{name}"
    return free_name(found, name, entry, COMPARED)


def _candidates(item: Item, run: PrepareRun, layout: Layout, free: FreeSeeds) -> Iterator[Item]:
    """One item for each seed of an entry whose video is generated."""
    if not item.generated or run.video.candidates == 1:
        yield item
        return
    entry = {key: value for key, value in item.entry.items() if key not in GIVEN}
    first = free.of(str(text_of(entry)))
    yield from (item_of(one, layout) for one in with_candidates(entry, run.video.candidates, first))
