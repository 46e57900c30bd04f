"""Export many motions for other tools: one file of each kind for each motion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motion_rep.common.errors import UsageError
from motion_rep.common.outcomes import EXPORTED, Outcome
from motion_rep.exporters.writing import KINDS, Settings, closing_note, export_motion, rate_and_notes, require_kind
from motion_rep.motions.motion_file import read_motion
from motion_rep.motions.motion_paths import is_one_motion, motions_in
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pair_flags import PairRun
from motion_rep.runs.pairing import Pairing, pair_outputs
from motion_rep.runs.work_pool import StartIn


def export_folder(run: PairRun, suffixes: Sequence[str], settings: Settings) -> int:
    """Write a folder of files, print a summary, and return the exit code.

    Args:
        suffixes: the kinds of files, such as ``.bvh``.
    Raises:
        UsageError: nothing to export, outputs or inputs with the same name, or axes that a kind does not support.
    """
    kinds = list(dict.fromkeys(suffixes))
    for suffix in kinds:
        require_kind(Path(f"--format {suffix}"), settings.frame)
    output = run.output
    if output.suffix.lower() in KINDS and not output.is_dir():
        raise UsageError(f"{output}: is the name of one file, but --format needs a folder. Give a folder.")
    pairs = [pair for suffix in kinds for pair in pair_outputs(run.inputs, output, suffix, is_one_motion, motions_in)]
    start = StartIn("motion_rep.exporters.items", "export_pair", (settings,))
    return run_pairs(start, pairs, run, "exporting", EXPORTED)


def export_pair(settings: Settings, pair: Pairing) -> Outcome:
    """Write one file of one motion.

    Raises:
        InputError: the motion cannot be read, or the file cannot be written.
    """
    source, target = Path(str(pair.source)), Path(str(pair.target))
    clip = read_motion(source)
    rate, notes = rate_and_notes(source, clip, settings.fps)
    target.parent.mkdir(parents=True, exist_ok=True)
    motion = export_motion(clip, target, rate, settings)
    closing = closing_note(clip, motion, target)
    return Outcome(EXPORTED, notes if closing is None else (*notes, closing))
