"""The items of a file that a command reads several times: a file of usual size is parsed once for each content."""

from __future__ import annotations

import hashlib
import io
import marshal
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from motion_gating.archives.json_stream import CHUNK, Unreadable
from motion_rep.files.local_files import open_file, readable, require_file

# Larger files are parsed each time, to save memory.
MOST_KEPT_BYTES = 16 << 20
MOST_KEPT = 4

# Yields the items of an open file; see motion_gating.archives.json_stream.json_items.
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
