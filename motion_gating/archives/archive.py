"""Archives of entries: a JSON list of objects, or JSON lines, read and written as a stream."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from motion_gating.archives.entry_number import is_made
from motion_gating.archives.fields import GLOBAL_ID, ID
from motion_gating.archives.json_stream import json_kind, read_json_list
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.json_files import STRICT_JSON, json_text
from motion_rep.files.local_files import require_file
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy, local_output

Entry = dict
LINES_SUFFIXES = (".jsonl", ".ndjson")
LEAST_FIELDS = "An entry needs at least id, motion_path and prompt."


def is_lines(path: Location) -> bool:
    """Whether a path is a file of JSON lines (one object per line), not a JSON list."""
    return path.suffix.lower() in LINES_SUFFIXES


def read_entries(path: Location) -> Iterator[Entry]:
    """The entries of an archive, one by one, in order; an error is raised when reading reaches it.

    Raises:
        UsageError: missing or not JSON, not a list of objects, an entry without an id, or a duplicate id.
    """
    seen: set[str] = set()
    try:
        for number, entry in enumerate(read_items(path)):
            yield _checked_entry(path, number, entry, seen)
    except UsageError:
        raise
    except InputError as error:
        raise UsageError(str(error)) from None


def read_items(path: Location, expected: str = "a list of entries") -> Iterator[object]:
    """The items of a JSON list or of JSON lines, one by one, of any JSON type. A remote file is fetched each time.

    Args:
        expected: see :func:`motion_gating.archives.json_stream.read_json_list`.
    Raises:
        InputError: missing or not JSON, or not a list.
    """
    with local_copy(path) as copy:
        yield from _read_lines(copy) if is_lines(path) else read_json_list(copy, expected)


def entry_id(entry: Entry) -> object:
    """``global_id`` if present, else ``id``; a ``global_id`` that was derived from the ``id`` does not replace it."""
    identifier = entry.get(GLOBAL_ID)
    return entry.get(ID) if identifier is None or is_made(entry) else identifier


@contextlib.contextmanager
def entry_writer(path: Location) -> Iterator[Callable[[Entry], None]]:
    """A function that appends an entry to a new archive, which appears when the block ends without an error."""
    lines = is_lines(path)
    with (
        local_output(path, fetch=False) as copy,
        atomic_path(copy) as temporary,
        open(temporary, "w", encoding="utf-8") as file,
    ):
        count = 0

        def write(entry: Entry) -> None:
            nonlocal count
            if lines:
                file.write(json_text(entry) + "\n")
            else:
                text = json_text(entry, indent=2).replace("\n", "\n  ")
                file.write(("[\n  " if count == 0 else ",\n  ") + text)
            count += 1

        yield write
        if not lines:
            file.write("\n]\n" if count else "[]\n")


def _read_lines(path: str | os.PathLike) -> Iterator[object]:
    require_file(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _parse_line(path, number, line)
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text, expected one JSON object per line.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}.") from None


def _parse_line(path: str | os.PathLike, number: int, line: str) -> object:
    try:
        return STRICT_JSON.decode(line)
    except InputError as error:
        raise UsageError(f"{path}: line {number} {error}") from None
    except (ValueError, RecursionError) as error:
        found = getattr(error, "msg", "nested too deeply, or a number too long")
        raise UsageError(f"{path}: line {number} is not JSON for this toolkit: {found}. Correct that line.") from None


def _checked_entry(path: Location, number: int, entry: object, seen: set[str]) -> Entry:
    if not isinstance(entry, dict):
        raise UsageError(f"{path}: entry {number} is a JSON {json_kind(entry)}, expected an object. {LEAST_FIELDS}")
    identifier = entry_id(entry)
    if isinstance(identifier, bool) or not isinstance(identifier, (int, str, float)) or identifier == "":
        raise UsageError(
            f"{path}: entry {number} has the id {identifier!r}, expected a number or a string in id or global_id. "
            f"{LEAST_FIELDS}"
        )
    if str(identifier) in seen:
        raise UsageError(
            f"{path}: duplicate id {identifier!r} (again at entry {number}); results would be mixed up. "
            "Give every entry its own id."
        )
    seen.add(str(identifier))
    return entry
