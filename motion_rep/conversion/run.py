"""Convert captures into motion files: one into a file, or many into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from motion_rep.common.command_line import DONE, say, say_warning
from motion_rep.conversion.inputs import captures_in, forget_listings, is_one_capture
from motion_rep.conversion.pairing import Pairing, pair_outputs
from motion_rep.conversion.settings import CONVERTED, KEPT, MADE_AGAIN, UNCHANGED, Converted, Settings
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import prepared_folders
from motion_rep.runs.batch import Batch
from motion_rep.runs.engine import Engine
from motion_rep.runs.report import NoteTally
from motion_rep.runs.work_pool import Failed, StartIn


def convert_captures(
    inputs: Sequence[Location],
    output: Location,
    settings: Settings,
    overwrite: bool,
    engine: Engine,
    failures_file: Path | None,
) -> int:
    """Convert and tell what was done; returns the exit code.

    Raises:
        UsageError: nothing to convert, or outputs that cannot be written.
    """
    forget_listings()
    pairs = pair_outputs(inputs, output, ".pt", is_one_capture, captures_in)
    return convert_pairs("motion_rep.conversion.items", pairs, output, settings, overwrite, engine, failures_file)


def convert_pairs(
    module: str,
    pairs: list[Pairing],
    output: Location,
    settings: object,
    overwrite: bool,
    engine: Engine,
    failures_file: Path | None,
) -> int:
    """Convert one file into a file, or many into a folder, and tell what was done; returns the exit code.

    Args:
        module: its ``start_converting_anew(settings)`` makes the work for one pair whose output is replaced,
            ``start_converting(settings, overwrite)`` that for a folder; both give
            :class:`motion_rep.conversion.settings.Converted`.
    """
    alone = len(pairs) == 1 and pairs[0].target == output
    if alone:
        start = StartIn(module, "start_converting_anew", (settings,))
        engine = Engine(item_timeout=engine.item_timeout)
    else:
        start = StartIn(module, "start_converting", (settings, overwrite))
    batch = Batch(engine, "converting", "clip", failures_file)
    with prepared_folders(*([] if alone else [output])):
        failed = _collect(batch.shown(engine.run(start, pairs, len(pairs)), len(pairs)), batch)
    code = batch.finish()
    if not alone:
        say(f"{_summary(batch)} -> {output}")
    elif code == DONE:
        say(f"{pairs[0].source} -> {output}")
    return failed if alone else code


def _collect(results: Iterable[tuple[Pairing, Converted | Failed]], batch: Batch) -> int:
    """Count the results and print their notes and failures; returns the exit code of the last failure."""
    notes, code = NoteTally(), DONE
    for pair, result in results:
        if isinstance(result, Failed):
            message, code = result.message, result.exit_code
            named = message if message.startswith(str(pair.source)) else f"{pair.source}: {message}"
            batch.fail(str(pair.source), named, result.detail)
            continue
        batch.counts[result.how] += 1
        for note in filter(notes.is_new, result.notes):
            say_warning(f"{pair.source}: {note}")
    for note in notes.untold():
        say_warning(note)
    return code


def _summary(batch: Batch) -> str:
    counts = batch.counts
    again = f", {counts[MADE_AGAIN]} made again (input or settings changed)" if counts[MADE_AGAIN] else ""
    kept = f", {counts[KEPT]} kept (not made by such a run, or changed since; --overwrite replaces them)"
    foreign = kept if counts[KEPT] else ""
    return f"{counts[CONVERTED]} converted{again}, {counts[UNCHANGED]} unchanged{foreign}, {len(batch.failures)} failed"
