"""How an item of a run ended."""

from __future__ import annotations

from dataclasses import dataclass, field

# The words that summaries use.
CONVERTED, REFINED, MADE_AGAIN, UNCHANGED, KEPT = "converted", "refined", "made again", "unchanged", "kept"


@dataclass(frozen=True)
class Outcome:
    """One of the words above, notes for the user (one sentence each), and what a report says about the item."""

    how: str
    notes: tuple[str, ...] = ()
    record: dict = field(default_factory=dict)
