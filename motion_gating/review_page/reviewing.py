"""The page's data about reviewers: who reviews which entry, and their existing verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from motion_gating.archives.archive import entry_id
from motion_gating.archives.candidates import valid_group
from motion_gating.archives.content import Content
from motion_gating.archives.fields import RANK, SEED
from motion_gating.evaluation.reviewers import reviewer_agreement
from motion_gating.verdicts.assignment import reviewers_for
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts, last_of_each, read_verdicts

ANSWERS = {True: "match", False: "mismatch", None: "unsure"}


@dataclass(frozen=True)
class Reviewing:
    """Verdicts built into the page, and the reviewers among whom the entries are divided.

    overlap: share of the entries that all reviewers get.
    """

    verdicts: Verdicts = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()
    overlap: float = 0.0

    @classmethod
    def of(cls, files: Sequence[Path], reviewers: Sequence[str], overlap: float | None) -> Reviewing:
        """Make it from the flags.

        Raises:
            UsageError: see :func:`motion_gating.verdicts.verdict_file.read_verdicts`.
        """
        return cls(read_verdicts(*files), tuple(reviewers), overlap or 0.0)

    def agreement(self) -> list[str]:
        """How well the reviewers agree, in sentences; empty for fewer than two."""
        found = reviewer_agreement(self.verdicts)
        return [] if found is None else list(found.lines())

    def heading(self) -> dict[str, object]:
        """The page's data, without empty values."""
        found = {"reviewers": list(self.reviewers), "given": bool(self.verdicts), "agreement": self.agreement()}
        return {key: value for key, value in found.items() if value}

    def row(self, entry: dict, content: Content) -> dict[str, object]:
        """An entry's data, without empty values, because a page may have many entries.

        Args:
            content: current content of the entry; verdicts on other content are omitted.
        """
        group, identifier = valid_group(entry), entry_id(entry)
        current = (one for one in self.verdicts.get(str(identifier), ()) if _is_about(one, content))
        given = [_item(one) for one in last_of_each(current)]
        names = reviewers_for(identifier if group is None else f"group {group}", self.reviewers, self.overlap)
        # As texts, because a browser rounds large numbers.
        whole = {key: str(entry[key]) for key in (SEED, RANK) if group is not None and isinstance(entry.get(key), int)}
        found = {"group": group, "given": given, "for": [self.reviewers.index(name) for name in names]}
        return {**whole, **{key: value for key, value in found.items() if value}}


def _item(verdict: HumanVerdict) -> dict[str, object]:
    """A verdict in the page's form."""
    return {
        "reviewer": verdict.reviewer,
        "verdict": None if verdict.says_nothing else ANSWERS[verdict.matches],
        "note": verdict.analysis or "",
        "time": None if verdict.time is None else verdict.time.isoformat(),
        **({} if verdict.chosen is None else {"chosen": verdict.chosen}),
        **({} if verdict.usable is None else {"usable": verdict.usable}),
        "overruled": verdict.overruled,
    }


def _is_about(verdict: HumanVerdict, content: Content) -> bool:
    return verdict.content is None or verdict.content.changed_in(content) is None
