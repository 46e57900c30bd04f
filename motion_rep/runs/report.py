"""Reports of a run over many items: failures as lines and as JSON, and notes that many items share, printed rarely."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from motion_rep.common.errors import counted
from motion_rep.common.messages import say_error
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.json_files import json_text

# A shared note is printed for this many items and counted for the others.
PRINTED = 3


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """A failed item: its path or id, the printed line, and the traceback of an unexpected error."""

    item: object
    error: str
    traceback: str = ""


def say_failure(failure: ItemFailure, place: str = "") -> None:
    """Print the line of a failed item; ``place`` precedes a message that does not contain the item."""
    say_error(f"{place}{failure.error}")


def write_failures(path: str | os.PathLike, counts: Mapping[str, int], failures: Iterable[ItemFailure]) -> None:
    """Write ``{"counts": {...}, "failures": [{"item", "error", "traceback"}]}`` atomically.

    An empty list means that no item failed.
    """
    frame = json_text({"counts": dict(counts), "failures": []}, indent=2)
    before, after = frame[: frame.rindex("]")], frame[frame.rindex("]") :]
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(before)
        comma = ""
        for failure in failures:
            file.write(comma + "\n    " + json_text(asdict(failure), indent=2).replace("\n", "\n    "))
            comma = ","
        file.write(("\n  " if comma else "") + after + "\n")


class NoteTally:
    """Selects which notes to print and counts the repeated ones."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def is_new(self, note: str) -> bool:
        """Whether to print this note."""
        self._seen[note] += 1
        return self._seen[note] <= PRINTED

    def repeated(self) -> list[str]:
        """One sentence for each note that was not printed for all its items."""
        often = {note: count - PRINTED for note, count in self._seen.items() if count > PRINTED}
        return [f"the same for {counted(count, 'more item')}: {note}" for note, count in often.items()]
