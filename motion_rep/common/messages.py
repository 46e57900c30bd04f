"""Lines on the terminal, and progress bars."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from motion_rep.common.errors import one_line, printable

MOST_LINES = 20  # about single entries


def say(text: object) -> None:
    """Print one line of result or information; line breaks become spaces, columns stay as they are."""
    _print(" ".join(str(text).splitlines()), sys.stdout)


def say_warning(text: object) -> None:
    """Print one warning line on stderr."""
    _print(f"warning: {one_line(text)}", sys.stderr)


def say_error(text: object) -> None:
    """Print one error line on stderr."""
    _print(f"error: {one_line(text)}", sys.stderr)


def say_first(
    say: Callable[[str], None], lines: Sequence[str], rest: Callable[[int], str], most: int = MOST_LINES
) -> None:
    """Print up to ``most`` lines with ``say``, and one with the number of the others."""
    for line in lines[:most]:
        say(line)
    if (more := len(lines) - most) > 0:
        say(rest(more))


def _print(line: str, stream: TextIO | None) -> None:
    """Print a line; a closed pipe or a full disk does not stop the work.

    Control characters and characters that the stream cannot encode are escaped: file names may contain any bytes.
    """
    if stream is None:  # closed
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        shown = printable(line).encode(encoding, "backslashreplace").decode(encoding)
        # print would write the line break separately: a signal between the two would join this line and the next one.
        stream.write(f"{shown}\n")
        stream.flush()
    except OSError:
        # Python flushes once more at exit, and would fail there again.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


# Called for the items of all progress bars, which are then hidden; see progress_reported_to.
_listeners: list[Callable[[], object]] = []


@contextlib.contextmanager
def progress_reported_to(listener: Callable[[], object]) -> Iterator[None]:
    """Within this block, :func:`progress` shows no bars and calls ``listener`` for each finished clip or entry."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def progress(items: Iterable[object], description: str, total: int | None = None, unit: str = "it") -> Any:
    """A tqdm bar on stderr; silent if stderr is not a terminal, to keep logs readable."""
    from tqdm import tqdm

    if _listeners:
        return tqdm(_reported(items) if unit in ("clip", "entry") else items, disable=True)
    return tqdm(items, desc=description, total=total, unit=unit, disable=None, dynamic_ncols=True)


def _reported(items: Iterable[object]) -> Iterator[object]:
    for item in items:
        yield item
        _listeners[-1]()
