"""The gate: metrics and a verdict for each entry, decisions into the report and the metadata."""

from __future__ import annotations

import contextlib
import datetime
import json
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from motion_gating.decision import Limits, decide, jitter_fails
from motion_gating.gate_record import make_record
from motion_gating.gate_tally import Tally
from motion_gating.in_order import in_order
from motion_gating.joint_clip import read_joint_clip
from motion_gating.joint_metrics import JointMetrics, measure
from motion_gating.judges.interface import RUN_ENDED, Judge, Question, Stop, undecided
from motion_rep.archive import entry_id, entry_writer, read_entries
from motion_rep.errors import InputError, UsageError
from motion_rep.safe_files import cannot_write, require_folder, resolve_beside, sweep, write_json

KEEP, REJECT = "keep", "reject"


@dataclass(frozen=True)
class Fields:
    """Names of the entry fields that the gate reads."""

    video: str = "video_path"
    evaluation: str = "mbench_eval_path"
    prompt: str = "prompt"


@dataclass(frozen=True)
class GateOptions:
    """What a run reads, writes and decides by.

    Attributes:
        output_json: None writes the decisions into ``meta_json``.
        max_samples: entries after these are kept as they are, without a record.
        settings: described in the run block; no secrets.
    """

    meta_json: Path
    quality_report: Path
    output_json: Path | None = None
    fields: Fields = field(default_factory=Fields)
    limits: Limits = field(default_factory=Limits)
    threads: int = 2
    max_samples: int | None = None
    skip_vlm_above_threshold: bool = False
    on_undecided: str = KEEP
    settings: dict | None = None

    def __post_init__(self) -> None:
        paths = {"--meta-json": self.meta_json, "--quality-report": self.quality_report, "its run block": self.run_block}
        if self.output_json is not None and self.output_json != self.meta_json:
            paths["--output-json"] = self.output_json
        names: dict[Path, str] = {}
        for name, path in paths.items():
            if (other := names.setdefault(path.resolve(), name)) != name:
                raise UsageError(f"{other} and {name} are the same file, {path}. Give them different names.")

    @property
    def run_block(self) -> Path:
        return self.quality_report.with_name(self.quality_report.stem + ".run.json")


@dataclass(frozen=True)
class GateResult:
    """How a run went."""

    tally: Tally
    stop: Stop | None
    interrupted: bool


Watch = Callable[[Iterable[dict], Tally, int], Iterable[dict]]


def apply_gate(options: GateOptions, judge: Judge | None, watch: Watch = lambda records, tally, count: records) -> GateResult:
    """Examine the entries, then write the report, the run block and the metadata, each atomically.

    Ctrl-C and a judge that stops end the questions, not the writing: what is decided by then is kept, the other entries stay as they were.

    Args:
        watch: wraps the records as they come, with the counts so far and the number to come, for a progress bar.

    Raises:
        UsageError: unusable archive, or folders that cannot be written.
    """
    target = options.output_json or options.meta_json
    for folder in (options.quality_report.parent, target.parent):
        sweep(require_folder(folder), recursive=False)
    started, tally = datetime.datetime.now(datetime.UTC), Tally()
    count = sum(1 for _ in read_entries(options.meta_json))  # a broken archive ends the run before the first call is paid for
    with _spool(options.quality_report) as spool, _interruptible() as cancelled:
        for record in watch(_records(options, judge, cancelled), tally, min(count, options.max_samples or count)):
            tally.add(record)
            spool.write(json.dumps(record) + "\n")
        _write_results(options, target, spool)
    result = GateResult(tally, judge.stop if judge else None, cancelled.is_set())
    write_json(options.run_block, _run_block(options, started, result))
    return result


def examine(entry: dict, options: GateOptions, judge: Judge | None) -> dict:
    """The record of one entry."""
    metrics, error = _metrics(entry, options)
    asked = judge is not None and not _jitter_decides(metrics, options)
    verdict = judge.judge(question_of(entry, options.fields, options.meta_json)) if asked else None
    return _record(entry, options, metrics, error, verdict)


def would_ask(entry: dict, options: GateOptions, judge: Judge | None) -> bool:
    """Whether the judge is asked about an entry."""
    if judge is None or not options.skip_vlm_above_threshold:
        return judge is not None
    return not _jitter_decides(_metrics(entry, options)[0], options)


def _jitter_decides(metrics: JointMetrics | None, options: GateOptions) -> bool:
    return options.skip_vlm_above_threshold and jitter_fails(metrics, options.limits)


def question_of(entry: dict, fields: Fields, meta_json: Path) -> Question:
    """What a judge is asked about an entry."""
    video, description = entry.get(fields.video), entry.get(fields.prompt)
    return Question(
        entry_id(entry),
        resolve_beside(video, meta_json) if isinstance(video, str) and video else None,
        description if isinstance(description, str) and description.strip() else None,
    )


def _metrics(entry: dict, options: GateOptions) -> tuple[JointMetrics | None, str | None]:
    path = entry.get(options.fields.evaluation)
    if not isinstance(path, str) or not path:
        return None, f"the entry has no {options.fields.evaluation}. Render it first, or name its field with --eval-field."
    resolved = resolve_beside(path, options.meta_json)
    try:
        clip = read_joint_clip(resolved)
    except InputError as error:
        return None, str(error)
    try:
        return measure(clip), None
    except InputError as error:
        return None, f"{resolved}: {error}"


def _record(entry: dict, options: GateOptions, metrics: JointMetrics | None, error: str | None, verdict) -> dict:
    record = make_record(entry_id(entry), metrics, error, verdict, decide(metrics, error, verdict, options.limits))
    if record["use_ref_motion"] is None and options.on_undecided == REJECT and record["vlm_error_kind"] != RUN_ENDED:
        record["use_ref_motion"] = False
        record["reasons"].append("undecided, rejected by --on-undecided reject")
    return record


def _records(options: GateOptions, judge: Judge | None, cancelled: threading.Event) -> Iterator[dict]:
    entries = islice(read_entries(options.meta_json), options.max_samples)
    threads = options.threads if judge is not None and judge.waits else 0
    for entry, record in in_order(lambda entry: examine(entry, options, judge), entries, threads, cancelled):
        yield record or _unreached(entry, options, judge)


def _unreached(entry: dict, options: GateOptions, judge: Judge | None) -> dict:
    reason = "the run was interrupted before. Run the same command again."
    return _record(entry, options, None, reason, undecided(judge.name if judge else "none", RUN_ENDED, reason))


@contextlib.contextmanager
def _spool(report: Path) -> Iterator[IO[str]]:
    """A file without a name on the report's disk: records wait in it, not in memory, and nothing is left of it after a kill."""
    try:
        with tempfile.TemporaryFile("w+", encoding="utf-8", dir=report.parent) as spool:
            yield spool
    except OSError as error:
        raise InputError(cannot_write(report, error)) from None


@contextlib.contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as usual."""
    cancelled = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield cancelled
        return
    before = signal.getsignal(signal.SIGINT)

    def cancel(*_) -> None:
        cancelled.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, cancel)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)


def _write_results(options: GateOptions, target: Path, spool: IO[str]) -> None:
    """The report, then the metadata with the decisions in it; entries without one stay as they were."""
    spool.seek(0)
    with entry_writer(options.quality_report) as write:
        for line in spool:
            write(json.loads(line))
    spool.seek(0)
    with entry_writer(target) as write:
        for entry in read_entries(options.meta_json):
            line = spool.readline()
            record = json.loads(line) if line else None
            if record is not None and str(record["id"]) != str(entry_id(entry)):
                raise InputError(f"{options.meta_json}: was changed by another program during the run; nothing was written to it. Run again.")
            decided = record is not None and record["use_ref_motion"] is not None
            write({**entry, "use_ref_motion": record["use_ref_motion"]} if decided else entry)


def _run_block(options: GateOptions, started: datetime.datetime, result: GateResult) -> dict:
    return {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "meta_json": str(options.meta_json),
        "output_json": str(options.output_json or options.meta_json),
        "ended_early": "interrupted" if result.interrupted else result.stop.message if result.stop else None,
        "counts": result.tally.as_dict(),
        "limits": asdict(options.limits),
        "max_samples": options.max_samples,
        "skip_vlm_above_threshold": options.skip_vlm_above_threshold,
        "on_undecided": options.on_undecided,
        **(options.settings or {}),
    }
