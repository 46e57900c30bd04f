"""The two errors that end a command in one line instead of a traceback."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

MOST_KEYS = 8  # in a message


class InputError(ValueError):
    """An input of the user cannot be used.

    The message is one line: which file, what was found, what was expected, what to do next.
    """

    exit_code = 1


class UsageError(InputError):
    """The command cannot start: wrong flags or a missing prerequisite."""

    exit_code = 2


@contextlib.contextmanager
def located(place: object) -> Iterator[None]:
    """Put a place (a path, ``path: member``) in front of the message of an InputError that does not start with it."""
    try:
        yield
    except InputError as error:
        raise error if str(error).startswith(f"{place}: ") else type(error)(f"{place}: {error}") from None


def system_failure(error: OSError) -> str:
    """One line for an operating system error on a file: a lost network drive, a failing disk, a denied folder."""
    if error.filename is None and isinstance(error, FileNotFoundError) and _folder_is_gone():
        return "the current folder was removed. Change to an existing folder, then re-run the command."
    what = error.strerror or one_line(error) or type(error).__name__
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return (
        f"{place}cannot be used: {what}. Check that the drive is mounted and that you may read and write it, "
        "then re-run the command."
    )


def _folder_is_gone() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def one_line(text: object) -> str:
    """Text without line breaks, so that a library's multi-line message stays one line."""
    return " ".join(str(text).split())


def listed(things: Sequence[object], most: int, separator: str = ", ") -> str:
    """The first ``most`` things, and how many more there are."""
    rest = f" and {len(things) - most} more" if len(things) > most else ""
    return separator.join(map(str, things[:most])) + rest


def counted(number: float, one: str, several: str | None = None) -> str:
    """``1 frame`` or ``2 frames``; ``several`` is an irregular plural."""
    text = f"{number:g}" if isinstance(number, float) else number
    return f"{text} {one if number == 1 else several or f'{one}s'}"


def keys_text(values: object) -> str:
    """``the keys a, b, c``, or the type of a value that is not a dict."""
    if not isinstance(values, Mapping):
        return f"a {type(values).__name__}"
    names = [short_text(key, 40) for key in islice(values, MOST_KEYS)]
    return f"the keys {', '.join(names)}{' ...' if len(values) > MOST_KEYS else ''}" if names else "an empty dict"


def short_text(value: object, most: int) -> str:
    """At most ``most`` characters of a text from a file, on one line."""
    return printable(one_line(str(value)[:most]))


def printable(text: object) -> str:
    """Text with control and unprintable characters escaped; tabs stay."""
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in str(text))
