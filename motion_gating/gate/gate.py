"""The gate: get metrics and a verdict for each entry, and write decisions into the report and the archive."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO

from motion_gating.archives.archive import entry_id, entry_writer, read_entries, require_valid
from motion_gating.archives.archive_lock import archive_lock
from motion_gating.archives.content import Content, text_digest
from motion_gating.archives.fields import CONTENT, FAST, MOTION_PATH, Fields
from motion_gating.archives.scratch_file import scratch_file
from motion_gating.archives.texts import text_note, text_of
from motion_gating.gate.decision import Limits, decide, fast_note, smoothness_fails
from motion_gating.gate.record import failure_of, make_record
from motion_gating.gate.tally import Tally
from motion_gating.gate.write_back import Written, settled, signature, write_decisions
from motion_gating.judges.interface import NO_QUESTION, RUN_ENDED, UNEXPECTED, Judge, Question, Stop, Verdict, undecided
from motion_gating.metrics.entry_metrics import INTERRUPTED, NOT_REACHED, Measured, measured_entries
from motion_rep.common.end_signals import signals_cancel
from motion_rep.common.overwriting import require_file_places
from motion_rep.files.json_files import write_json
from motion_rep.files.locations import Location, resolve_from
from motion_rep.files.remote_files import local_output, remove_stale_temporaries_at, require_location
from motion_rep.runs.attempt import Failed, attempt
from motion_rep.runs.engine import IN_THIS_PROCESS, Engine
from motion_rep.runs.ordered_threads import in_order
from motion_rep.runs.report import write_failures

KEEP, REJECT = "keep", "reject"


@dataclass(frozen=True)
class GateOptions:
    """Inputs, outputs and rules of a run.

    Attributes:
        output_json: None writes the decisions into ``meta_json``.
        max_samples: entries after these stay unchanged and get no record.
        settings: for the run block; must not contain secrets.
        failures: file for the failures; None for no file.
    """

    meta_json: Location
    quality_report: Location
    output_json: Location | None = None
    fields: Fields = field(default_factory=Fields)
    limits: Limits = field(default_factory=Limits)
    threads: int = 2
    max_samples: int | None = None
    skip_vlm_above_threshold: bool = False
    on_undecided: str = KEEP
    settings: dict | None = None
    failures: Path | None = None

    @property
    def run_block(self) -> Location:
        return self.quality_report.with_name(self.quality_report.stem + ".run.json")


@dataclass(frozen=True)
class GateResult:
    """The result of a run.

    Attributes:
        interrupted: the exit code of the signal that ended it, or 0.
    """

    tally: Tally
    stop: Stop | None
    interrupted: int
    written: Written = Written()
    cost: dict | None = None


@dataclass(frozen=True)
class Examined:
    """The record of an entry, and the traceback of an unexpected error."""

    record: dict
    traceback: str = ""
    signature: str = ""


Watch = Callable[[Iterable[Examined], Tally, int], Iterable[Examined]]


def apply_gate(
    options: GateOptions,
    judge: Judge | None,
    watch: Watch = lambda examined, tally, count: examined,
    engine: Engine = IN_THIS_PROCESS,
) -> GateResult:
    """Examine the entries, then write the report, the run block and the metadata, each atomically.

    A signal that ends the run, and a judge that stops, end the questions, not the writing: decisions so far are
    written, the other entries stay as they were.

    Args:
        watch: wraps the iterable of examined entries in a progress bar, given the counts so far and the number of
            entries.
        engine: computes the metrics; this process asks the judge, so that all calls share one rate limit and one stop.

    Raises:
        UsageError: unusable archive, or folders that cannot be written.
    """
    target = options.output_json or options.meta_json
    require_file_places(options.quality_report, options.run_block, target, options.failures)
    for folder in (options.quality_report.parent, target.parent):
        require_location(folder)
        remove_stale_temporaries_at(folder, recursive=False)
    started, tally, failures = datetime.datetime.now(datetime.UTC), Tally(), []
    count = count_entries(options)  # a broken archive ends the run before the first paid call
    with archive_lock(target), scratch_file(options.quality_report) as kept, signals_cancel() as cancelled:
        for examined in watch(_examined(options, judge, engine, count, cancelled), tally, count):
            tally.add(examined.record)
            kept.write(json.dumps([examined.record, examined.signature]).encode() + b"\n")
            if (
                options.failures is not None
                and (failure := failure_of(examined.record, examined.traceback)) is not None
            ):
                failures.append(failure)
        written = _write_results(options, target, kept)
    cost = judge.model.meter.as_dict() if judge and judge.model else None
    result = GateResult(tally, judge.stop if judge else None, cancelled.exit_code, written, cost)
    with local_output(options.run_block, fetch=False) as run_block:
        write_json(run_block, _run_block(options, started, result))
    if options.failures is not None:
        write_failures(options.failures, {**tally.outcome_counts(), "failed": len(failures)}, failures)
    return result


def count_entries(options: GateOptions) -> int:
    """The number of entries to examine; this reads and thereby checks the whole archive.

    Raises:
        UsageError: the archive is broken.
    """
    count = sum(1 for _ in read_entries(options.meta_json))
    return min(count, options.max_samples or count)


def entries_to_examine(options: GateOptions) -> Iterator[dict]:
    """The archive's entries up to ``max_samples``."""
    return islice(read_entries(options.meta_json), options.max_samples)


def entries_with_metrics(
    options: GateOptions, engine: Engine, count: int, cancelled: threading.Event | None = None
) -> Iterator[tuple[dict, Measured]]:
    """The entries to examine, with their figures; see :func:`motion_gating.metrics.entry_metrics.measured_entries`."""
    return measured_entries(
        lambda: entries_to_examine(options), count, options.fields, options.meta_json, engine, cancelled
    )


def judge_to_ask(measured: Measured, options: GateOptions, judge: Judge | None) -> Judge | None:
    """The judge if it must be asked about an entry, else None."""
    skipped = options.skip_vlm_above_threshold and smoothness_fails(measured.metrics, options.limits)
    return None if skipped else judge


def question_of(entry: dict, fields: Fields, meta_json: Location) -> Question:
    """The judge's question about an entry.

    Raises:
        InputError: the entry is invalid, or the URL of its video.
    """
    require_valid(entry)

    def place(field: str) -> Location | None:
        value = entry.get(field)
        return resolve_from(value, meta_json) if isinstance(value, str) and value else None

    text, video = text_of(entry, fields.prompt), place(fields.judged_video(entry))
    return Question(entry_id(entry), video, text, place(MOTION_PATH), place(fields.video))


def _record(entry: dict, options: GateOptions, measured: Measured, verdict: Verdict | None) -> dict:
    metrics, error = measured.metrics, measured.error
    record = make_record(entry_id(entry), metrics, error, verdict, decide(metrics, error, verdict, options.limits))
    if record["use_ref_motion"] is None and options.on_undecided == REJECT and record["vlm_error_kind"] != RUN_ENDED:
        record["use_ref_motion"] = False
        record["reasons"].append("undecided, rejected by --on-undecided reject")
    if (fast := fast_note(metrics, options.limits)) is not None:
        record["reasons"].append(fast)
    record[FAST] = fast is not None
    text = text_of(entry, options.fields.prompt)
    note = text_note(entry, options.fields.prompt)
    record["reasons"] += [*measured.notes, *([] if note is None else [note])]
    if measured.interpolated_from is not None:
        record["interpolated_from"] = measured.interpolated_from
    digest = None if text is None else text_digest(text)
    content = replace(measured.content, text=digest, text_field=options.fields.prompt)
    return settled(record, entry, content)


def _examined(
    options: GateOptions, judge: Judge | None, engine: Engine, count: int, cancelled: threading.Event
) -> Iterator[Examined]:
    def examine(item: tuple[dict, Measured]) -> Examined:
        entry, measured = item
        verdict, trace = None, measured.traceback
        if (asked := judge_to_ask(measured, options, judge)) is not None:
            verdict, unexpected = _verdict(entry, options, measured, asked)
            trace = trace or unexpected
        return _examined_entry(entry, options, measured, verdict, trace)

    threads = options.threads if judge is not None and judge.is_remote_service else 0
    unasked = undecided(judge.name if judge else "none", RUN_ENDED, INTERRUPTED)
    measured = entries_with_metrics(options, engine, count, cancelled)
    for (entry, _), examined in in_order(examine, measured, threads, cancelled):
        yield examined or _examined_entry(entry, options, NOT_REACHED, unasked)


def _examined_entry(
    entry: dict, options: GateOptions, measured: Measured, verdict: Verdict | None, trace: str = ""
) -> Examined:
    """The record of an entry; an unexpected error, caused by any contents of the entry, leaves it undecided."""
    signed = signature(entry, options.fields)
    record = attempt(lambda _: _record(entry, options, measured, verdict), None)
    if not isinstance(record, Failed):
        return Examined(record, trace, signed)
    unmeasured = decide(None, record.message, verdict, options.limits)
    plain = make_record(entry_id(entry), None, record.message, verdict, unmeasured)
    return Examined({**plain, FAST: False, CONTENT: Content().as_dict()}, trace or record.detail, signed)


def _verdict(entry: dict, options: GateOptions, measured: Measured, judge: Judge) -> tuple[Verdict, str]:
    """The judge's verdict on an entry, and the traceback of an unexpected error."""
    question = attempt(lambda one: question_of(one, options.fields, options.meta_json), entry)
    if isinstance(question, Failed):
        kind = UNEXPECTED if question.detail else NO_QUESTION
        return undecided(judge.name, kind, question.message), question.detail
    return verdict_on(replace(question, measured=measured.content), judge)


def verdict_on(question: Question, judge: Judge) -> tuple[Verdict, str]:
    """The judge's verdict, and the traceback of an unexpected error, which affects only this question."""
    answer = attempt(judge.judge, question)
    if isinstance(answer, Failed):
        return undecided(judge.name, UNEXPECTED, answer.message), answer.detail
    return answer, ""


def _write_results(options: GateOptions, target: Location, kept: IO[bytes]) -> Written:
    """Write the report, then the archive with the decisions."""
    kept.seek(0)
    with entry_writer(options.quality_report) as write:
        for line in kept:
            write(json.loads(line)[0])
    return write_decisions(options.meta_json, target, kept, options.fields)


def _run_block(options: GateOptions, started: datetime.datetime, result: GateResult) -> dict:
    return {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "meta_json": str(options.meta_json),
        "output_json": str(options.output_json or options.meta_json),
        "ended_early": "interrupted" if result.interrupted else result.stop.message if result.stop else None,
        "counts": result.tally.as_dict(),
        "cost": result.cost,
        "limits": options.limits.as_dict(),
        "max_samples": options.max_samples,
        "skip_vlm_above_threshold": options.skip_vlm_above_threshold,
        "on_undecided": options.on_undecided,
        **(options.settings or {}),
    }
