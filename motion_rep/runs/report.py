"""What a run over many items tells its user: failures as JSON, and notes that many items share only once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.json_files import json_text

# A note that this many items share is told for the first ones only.
TOLD = 3


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """An item that failed: its path or id, the line that the user saw, and the traceback of an error that nobody
    expected.
    """

    item: object
    error: str
    traceback: str = ""


def write_failures(path: str | os.PathLike, counts: Mapping[str, int], failures: Iterable[ItemFailure]) -> None:
    """Write ``{"counts": {...}, "failures": [{"item", "error", "traceback"}]}`` atomically.

    An empty list says that all went well.
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
    """Lets a note through for the first few items and counts it for the others."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def is_new(self, note: str) -> bool:
        """Whether to tell this note."""
        self._seen[note] += 1
        return self._seen[note] <= TOLD

    def untold(self) -> list[str]:
        """One sentence for each note that was held back."""
        return [f"the same holds for {count - TOLD} more: {note}" for note, count in self._seen.items() if count > TOLD]
