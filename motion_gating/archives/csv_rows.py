"""The rows of a CSV of prompts, in the forms in which spreadsheets write them."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from motion_gating.archives.fields import NAME, PROMPT
from motion_rep.common.errors import UsageError, listed, short_text

FILE = "file"
# These headings may be written in capitals.
HEADINGS = (NAME, PROMPT, FILE)
# Spreadsheets in some languages write semicolons, and tabs in their UTF-16 text. The first one is in no text: a single
# column needs no quotes.
DELIMITERS = "\x1f;\t,"
HAS_NUL = "has a NUL character, which no text has. Remove it, or save the file as UTF-8."
MOST_HEADINGS = 8  # in a message
# Heading -> cell; None if the row is too short for it.
Row = dict[str | None, str | None]


def csv_rows(source: Path, text: str) -> Iterator[tuple[int, Row]]:
    """The number of each row (as in a spreadsheet) and its cells by heading; ``None`` has cells beyond the headings.

    Texts may have any length. An unclosed quote is an error, because it would swallow the following rows.

    Raises:
        UsageError: no column for prompts, two columns of one name, or wrong quotes.
    """
    limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        lines = list(io.StringIO(text, newline="\n"))
        skipped = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("sep=")), None)
        if skipped is None:
            return
        delimiter, headings = _heading_row(source, lines[skipped])
        rows = list(_reader(lines[skipped + 1 :], delimiter))
    except csv.Error as error:
        raise UsageError(f"{source}: is no CSV: {error}. Correct the quotes.") from None
    finally:
        csv.field_size_limit(limit)
    yield from ((number, _row(headings, cells)) for number, cells in enumerate(rows, skipped + 2) if any(cells))


def _reader(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, strict=True, delimiter=delimiter, skipinitialspace=True)


def _heading_row(source: Path, line: str) -> tuple[str, list[str]]:
    """The delimiter with which the line has a column for prompts, and the headings."""
    for delimiter in DELIMITERS:
        try:
            found = [_heading(cell) for cell in next(_reader([line], delimiter), [])]
        except csv.Error:  # quotes that another delimiter explains
            continue
        if PROMPT in found:
            twice = [heading for heading, count in Counter(filter(None, found)).items() if count > 1]
            if twice:
                raise UsageError(f"{source}: has two columns with the same name ({twice[0]}). Keep one of them.")
            return delimiter, found
    if "\0" in line:
        raise UsageError(f"{source}: {HAS_NUL}")
    headings = listed([short_text(cell, 40) for cell in line.rstrip("\n").split(",")], MOST_HEADINGS)
    raise UsageError(
        f"{source}: has no column with the heading {PROMPT}; found {headings}. Give the columns name and prompt."
    )


def _heading(cell: str) -> str:
    known = cell.strip().lower()
    return known if known in HEADINGS else cell.strip()


def _row(headings: list[str], cells: list[str]) -> Row:
    """The cells by heading; empty cells without a heading are those of a spreadsheet's empty columns."""
    pairs = list(itertools.zip_longest(headings, cells[: len(headings)]))
    beyond = [cell for heading, cell in pairs if not heading] + cells[len(headings) :]
    row: Row = {heading: cell for heading, cell in pairs if heading}
    return row | {None: ", ".join(filter(None, beyond))} if any(beyond) else row
