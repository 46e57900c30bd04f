"""Read a JSON list item by item, with the items of ``read_json``; of a large file, one item is in memory at a time. A
file of usual size is parsed once for each content, because a command reads its archive several times.

A value that JSON allows, but that a rewrite would lose, ends only its own item (:class:`Unreadable`).
(ijson changes text with half a surrogate pair, refuses some long numbers, and reports no line.)
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import marshal
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from motion_rep.common.errors import InputError
from motion_rep.files.json_files import STRICT_JSON
from motion_rep.files.local_files import open_file, readable, require_file

CHUNK = 2**16  # characters
# A token this close to the end of the buffer may continue beyond it; the longest word is -Infinity.
LONGEST_WORD = 16
NOT_SPACE = re.compile(r"[^ \t\n\r]")
# A string, a bracket, a word, or a string that the window cuts.
PART = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|[^\s"\[\]{},:]+|"', re.DOTALL)
TOO_DEEP = "is nested too deeply, or has a number too long, for JSON data of this toolkit."


@dataclass(frozen=True)
class Unreadable:
    """An item with a value that this toolkit does not read: its text, and why, in words that follow its name."""

    text: str
    why: str


# Larger files are parsed each time, to save memory.
MOST_KEPT_BYTES = 5_000_000
MOST_KEPT = 4

# Yields the items of an open file, as json_items does.
Parse = Callable[[BinaryIO, str, int], Iterator[object]]

# By digest and not by time of change: some drives count whole seconds. As bytes, so that no caller changes the items of
# the next one.
_kept: OrderedDict[tuple[bytes, Parse], list[bytes]] = OrderedDict()


def kept_items(path: str | os.PathLike, parse: Parse, expected: str) -> Iterator[object]:
    """The items of a file, one by one.

    Raises:
        InputError: it cannot be read or parsed.
    """
    if os.path.getsize(require_file(path)) <= MOST_KEPT_BYTES:
        yield from map(_unpacked, _packed_items(path, parse, expected))
        return
    # The file may change between two items, because a run can take hours.
    with readable(path), open(path, "rb") as file:
        yield from parse(file, expected, CHUNK)


def _packed_items(path: str | os.PathLike, parse: Parse, expected: str) -> list[bytes]:
    with open_file(path) as file:
        data = file.read()
        key = hashlib.sha256(data).digest(), parse
        if key not in _kept:
            _kept[key] = [_packed(item) for item in parse(io.BytesIO(data), expected, len(data) + 1)]
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return _kept[key]


def _packed(item: Any) -> bytes:
    """An item as bytes; JSON has no tuples. Unlike pickle, marshal accepts all nesting that JSON data may have."""
    return marshal.dumps((item.text, item.why) if isinstance(item, Unreadable) else item)


def _unpacked(data: bytes) -> object:
    item = marshal.loads(data)
    return Unreadable(*item) if isinstance(item, tuple) else item


def json_items(file: BinaryIO, expected: str, chunk: int) -> Iterator[object]:
    """The items of a JSON list, in order; an :class:`Unreadable` for one that contains NaN, a number beyond float64 or
    a repeated key, or is nested too deeply.

    Args:
        expected: words for the expected value in an error.
        chunk: characters to read at a time.
    Raises:
        InputError: not UTF-8, not JSON (with line and column), or not a list, without the file's name; raised when
            reading reaches it.
    """
    with opened_text(file, newline="") as text:
        try:
            yield from _items(_Window(text, chunk), expected)
        except UnicodeDecodeError:
            raise InputError("is not UTF-8 text, expected a JSON file.") from None
        except _Refused as refused:
            raise InputError(str(refused)) from None


@contextlib.contextmanager
def opened_text(file: BinaryIO, newline: str | None = None) -> Iterator[TextIO]:
    """The UTF-8 text of an open file, which stays open."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline=newline)
    try:
        yield text
    finally:
        text.detach()


def json_kind(value: object) -> str:
    """JSON's name for the type of a value."""
    kinds = {
        dict: "object",
        list: "list",
        str: "string",
        bool: "boolean",
        int: "number",
        float: "number",
        type(None): "null",
    }
    return kinds[type(value)]


class _Refused(Exception):
    """The fault, in words that follow the name of the file."""


def _items(window: _Window, expected: str) -> Iterator[object]:
    if not window.takes("["):
        value = window.value()
        _require_end(window)
        if isinstance(value, Unreadable):
            raise _Refused(value.why)
        raise _Refused(f"contains a JSON {json_kind(value)}, expected {expected}.")
    if not window.takes("]"):
        yield window.value()
        while window.takes(","):
            yield window.value()
        if not window.takes("]"):
            raise window.wrong("Expecting ',' delimiter")
    _require_end(window)


def _require_end(window: _Window) -> None:
    if not window.at_end():
        raise window.wrong("Extra data")


class _Window:
    """The buffered part of a text. The text before it is dropped; its lines and columns are counted."""

    def __init__(self, file: TextIO, chunk: int) -> None:
        self._file, self._chunk = file, chunk
        self._text, self._place, self._ended = "", 0, False
        self._lines = self._columns = 0

    def takes(self, character: str) -> bool:
        """Whether the next character other than space is this one; if so, it is consumed."""
        found = not self.at_end() and self._text[self._place] == character
        self._place += found
        return found

    def at_end(self) -> bool:
        """Whether only space is left."""
        while True:
            found = NOT_SPACE.search(self._text, self._place)
            self._place = found.start() if found else len(self._text)
            if found:
                return False
            if self._ended:
                return True
            self._read_on()

    def value(self) -> object:
        """The next value; a value cut by the end of the window is parsed again in a larger one."""
        self.at_end()
        while True:
            try:
                value, end = STRICT_JSON.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error):
                    raise self.wrong(error.msg, error.pos) from None
            except (RecursionError, ValueError) as error:  # ValueError: a whole number of thousands of digits
                why = str(error) if isinstance(error, InputError) else TOO_DEEP
                if (text := self._text_of_item()) is not None:
                    self._place += len(text)
                    return Unreadable(text, why)
                if self._ended:
                    raise _Refused(why) from None
            else:
                if self._is_whole(end):
                    self._place = end
                    return value
            self._read_on()

    def wrong(self, what: str, place: int | None = None) -> _Refused:
        """The error with a position in the window, by default the current one."""
        place = self._place if place is None else place
        line_start = self._text.rfind("\n", 0, place)
        column = place - line_start if line_start >= 0 else self._columns + place + 1
        line = self._lines + self._text.count("\n", 0, place) + 1
        return _Refused(f"is not JSON: {what} at line {line}, column {column}. Correct it there.")

    def _text_of_item(self) -> str | None:
        """The text of the next value up to its last bracket, read without parsing it; None if the window cuts it."""
        depth = 0
        for part in PART.finditer(self._text, self._place):
            depth += (part[0] in ("[", "{")) - (part[0] in ("]", "}"))
            if depth <= 0 or part[0] == '"':
                whole = part[0] != '"' and self._is_whole(part.end())
                return self._text[self._place : part.end()] if whole else None
        return None

    def _is_whole(self, end: int) -> bool:
        """Whether a value that ends there cannot continue beyond the window."""
        return self._ended or end + LONGEST_WORD <= len(self._text)

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the end of the window may cause the error; the position of an error in a string is the string's
        start.
        """
        return not self._ended and (error.msg.startswith("Unterminated string") or not self._is_whole(error.pos))

    def _read_on(self) -> None:
        """Drop the parsed text and double the rest, to avoid parsing a long value many times."""
        passed = self._text[: self._place]
        line_start = passed.rfind("\n")
        self._lines += passed.count("\n")
        self._columns = len(passed) - line_start - 1 if line_start >= 0 else self._columns + len(passed)
        rest = self._text[self._place :]
        wanted = max(self._chunk, len(rest))
        more = self._file.read(wanted)
        self._text, self._place, self._ended = rest + more, 0, len(more) < wanted
