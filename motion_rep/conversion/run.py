"""Convert captures into motion files: one into a file, or many into a folder."""

from __future__ import annotations

from motion_rep.conversion.inputs import captures_in, forget_listings, is_one_capture
from motion_rep.conversion.settings import Settings
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pair_flags import PairRun
from motion_rep.runs.pairing import pair_outputs
from motion_rep.runs.work_pool import StartIn


def convert_captures(run: PairRun, settings: Settings) -> int:
    """Convert, print a summary, and return the exit code.

    Raises:
        UsageError: nothing to convert, or outputs that cannot be written.
    """
    forget_listings()
    pairs = pair_outputs(run.inputs, run.output, ".pt", is_one_capture, captures_in)
    start = StartIn("motion_rep.conversion.items", "convert_pair", (settings, run.overwrite))
    return run_pairs(start, pairs, run)
