"""Archives of entries: a JSON list of objects, or JSON lines, read and written as a stream."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from motion_gating.archives.entry_number import is_made
from motion_gating.archives.fields import GLOBAL_ID, ID, JUDGED_CONTENT, USE_REF_MOTION
from motion_gating.archives.json_stream import (
    TOO_DEEP,
    Unreadable,
    json_items,
    json_kind,
    kept_items,
    opened_text,
)
from motion_rep.common.errors import InputError, UsageError, counted
from motion_rep.common.messages import say_error, say_first
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.json_files import STRICT_JSON, json_text
from motion_rep.files.local_files import Changed, file_sha256
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy, local_output

Entry = dict
LINES_SUFFIXES = (".jsonl", ".ndjson")
UNREADABLE = "unreadable"  # the only field of an entry that could not be read: its text
LIKE_INVALID = re.compile(r"(^|\()number \d+\)?'*$")  # what stands for the id of an invalid entry
LEAST_FIELDS = "An entry needs at least id, motion_path and prompt."


def is_lines(path: Location) -> bool:
    """Whether a path is a file of JSON lines (one object per line), not a JSON list."""
    return path.suffix.lower() in LINES_SUFFIXES


class InvalidEntry(Entry):
    """An item of an archive that cannot be used as an entry: it fails, and is written back as it is.

    It has no fields, so that no step uses its files or its texts.

    Attributes:
        identifier: stands for its id in messages, reports and file names; no entry of the archive has it.
        problem: the reason, in words that follow the identifier.
        item: as the archive has it, of any JSON type; for an unreadable one, an object with its text.
    """

    def __init__(self, identifier: str, problem: str, item: object) -> None:
        super().__init__()
        self.identifier, self.problem, self.item = identifier, problem, item

    @property
    def fields(self) -> Entry:
        """Its fields, without a decision that is true; empty if it is no object."""
        return without_true(self.item) if isinstance(self.item, dict) else {}

    @property
    def written(self) -> object:
        """The item for a new archive."""
        return self.fields if isinstance(self.item, dict) else self.item


def require_valid(entry: Entry) -> None:
    """Check that an item of an archive can be used as an entry.

    Raises:
        InputError: it cannot; the message follows the id.
    """
    if isinstance(entry, InvalidEntry):
        raise InputError(entry.problem)


def fields_of(entry: Entry) -> Entry:
    """The fields of an entry, also of an invalid one."""
    return entry.fields if isinstance(entry, InvalidEntry) else entry


def without_decision(entry: Entry) -> Entry:
    """The entry without its decision."""
    return {key: value for key, value in entry.items() if key not in (USE_REF_MOTION, JUDGED_CONTENT)}


def claims_use(entry: Entry) -> bool:
    """Whether an entry says that its motion may be used: true, or a value like 1 or "yes", which a loader may take
    for true.
    """
    value = entry.get(USE_REF_MOTION)
    return value is not None and value is not False


def without_true(entry: Entry) -> Entry:
    """An entry without a claim that its motion may be used; a ``false`` stays."""
    return without_decision(entry) if claims_use(entry) else entry


def read_entries(path: Location) -> Iterator[Entry]:
    """The entries of an archive, one by one, in order.

    An item that is no object, has no valid id, or has the id of another item is an :class:`InvalidEntry`. All items
    with one id are invalid, because a verdict or a file of that id could belong to each of them.

    Raises:
        UsageError: missing or not JSON (then parts may be missing, too), not a list, or no item is an entry.
        Changed: another program changes it meanwhile.
    """
    usable, problem = False, None
    try:
        with local_copy(path) as copy:
            ids = _ids_in(os.fspath(copy), is_lines(path), file_sha256(copy))
            for number, item in enumerate(_items_of(copy, is_lines(path))):
                entry = _entry(number, item, ids)
                if isinstance(entry, InvalidEntry):
                    problem = problem or f"entry {number} {entry.problem}"
                else:
                    usable = True
                yield entry
    except (UsageError, Changed):
        raise
    except InputError as error:
        raise UsageError(str(error)) from None
    if problem is not None and not usable:
        raise UsageError(f"{path}: {problem}")


def say_invalid(path: Location) -> int:
    """Print a line for each invalid entry of an archive, up to a limit; returns their number."""
    invalid = [entry for entry in read_entries(path) if isinstance(entry, InvalidEntry)]
    say_first(
        say_error,
        [f"{path}: entry {entry.identifier} {entry.problem}" for entry in invalid],
        lambda more: f"{path}: {counted(more, 'more entry', 'more entries')} cannot be used",
    )
    return len(invalid)


def read_items(path: Location, expected: str = "a list of entries") -> Iterator[object]:
    """The items of a JSON list or of JSON lines, one by one, of any JSON type. A remote file is fetched each time.

    Args:
        expected: see :func:`motion_gating.archives.json_stream.json_items`.
    Raises:
        InputError: missing or not JSON, or not a list.
    """
    with local_copy(path) as copy:
        yield from _items_of(copy, is_lines(path), expected)


def entry_id(entry: Entry) -> object:
    """``global_id`` if present, else ``id``; a ``global_id`` that was derived from the ``id`` does not replace it."""
    if isinstance(entry, InvalidEntry):
        return entry.identifier
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

        def write(given: Entry) -> None:
            nonlocal count
            entry = given.written if isinstance(given, InvalidEntry) else given
            if lines:
                file.write(json_text(entry) + "\n")
            else:
                text = json_text(entry, indent=2).replace("\n", "\n  ")
                file.write(("[\n  " if count == 0 else ",\n  ") + text)
            count += 1

        yield write
        if not lines:
            file.write("\n]\n" if count else "[]\n")


def _line_items(file: BinaryIO, expected: str, chunk: int) -> Iterator[object]:
    with opened_text(file) as text:
        try:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield _parse_line(number, line)
        except UnicodeDecodeError:
            raise UsageError("is not UTF-8 text, expected one JSON object per line.") from None


def _items_of(path: str | os.PathLike, lines: bool, expected: str = "a list of entries") -> Iterator[object]:
    return kept_items(path, _line_items if lines else json_items, expected)


def _parse_line(number: int, line: str) -> object:
    try:
        return STRICT_JSON.decode(line)
    except InputError as error:
        return Unreadable(line.strip(), f"{error} See line {number}.")
    except json.JSONDecodeError as error:
        raise UsageError(f"line {number} is not JSON: {error.msg}. Correct that line.") from None
    except (ValueError, RecursionError):
        return Unreadable(line.strip(), f"{TOO_DEEP} See line {number}.")


@dataclass(frozen=True)
class _Ids:
    """The ids that several items of an archive have, and those that look like the names of invalid entries."""

    repeated: frozenset[str]
    taken: frozenset[str]


@functools.lru_cache(maxsize=8)
def _ids_in(path: str, lines: bool, digest: str) -> _Ids:
    """The ids of an archive that need care.

    Args:
        digest: of the file, so that it is read again after a change.
    Raises:
        InputError: see :func:`read_items`.
    """
    seen: set[str] = set()
    repeated: set[str] = set()
    for item in _items_of(path, lines):
        if isinstance(item, dict) and _is_id(identifier := entry_id(item)):
            text = str(identifier)
            (repeated if text in seen else seen).add(text)
    return _Ids(frozenset(repeated), frozenset(text for text in seen if LIKE_INVALID.search(text)))


def _is_id(value: object) -> bool:
    return isinstance(value, int | str | float) and not isinstance(value, bool) and value != ""


def _entry(number: int, item: object, ids: _Ids) -> Entry:
    """The entry of an item, or the invalid one."""
    name = f"number {number}"
    if isinstance(item, Unreadable):
        problem, item = item.why, {UNREADABLE: item.text}
    elif not isinstance(item, dict):
        problem = f"is a JSON {json_kind(item)}, expected an object. {LEAST_FIELDS}"
    elif list(item) == [UNREADABLE]:
        problem = f"could not be read by an earlier step. Correct the text in its field {UNREADABLE}, and move it out."
    elif not _is_id(identifier := entry_id(item)):
        problem = f"has the id {identifier!r:.80}, expected a number or a string in id or global_id. {LEAST_FIELDS}"
    elif str(identifier) in ids.repeated:
        name = f"{identifier} ({name})"
        problem = "has a duplicate id; results would be mixed up. Give every entry its own id."
    else:
        return item
    while name in ids.taken:
        name += "'"
    return InvalidEntry(name, problem, item)
