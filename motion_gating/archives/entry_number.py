"""The integer of an entry: TM2M's loader identifies entries by an integer ``global_id``, but our ids may be names."""

from __future__ import annotations

import hashlib

from motion_gating.archives.fields import GLOBAL_ID, ID

# derived numbers start above those that people use; JSON and float64 represent them exactly
FIRST_MADE, MADE = 10**9, 10**15
LONGEST_DIGITS = 15


def number_for(name: str) -> int:
    """A number derived from a name; it does not change when entries are added or sorted."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return FIRST_MADE + int.from_bytes(digest[:8]) % MADE


def entry_number(entry: dict) -> int:
    """``global_id`` or ``id`` if one of them is a whole number (even as text), else a number derived from the id."""
    for value in (entry.get(GLOBAL_ID), entry.get(ID)):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and str(int(value[:LONGEST_DIGITS])) == value:
            return int(value)
    name = entry.get(ID) if entry.get(GLOBAL_ID) is None else entry[GLOBAL_ID]
    return number_for(str(name))


def is_made(entry: dict) -> bool:
    """Whether ``global_id`` is the number that :func:`entry_number` derived from ``id``; then ``id`` identifies the
    entry.
    """
    name = entry.get(ID)
    return isinstance(name, str) and name != "" and entry.get(GLOBAL_ID) == number_for(name)
