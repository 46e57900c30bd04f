"""The description of each entry: given, from a text file next to its file, or from its name."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from motion_gating.archives.archive import InvalidEntry
from motion_gating.archives.fields import MOTION_PATH, NAME, PROMPT, SOURCE_CAPTURE, SOURCE_VIDEO
from motion_gating.archives.making import DATA, VIDEOS, entries_at
from motion_gating.archives.texts import text_of
from motion_rep.common.errors import InputError, UsageError, counted
from motion_rep.files.local_files import read_text
from motion_rep.files.locations import RemotePath, resolve_from

LONGEST_NAME = 60
LONGEST_TEXT = 100_000  # characters of a text file next to a video
Warn = Callable[[str], object]


def slug(text: str) -> str:
    """A short file name made from a text."""
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return words[:LONGEST_NAME].rstrip("_") or "prompt"


def with_given_texts(
    entries: dict[str, dict], file: Path, archive: Path, warn: Warn, problems: dict[str, str]
) -> dict[str, dict]:
    """The entries with texts from a file: from a CSV by name, from other files line by line in the order of the
    entries.

    Args:
        problems: receives, by the name of an entry, why its text cannot be used.
    Raises:
        UsageError: the file cannot be read, or its number of lines differs.
    """
    rows = list(entries_at(file, archive, []))
    good = [(name, fields) for name, fields in rows if not isinstance(fields, InvalidEntry)]
    if all(name == fields.get(PROMPT) for name, fields in good):
        if len(rows) != len(entries):
            raise UsageError(
                f"--prompts {file}: has {counted(len(rows), 'line')} for "
                f"{counted(len(entries), 'entry', 'entries')}. Give one line for each entry, "
                "or a CSV with the columns name and prompt."
            )
        problems |= {
            name: row.problem for name, (_, row) in zip(entries, rows, strict=True) if isinstance(row, InvalidEntry)
        }
        return {name: _with_fields(entry, row) for (name, entry), (_, row) in zip(entries.items(), rows, strict=True)}
    texts = {_without_suffix(name): fields for name, fields in rows}
    known = {name: _without_suffix(str(entry.get(NAME) or name)) for name, entry in entries.items()}
    if unknown := [name for name in texts if name not in known.values()]:
        warn(f"--prompts {file}: {len(unknown)} names are no input, for example {unknown[0]!r}")
    for name, fields in texts.items():
        if isinstance(fields, InvalidEntry):
            warn(fields.problem)
            problems |= {entry: fields.problem for entry, named in known.items() if named == name}
    return {name: _with_fields(entry, texts.get(known[name], {})) for name, entry in entries.items()}


def _with_fields(entry: dict, fields: dict) -> dict:
    """The entry with other fields; an invalid one stays as it is."""
    return entry if isinstance(entry, InvalidEntry) else {**entry, **fields}


def with_own_texts(entries: dict[str, dict], archive: Path, warn: Warn, problems: dict[str, str]) -> dict[str, dict]:
    """The entries, each with a text: its own, that of a text file next to its file, or its file's name.

    Args:
        problems: receives, by the name of an entry, why its text file cannot be used.
    """
    found, named = {}, []
    for name, entry in entries.items():
        try:
            text = text_of(entry) or _text_next_to(entry, archive)
        except InputError as error:
            found[name], problems[name] = entry, str(error)
            continue
        if text is None and (file := _first_file(entry, archive)) is not None:
            text = Path(str(file)).stem.replace("_", " ")
            named.append(name)
        found[name] = entry if text is None or text_of(entry) else {**entry, PROMPT: text}
    if named:
        warn(
            f"{counted(len(named), 'entry has', 'entries have')} no text; their file names serve as "
            "descriptions, for example "
            f"{found[named[0]][PROMPT]!r}. Give texts with --prompts"
        )
    return found


def _text_next_to(entry: dict, archive: Path) -> str | None:
    file = _first_file(entry, archive)
    text_file = file.with_suffix(".txt") if isinstance(file, Path) else None
    if text_file is None or not os.path.isfile(text_file):
        return None
    text = " ".join(read_text(text_file).split())
    if len(text) > LONGEST_TEXT or "\0" in text:
        found = "a NUL character" if "\0" in text else f"{len(text):,} characters"
        raise InputError(f"{text_file}: has {found}, expected a description of a motion. Correct it, or remove it.")
    return text or None


def _first_file(entry: dict, archive: Path) -> Path | RemotePath | None:
    values = (entry.get(field) for field in (SOURCE_VIDEO, SOURCE_CAPTURE, MOTION_PATH))
    value = next((value for value in values if isinstance(value, str) and value), None)
    with contextlib.suppress(InputError):  # the entry fails later, with this reason
        return None if value is None else resolve_from(value, archive)
    return None


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in (*VIDEOS, *DATA) else name
