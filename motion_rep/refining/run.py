"""Refine motion files: one into a file, or many into a folder."""

from __future__ import annotations

from pathlib import Path

from motion_rep.common.errors import InputError, UsageError, counted, listed
from motion_rep.common.messages import say, say_warning
from motion_rep.common.outcomes import REFINED, Outcome
from motion_rep.common.overwriting import require_file_places
from motion_rep.files.json_files import write_json
from motion_rep.files.locations import Location
from motion_rep.motions.motion_paths import MOTION_SUFFIX, is_one_motion, motions_in
from motion_rep.refining.items import RunSettings
from motion_rep.refining.settings import Settings
from motion_rep.refining.trim_file import TrimFile, read_trim_file
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pair_flags import PairRun
from motion_rep.runs.pairing import Pairing, pair_outputs, require_apart
from motion_rep.runs.work_pool import StartIn

# Up to this many motions, one line each is printed; for larger runs, see the report.
MOST_LINES = 20
MOST_NAMES = 5


def refine_motions(run: PairRun, settings: Settings, report: Path | None, trim_file: Path | None = None) -> int:
    """Refine, and print what was done; returns the exit code.

    Args:
        trim_file: see :func:`motion_rep.refining.trim_file.read_trim_file`.
    Raises:
        UsageError: nothing to refine, outputs that cannot be written, or trims that cannot be used.
    """
    pairs = pair_outputs(run.inputs, run.output, MOTION_SUFFIX, is_one_motion, motions_in)
    trims = None if trim_file is None else _trims(trim_file, [pair.source for pair in pairs])
    if report is not None:
        require_apart(pairs, [("--report", report)])
        require_file_places(report)
    records: list[dict] = []

    def heard(pair: Pairing, outcome: Outcome) -> None:
        if outcome.record:
            records.append({**outcome.record, "notes": list(outcome.notes)})
            if len(pairs) <= MOST_LINES:
                say(f"{pair.source.name}: {summary_line(outcome.record)}")

    start = StartIn("motion_rep.refining.items", "refine_pair", (RunSettings(settings, trims), run.overwrite))
    code = run_pairs(start, pairs, run, "refining", REFINED, heard)
    if report is not None:
        write_json(report, records)
    return code


def _trims(path: Path, motions: list[Location]) -> TrimFile:
    """The trims for motions, with a warning about trims for other motions."""
    try:
        trims = read_trim_file(path)
    except InputError as error:
        raise UsageError(str(error)) from None
    unused, used = trims.unused(motions), {trims.of(motion) for motion in motions} - {None}
    names = listed(unused, MOST_NAMES)
    if not used:
        raise UsageError(
            f"{path}: lists {names}, but none of the {counted(len(motions), 'motion')} of the input. Use the "
            "names of the motion "
            "files, without .pt."
        )
    if unused:
        say_warning(f"{path}: no motion of the input has the name {names}")
    return trims


def summary_line(record: dict) -> str:
    """What was done, and the figures before and after."""
    raw, now = record["raw_figures"], record["figures"]
    pairs = [
        f"{name} {raw[key]:{form}} -> {now[key]:{form}}"
        for name, key, form in (
            ("jitter", "jitter_degree", ".4f"),
            ("skate ratio", "skate_ratio", ".2f"),
            ("foot floating", "foot_floating", ".2f"),
            ("support distance", "support_distance", ".3f"),
        )
    ]
    leans = " -> ".join("unknown" if value is None else f"{value:.1f}" for value in (raw["lean"], now["lean"]))
    return f"{_done(record)}; {', '.join(pairs)}, lean {leans}, speed kept {record['speed_kept']:.1%}"


def _done(record: dict) -> str:
    words = []
    if "trim" in record:
        words.append(f"trimmed to rows {record['trim'][0]} to {record['trim'][1]}")
    if "smooth" in record:
        words.append("smoothed")
    if "level" in record:
        words.append(f"levelled by {record['level']:.1f} degrees")
    if stands := record.get("feet"):
        words.append(f"{counted(stands, 'stand')} planted")
    words += [name.replace("_", " ") for name in ("mirror", "in_place", "loop", "heading", "cut_at") if name in record]
    return ", ".join(words) or "nothing to repair"
