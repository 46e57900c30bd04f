"""Output during a run: one progress bar, the messages of each step, and a line for each finished entry.

Messages also go into the log of their step.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from motion_gating.preparing.items import Item
from motion_rep.common.errors import InputError
from motion_rep.common.messages import progress_reported_to, say_error, say_warning
from motion_rep.common.overwriting import require_replaceable
from motion_rep.runs.attempt import Failed
from motion_rep.runs.report import ItemFailure, NoteTally

# The converter's flags that this command lacks, or has with another meaning (--fps).
CONVERTER = "convert_hmr_to_motion.py"
ITS_FLAGS = ("space", "image-size", "up-from", "format", "trust-pickle", "up", "units", "degrees", "fps")
NAMES_ITS_FLAG = re.compile(rf"(?<![\w-])(?<!\.py )--({'|'.join(ITS_FLAGS)})(?![\w-])")


def with_command(note: str) -> str:
    """A note for this command: it says how to use a flag of the converter that it names."""
    if NAMES_ITS_FLAG.search(note) is None:
        return note
    return f"{note.rstrip('.')}. That is a flag of {CONVERTER}: make the motion with it, and give that as the input."


class _Tee(io.TextIOBase):
    """Write whole lines to a log and, above the bar, to stderr."""

    def __init__(self, log: TextIO, stream: TextIO) -> None:
        self._log, self._stream, self._waiting = log, stream, ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase has a read-only attribute
        return "utf-8"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        *lines, self._waiting = (self._waiting + text).split("\n")
        for line in lines:
            _write(self._log, line + "\n")
            with tqdm.external_write_mode(file=self._stream):
                _write(self._stream, line + "\n")
        return len(text)

    def flush(self) -> None:
        for stream in (self._log, self._stream):
            with contextlib.suppress(OSError):
                stream.flush()


def _opened(log: Path) -> TextIO:
    """The empty log; a null device if it is not a file or cannot be written."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        require_replaceable(log)
        return open(log, "w", encoding="utf-8", errors="backslashreplace")
    except (InputError, OSError) as error:
        say_warning(f"no log is kept: {error}")
        return open(os.devnull, "w", encoding="utf-8")


def _write(stream: TextIO, text: str) -> None:
    """Write text in the stream's encoding; a full disk or a closed pipe does not stop the work."""
    encoding = stream.encoding or "utf-8"
    with contextlib.suppress(OSError):
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


@dataclass
class Board:
    """The output of one run.

    Attributes:
        steps: total number of steps of all entries.
        failures: the failed step and its cause, keyed by the name of the item.
        notes: limits repeated warnings.
    """

    steps: int
    failures: dict[str, tuple[str, ItemFailure]] = field(default_factory=dict)
    notes: NoteTally = field(default_factory=NoteTally)
    worst: int = 0
    _bar: tqdm | None = None
    _due: int = 0

    def __enter__(self) -> Board:
        self._bar = tqdm(total=self.steps, unit="step", disable=None, dynamic_ncols=True, smoothing=0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    @contextlib.contextmanager
    def step(self, title: str, log: Path, count: int) -> Iterator[None]:
        """Run a step over ``count`` entries: print its title, log its messages, and complete its part of the bar at
        the end.
        """
        _say(f"\n== {title}")
        if self._bar is not None:
            self._bar.set_description(title.partition(": ")[2] or title, refresh=False)
        self._due += count
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_opened(log))
            _write(file, f"{time.strftime('%Y-%m-%d %H:%M:%S')} {title}\n")
            tee = _Tee(file, sys.stderr)
            stack.enter_context(contextlib.redirect_stdout(tee))
            stack.enter_context(contextlib.redirect_stderr(tee))
            stack.enter_context(progress_reported_to(self.advance))
            yield
        if self._bar is not None:
            self._bar.update(max(self._due - self._bar.n, 0))

    @contextlib.contextmanager
    def part(self, log: Path) -> Iterator[None]:
        """Log the messages of one entry in its own file, too."""
        with _opened(log) as file:
            tee = _Tee(file, sys.stderr)
            with contextlib.redirect_stderr(tee), contextlib.redirect_stdout(tee):
                yield

    def advance(self, name: object = "") -> None:
        """Count one entry as finished in this step."""
        if self._bar is not None and self._bar.n < self._due:
            if name != "":
                self._bar.set_postfix_str(str(name)[:40], refresh=False)
            self._bar.update()

    def show(self, name: object) -> None:
        """Show the entry in progress."""
        if self._bar is not None:
            self._bar.set_postfix_str(str(name)[:40])

    def warn(self, item: Item, note: str) -> None:
        """Print a note about an entry; a note shared by many entries is printed only a few times."""
        note = with_command(note)
        if self.notes.is_new(note):
            say_warning(f"{item.identifier}: {note}")

    def fail(self, item: Item, step: str, failed: Failed, log: Path | None = None) -> None:
        """Record that an entry failed."""
        where = f" ({log})" if log is not None else ""
        message = with_command(failed.message) if step == "motion" else failed.message  # others say what they use
        failure = ItemFailure(item.identifier, f"{step}: {message}{where}", failed.detail)
        self.failures.setdefault(item.name, (step, failure))
        say_error(f"{item.identifier}: {message}")

    def finished(self, line: str) -> None:
        """Print the line of a finished entry."""
        _say(line)


def _say(line: str) -> None:
    with tqdm.external_write_mode(file=sys.stderr):
        _write(sys.stderr, line + "\n")
