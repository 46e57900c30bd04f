"""Outcomes of the items of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

# Words of the summaries.
CONVERTED, REFINED, EXPORTED, DRAWN = "converted", "refined", "exported", "drawn"
MADE_AGAIN, UNCHANGED, KEPT = "made again", "unchanged", "kept"


@dataclass(frozen=True)
class Outcome:
    """The outcome of an item: one of the words above, notes for the user (one sentence each), and its record for a
    report.
    """

    how: str
    notes: tuple[str, ...] = ()
    record: dict = field(default_factory=dict)
