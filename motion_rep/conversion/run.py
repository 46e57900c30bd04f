"""Convert captures into motion files: one into a file, or many into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motion_rep.common.command_line import say, say_warning
from motion_rep.conversion.inputs import captures_in, forget_listings, is_one_capture
from motion_rep.conversion.pairing import Pairing, pair_outputs
from motion_rep.conversion.settings import CONVERTED, KEPT, MADE_AGAIN, UNCHANGED, Converted, Settings
from motion_rep.files.locations import Location
from motion_rep.runs.batch import Batch, prepared_folders
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
    batch = Batch(engine, "converting", "clip", failures_file)
    if len(pairs) == 1 and pairs[0].target == output:
        return _convert_one(pairs[0], settings, batch)
    with prepared_folders(output):
        _convert_many(pairs, StartIn("motion_rep.conversion.items", "start_converting", (settings, overwrite)), batch)
    code = batch.finish()
    say(f"{_summary(batch)} -> {output}")
    return code


def _convert_many(pairs: list[Pairing], start: StartIn, batch: Batch) -> None:
    notes = NoteTally()
    for pair, result in batch.shown(batch.engine.run(start, pairs, len(pairs)), len(pairs)):
        if isinstance(result, Failed):
            message = result.message
            named = message if message.startswith(str(pair.source)) else f"{pair.source}: {message}"
            batch.fail(str(pair.source), named, result.detail)
        elif isinstance(result, Converted):
            batch.counts[result.how] += 1
            for note in filter(notes.is_new, result.notes):
                say_warning(f"{pair.source}: {note}")
    for note in notes.untold():
        say_warning(note)


def _convert_one(pair: Pairing, settings: Settings, batch: Batch) -> int:
    start = StartIn("motion_rep.conversion.items", "start_converting_anew", (settings,))
    ((_, result),) = batch.here(start, [pair])
    if isinstance(result, Failed):
        batch.fail(str(pair.source), result.message, result.detail)
    elif isinstance(result, Converted):
        batch.counts[result.how] = 1
        for note in result.notes:
            say_warning(f"{pair.source}: {note}")
        say(f"{pair.source} -> {pair.target}")
    code = batch.finish()
    return result.exit_code if isinstance(result, Failed) else code


def _summary(batch: Batch) -> str:
    counts = batch.counts
    again = f", {counts[MADE_AGAIN]} made again (input or settings changed)" if counts[MADE_AGAIN] else ""
    kept = f", {counts[KEPT]} kept (not made by such a run, or changed since; --overwrite replaces them)"
    foreign = kept if counts[KEPT] else ""
    return f"{counts[CONVERTED]} converted{again}, {counts[UNCHANGED]} unchanged{foreign}, {len(batch.failures)} failed"
