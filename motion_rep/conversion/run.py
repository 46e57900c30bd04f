"""Convert captures into motion files: one into a file, or many into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motion_rep.conversion.inputs import captures_in, forget_listings, is_one_capture
from motion_rep.conversion.settings import Settings
from motion_rep.files.locations import Location
from motion_rep.runs.engine import Engine
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pairing import pair_outputs
from motion_rep.runs.work_pool import StartIn


def convert_captures(
    inputs: Sequence[Location],
    output: Location,
    settings: Settings,
    overwrite: bool,
    engine: Engine,
    failures_file: Path | None,
) -> int:
    """Convert, print a summary, and return the exit code.

    Raises:
        UsageError: nothing to convert, or outputs that cannot be written.
    """
    forget_listings()
    pairs = pair_outputs(inputs, output, ".pt", is_one_capture, captures_in)
    start = StartIn("motion_rep.conversion.items", "convert_pair", (settings, overwrite))
    return run_pairs(start, pairs, output, engine, failures_file)
