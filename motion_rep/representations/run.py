"""Convert files of one representation into another: one into a file, or many into a folder."""

from __future__ import annotations

from motion_rep.common.overwriting import refuse_overwriting
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import files_in
from motion_rep.motions.motion_paths import is_one_motion
from motion_rep.representations.conversion import Settings
from motion_rep.representations.kinds import SOURCE_SUFFIXES, TARGETS
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pair_flags import PairRun
from motion_rep.runs.pairing import pair_outputs
from motion_rep.runs.work_pool import StartIn


def convert_representations(run: PairRun, settings: Settings) -> int:
    """Convert, print a summary, and return the exit code.

    Raises:
        UsageError: nothing to convert, or outputs that cannot be written.
    """
    pairs = pair_outputs(run.inputs, run.output, TARGETS[settings.target].suffix, is_one_motion, _files_in)
    skeleton = [] if settings.skeleton is None else [("--skeleton", settings.skeleton)]
    refuse_overwriting(((pair, pair.target) for pair in pairs), skeleton)
    start = StartIn("motion_rep.representations.items", "convert_pair", (settings, run.overwrite))
    return run_pairs(start, pairs, run)


def _files_in(folder: Location) -> list[Location]:
    """Files that may contain a motion, sorted, without hidden ones."""
    return files_in(folder, SOURCE_SUFFIXES)
