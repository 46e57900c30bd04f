"""Run a command that makes one file from each input: one into a file, or many into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from motion_rep.common.command_line import DONE
from motion_rep.common.errors import counted
from motion_rep.common.messages import say, say_warning
from motion_rep.common.outcomes import CONVERTED, KEPT, MADE_AGAIN, UNCHANGED, Outcome
from motion_rep.files.disk_space import require_space, sizes_to_do
from motion_rep.files.remote_files import prepared_folders
from motion_rep.runs.attempt import Failed
from motion_rep.runs.batch import Batch
from motion_rep.runs.engine import Engine
from motion_rep.runs.pair_flags import PairRun
from motion_rep.runs.pairing import Pairing, require_apart
from motion_rep.runs.report import NoteTally
from motion_rep.runs.work_pool import StartIn

Heard = Callable[[Pairing, Outcome], object]
# The smallest output, joints as .npy, takes a quarter of its motion. Results of HMR systems can be much larger than a
# motion, which takes these bytes for one second.
SMALLEST_SHARE, SHORT_MOTION_BYTES = 4, 20_000


def run_pairs(
    start: StartIn,
    pairs: list[Pairing],
    run: PairRun,
    doing: str = "converting",
    done: str = CONVERTED,
    heard: Heard = lambda pair, outcome: None,
) -> int:
    """Process all pairs, print a summary, and return the exit code.

    Args:
        start: its work makes an :class:`motion_rep.common.outcomes.Outcome` of a pair; the record may name the
            ``outputs``.
        done: the word of :mod:`motion_rep.common.outcomes` for a new file.
        heard: called with each outcome.
    """
    output, engine = run.output, run.engine
    require_apart(pairs, [] if run.failures is None else [("--failures", run.failures)])
    sizes = list(sizes_to_do((pair.source, pair.target) for pair in pairs))
    require_space(output, sum(_least_bytes(size) for size in sizes), f"{counted(len(sizes), 'new file')}")
    alone = pairs[0].named
    if alone:
        engine = Engine(item_timeout=engine.item_timeout)
    batch = Batch(engine, doing, "clip", run.failures)
    written: list[str] = []

    def noted(pair: Pairing, outcome: Outcome) -> None:
        written.extend(outcome.record.get("outputs", ()))
        heard(pair, outcome)

    with prepared_folders(*([] if alone else [output])):
        failed = _collect(batch.shown(engine.run(start, pairs, len(pairs)), len(pairs)), batch, noted)
    code = batch.finish()
    if not alone:
        say(f"{_summary(batch, done)} -> {output}")
    elif code == DONE:
        say(f"{pairs[0].source} -> {', '.join(written) or output}")
    return failed if alone else code


def _least_bytes(size: int) -> int:
    """Lower bound for the size of the output for an input of this size."""
    return min(size // SMALLEST_SHARE, SHORT_MOTION_BYTES)


def _collect(results: Iterable[tuple[Pairing, Outcome | Failed]], batch: Batch, heard: Heard) -> int:
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
        heard(pair, result)
    for note in notes.repeated():
        say_warning(note)
    return code


def _summary(batch: Batch, done: str) -> str:
    counts = batch.counts
    again = f", {counts[MADE_AGAIN]} regenerated (input or settings changed)" if counts[MADE_AGAIN] else ""
    kept = f", {counts[KEPT]} kept (not written by such a run, or edited since; --overwrite replaces them)"
    foreign = kept if counts[KEPT] else ""
    return f"{counts[done]} {done}{again}, {counts[UNCHANGED]} unchanged{foreign}, {len(batch.failures)} failed"
