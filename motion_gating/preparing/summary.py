"""Results of the entries: a line for each, a table at the end, and the paths of the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from motion_gating.archives.archive import entry_id, read_entries, read_items
from motion_gating.archives.fields import CHOSEN, ID, IMAGE_FIT, JITTER, RANK, REASONS, USE_REF_MOTION, VLM_ERROR
from motion_gating.preparing.items import Item
from motion_gating.preparing.layout import Layout
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import InputError, printable
from motion_rep.runs.report import ItemFailure

PASSED, REJECTED, UNDECIDED, FAILED, MADE = "passed", "not passed", "undecided", "failed", "made"
# The largest number of rows of the table; the report has all of them.
LISTED, WIDEST_NAME = 40, 32
# Columns: key of a record, heading, number format.
FIGURES = ((JITTER, "jitter", ".4f"), ("skate_ratio", "skate", ".2f"), (IMAGE_FIT, "image fit", ".0%"))


@dataclass(frozen=True)
class Row:
    """The result of an entry: the decision, its reasons, and figures."""

    identifier: object
    decision: str
    reasons: str = ""
    figures: tuple[str, ...] = ("",) * len(FIGURES)

    def line(self) -> str:
        """One line for a finished entry."""
        known = [f"{name} {value}" for (_, name, _), value in zip(FIGURES, self.figures, strict=True) if value]
        return f"{self.identifier}: {self.decision}" + (f" ({', '.join(known)})" if known else "")


def row_of(record: Mapping[str, object]) -> Row:
    """The row of a record of the gate."""
    given = record.get(REASONS)
    reasons = "; ".join(map(str, given)) if isinstance(given, list) else ""
    figures = tuple(_figure(record.get(key), form) for key, _, form in FIGURES)
    used = record.get(USE_REF_MOTION)
    if used is None:
        return Row(record.get(ID), UNDECIDED, str(record.get(VLM_ERROR) or reasons), figures)
    return Row(record.get(ID), PASSED if used else REJECTED, reasons, figures)


def _figure(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def rows_of(items: Iterable[Item], failures: Mapping[str, tuple[str, ItemFailure]], report: Path | None) -> list[Row]:
    """A row for each item, with the first failed step or the decision.

    Args:
        report: the gate's report; None if the run ends before the gate.
    """
    rows = {} if report is None else _decided(report)
    found = []
    for item in items:
        if item.name in failures:
            found.append(Row(item.identifier, FAILED, failures[item.name][1].error))
        elif report is None:
            found.append(Row(item.identifier, MADE))
        else:
            missing = Row(item.identifier, FAILED, f"gate: no record in {report.name}; see the messages above")
            found.append(rows.get(str(item.identifier), missing))
    return found


def with_ranks(rows: list[Row], candidates: Path) -> list[Row]:
    """The rows, with the rank of each candidate before the reasons.

    Args:
        candidates: the archive with all candidates; if it is missing, the rows stay as they are.
    """
    try:
        words = {str(entry_id(entry)): _rank_in_words(entry) for entry in read_entries(candidates)}
    except InputError:  # the ranking did not run
        return rows
    found = [words.get(str(row.identifier), "") if row.decision != FAILED else "" for row in rows]
    return [
        replace(row, reasons="; ".join(filter(None, (rank, row.reasons))))
        for row, rank in zip(rows, found, strict=True)
    ]


def _rank_in_words(entry: Mapping[str, object]) -> str:
    if CHOSEN not in entry:
        return ""
    if entry[CHOSEN] is True:
        return "chosen"
    return "dropped out" if entry.get(RANK) is None else f"rank {entry[RANK]} of its group"


def _decided(report: Path) -> dict[str, Row]:
    try:
        return {str(one.get(ID)): row_of(one) for one in read_items(report) if isinstance(one, dict)}
    except InputError:  # the gate did not run
        return {}


def exit_code(rows: Iterable[Row]) -> int:
    """1 if an entry failed or is undecided."""
    return SOME_FAILED if any(row.decision in (UNDECIDED, FAILED) for row in rows) else DONE


def table(rows: list[Row]) -> list[str]:
    """The lines of the table; a long list shows failed entries first."""
    counts = Counter(row.decision for row in rows)
    order = (FAILED, UNDECIDED, REJECTED, PASSED, MADE)
    shown = rows if len(rows) <= LISTED else sorted(rows, key=lambda row: order.index(row.decision))[:LISTED]
    cells = [("entry", "decision", *(name for _, name, _ in FIGURES), "reasons")]
    cells += [(_name(row.identifier), row.decision, *row.figures, printable(row.reasons)) for row in shown]
    used = [place for place in range(len(cells[0])) if any(row[place] for row in cells[1:])]
    widths = {place: max(len(row[place]) for row in cells) for place in used}
    lines = ["  ".join(row[place].ljust(widths[place]) for place in used).rstrip() for row in cells]
    rest = [f"... and {len(rows) - LISTED} more"] if len(rows) > LISTED else []
    return [*lines, *rest, ", ".join(f"{counts[one]} {one}" for one in reversed(order) if counts[one])]


def _name(identifier: object) -> str:
    text = printable(str(identifier))
    return text if len(text) <= WIDEST_NAME else f"{text[: WIDEST_NAME - 3]}..."


def places(layout: Layout) -> list[str]:
    """The paths of the results."""
    named = [
        ("overlays", layout.checks),
        ("motions", layout.motions),
        ("metadata", layout.gated),
        ("archive for TM2M", layout.for_tm2m),
        ("report", layout.report),
        ("messages", layout.logs),
    ]
    page = [f"review page: {layout.page.resolve().as_uri()}"] if layout.page.exists() else []
    return [*page, *(f"{what}: {path}" for what, path in named if path.exists())]
