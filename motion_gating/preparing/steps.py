"""Steps 1 to 3 for all entries: videos, captures, motions, overlays."""

from __future__ import annotations

import contextlib
import functools
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from motion_gating.archives.archive import InvalidEntry, entry_writer
from motion_gating.archives.candidates import valid_group
from motion_gating.archives.fields import MOTION_DURATION
from motion_gating.preparing.board import Board
from motion_gating.preparing.items import Item
from motion_gating.preparing.layout import Layout
from motion_gating.preparing.settings import AUTO, PREVIEW, PrepareRun
from motion_gating.preparing.stamps import digest_of, is_current, remove, set_current
from motion_gating.preparing.work import (
    CaptureJob,
    MadeMotion,
    MotionJob,
    MotionWork,
    start_capturing,
    start_checking,
    start_making_motions,
)
from motion_gating.preparing.wrappers import EXTRACT, GENERATE, run_wrapper
from motion_rep.common.errors import InputError
from motion_rep.common.messages import say
from motion_rep.conversion.settings import Settings as ConversionSettings
from motion_rep.drawing.motion_check import CheckJob
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.local_files import read_bytes
from motion_rep.hmr_results.names import LONGEST
from motion_rep.preview_capture.video_capture import CaptureOptions
from motion_rep.runs.attempt import Failed

TRACKED = ("tracked", "largest")  # choices that the HMR systems make themselves


@dataclass
class Work:
    """A run in progress.

    Attributes:
        lock: file descriptor of the locked output folder; None if the operating system has no locks.
        seconds: length of each motion, by name.
    """

    run: PrepareRun
    layout: Layout
    items: Sequence[Item]
    board: Board
    lock: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def note_code(self, code: int) -> None:
        """Keep the worst exit code."""
        self.board.worst = max(self.board.worst, code)

    @property
    def has_groups(self) -> bool:
        """Whether some entries are candidates, of which the best are chosen."""
        return any(valid_group(item.entry) is not None for item in self.items)

    def left(self) -> list[Item]:
        """The items that have not failed."""
        return [item for item in self.items if item.name not in self.board.failures]


def uses_preview(run: PrepareRun) -> bool:
    """Whether the preview capture makes the captures, without a shell wrapper."""
    return run.capture.model == PREVIEW or (run.capture.model == AUTO and not os.environ.get("SMPLEST_X_ROOT"))


def capture_digest(item: Item, run: PrepareRun) -> str | None:
    """The digest of the video and of the settings of its capture; None if the video is missing."""
    model = PREVIEW if uses_preview(run) else run.capture.model
    return None if item.video is None else digest_of([item.video], replace(run.capture, model=model))


def has_capture(item: Item, run: PrepareRun, layout: Layout) -> bool:
    """Whether the capture of an item is up to date."""
    return is_current(layout.capture(item.name), layout.stamp(item.name, "capture"), capture_digest(item, run))


def has_video(item: Item, layout: Layout) -> bool:
    """Whether the generated video of an item exists, possibly under an older name, from which generate_video.sh takes
    it; there, a video counts only if its record has a text of the entry.
    """
    older = layout.older_video(item.identifier)
    if older is None or layout.video(item.name).is_file() or not older.is_file():
        return layout.video(item.name).is_file()
    with contextlib.suppress(InputError):
        record = read_json(f"{older}.json")
        made_with = record.get("made_with") if isinstance(record, dict) else None
        return isinstance(made_with, dict) and made_with.get("prompt") in item.entry.values()
    return False


def write_archive(work: Work) -> None:
    """Write the archive of the run, with the length of each existing motion."""
    with entry_writer(work.layout.archive) as write:
        for item in work.items:
            if isinstance(item.entry, InvalidEntry):
                write(item.entry)
                continue
            entry = {key: value for key, value in item.entry.items() if key != MOTION_DURATION or item.motion}
            known = work.seconds.get(item.name)
            write(entry if known is None else {**entry, MOTION_DURATION: known})
    with contextlib.suppress(InputError):  # what is no file is no archive
        remove(work.layout.other_archive)


def make_videos(work: Work) -> None:
    """Step 1, run by generate_video.sh: make the videos of entries that start from a text."""
    items = [item for item in work.left() if item.generated]
    if not items:
        return
    layout, board = work.layout, work.board
    with board.step("Step 1: videos", layout.log("videos"), len(items)):
        with entry_writer(layout.to_generate) as write:
            for item in items:
                write(item.entry)
        flags = ["--archive", str(layout.to_generate), "--output-dir", str(layout.videos), *work.run.video.flags()]
        code = run_wrapper(GENERATE, flags, work.lock)
        work.note_code(code)
    for item in items:
        if not layout.video(item.name).is_file():
            reason = last_error(layout.log("videos"), f"/{item.name}.mp4: ") or "not made"
            board.fail(item, "video", Failed(reason), layout.log("videos"))


def last_error(log: Path, marker: str = "") -> str | None:
    """The last error line of a log that contains ``text``."""
    try:
        lines = read_bytes(log).decode("utf-8", "replace").splitlines()
    except InputError:
        return None
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ") and marker in line]
    return errors[-1] if errors else None


def make_captures(work: Work) -> None:
    """Step 2: capture each video without an up-to-date capture."""
    items = [item for item in work.left() if item.needs_capture]
    if not items:
        return
    with work.board.step("Step 2: captures", work.layout.log("captures"), len(items)):
        todo = []
        for item in items:
            if has_capture(item, work.run, work.layout):
                say(f"{item.name}: capture exists, skipped.")
                work.board.advance(item.name)
            else:
                try:
                    # Remove the old motion too, or it would pass for the motion of the new capture.
                    _remove_results(item, work.layout)
                    todo.append(item)
                except InputError as error:
                    work.board.fail(item, "capture", Failed(str(error)))
        if uses_preview(work.run):
            _capture_in_workers(work, todo)
        else:
            _capture_by_wrapper(work, todo)


def _remove_results(item: Item, layout: Layout) -> None:
    name = item.name
    remove(layout.stamp(name, "capture"), layout.capture(name), layout.motion(name), layout.raw_motion(name))


def _capture_in_workers(work: Work, items: list[Item]) -> None:
    run, layout, board = work.run, work.layout, work.board
    options = CaptureOptions(focal_length=run.capture.focal_length)
    engine = replace(run.engine, worth_a_worker=1 if len(items) > 1 else 2)
    start = functools.partial(start_capturing, options)
    jobs = {item.name: CaptureJob(_video(item), layout.capture(item.name)) for item in items}
    digests = {item.name: capture_digest(item, run) for item in items}
    for item, result in engine.run(start, items, len(items), lambda item: jobs[item.name]):
        if isinstance(result, Failed):
            board.fail(item, "capture", result)
        else:
            _stamp_capture(item, digests[item.name], work)
            for warning in result.warnings:
                board.warn(item, warning)
            say(result.summary)
        board.advance(item.name)


def _stamp_capture(item: Item, digest: str | None, work: Work) -> None:
    """Record the source of a capture, unless it is no longer the one from before the capture."""
    if capture_digest(item, work.run) == digest:
        set_current(work.layout.stamp(item.name, "capture"), digest)


def _video(item: Item) -> Path:
    if item.video is None:
        raise InputError(f"{item.identifier}: has no video.")
    return item.video


def _capture_by_wrapper(work: Work, items: list[Item]) -> None:
    """Run the wrapper for one video after the other, because each fills the GPU. A missing prerequisite fails the
    rest.
    """
    run, layout, board = work.run, work.layout, work.board
    missing = None
    for item in items:
        log = layout.log(f"{item.name}.capture")
        if missing is None:
            board.show(item.name)
            digest = capture_digest(item, run)
            flags = ["--video", str(item.video), "--output", str(layout.capture(item.name)), *run.capture.flags()]
            with board.part(log):
                code = run_wrapper(EXTRACT, flags, work.lock)
            work.note_code(code)
            if code == 0:
                _stamp_capture(item, digest, work)
            else:
                reason = last_error(log) or f"extract_motion.sh ended with code {code}"
                missing = reason if code == 2 else None
                board.fail(item, "capture", Failed(reason), log)
        else:
            board.fail(item, "capture", Failed(missing))
        board.advance(item.name)


def make_motions(work: Work) -> None:
    """Step 3: convert, refine and measure, then write the archive with the lengths."""
    run, layout, board, items = work.run, work.layout, work.board, work.left()
    counts: Counter[str] = Counter()
    records: list[dict] = []
    with board.step("Step 3: motions", layout.log("motions"), len(items)):
        engine = replace(run.engine, worth_a_worker=50)
        start = functools.partial(start_making_motions, motion_work(run))
        for item, result in engine.run(start, items, len(items), lambda item: motion_job(item, run, layout)):
            if isinstance(result, Failed):
                board.fail(item, "motion", result)
                with contextlib.suppress(InputError):
                    remove(layout.motion(item.name))
            else:
                _note_motion(work, item, result, records)
            counts["failed" if isinstance(result, Failed) else result.how] += 1
            board.advance(item.name)
        say(", ".join(f"{count} {how}" for how, count in counts.items()) + f" -> {layout.motions}")
    if run.refine:
        _write_refine_report(layout.refine_report, records)
    write_archive(work)


def _note_motion(work: Work, item: Item, made: MadeMotion, records: list[dict]) -> None:
    work.seconds[item.name] = made.seconds
    for note in made.notes:
        work.board.warn(item, note)
    if made.record:
        records.append({**made.record, "notes": list(made.notes)})


def _write_refine_report(report: Path, records: list[dict]) -> None:
    """Write the records of this run, and those of an earlier run that are still valid."""
    try:
        found = read_json(report) if report.is_file() else []
    except InputError:
        found = []
    earlier = found if isinstance(found, list) else []
    new = {tuple(record["outputs"]) for record in records}
    kept = [one for one in earlier if isinstance(one, dict) and tuple(one.get("outputs") or ()) not in new]
    write_json(report, [*kept, *records])


def motion_work(run: PrepareRun) -> MotionWork:
    """How the motions of a run are made; the choices of person and lens apply to the user's captures."""
    own = ConversionSettings(target_fps=run.target_fps)
    person = LONGEST if run.capture.person in (None, *TRACKED) else str(run.capture.person)
    return MotionWork(own, replace(own, person=person, focal_length=run.capture.focal_length))


def motion_job(item: Item, run: PrepareRun, layout: Layout) -> MotionJob:
    """The job of an item's motion."""
    source = item.motion or item.capture or layout.capture(item.name)
    raw = layout.raw_motion(item.name) if run.refine else None
    return MotionJob(source, layout.motion(item.name), raw, item.motion is not None, item.capture is not None)


def make_overlays(work: Work) -> None:
    """Step 3: draw each body over its source video, for a check by eye."""
    run, layout, board = work.run, work.layout, work.board
    items = [item for item in work.left() if item.video is not None and item.video.is_file()]
    if not items:
        return
    with board.step("Step 3: overlays", layout.log("checks"), len(items)):
        todo = {item.name: digest_of([layout.motion(item.name), _video(item)]) for item in items}
        wanted = [item for item in items if not _has_overlay(item, layout, todo[item.name])]
        engine = replace(run.engine, worth_a_worker=3)
        start = functools.partial(start_checking, run.gate.smplx_model_dir, run.gate.renderer)
        for item, result in engine.run(start, wanted, len(wanted), lambda item: _check_job(item, layout)):
            if isinstance(result, Failed):
                # The gate does not need overlays.
                board.warn(item, f"no overlay: {result.message}")
                work.note_code(1)
            else:
                set_current(layout.stamp(item.name, "check"), todo[item.name])
                for note in result:
                    board.warn(item, note)
            board.advance(item.name)
        say(f"{len(wanted)} drawn, {len(items) - len(wanted)} unchanged -> {layout.checks}")


def _has_overlay(item: Item, layout: Layout, digest: str | None) -> bool:
    return is_current(layout.overlay(item.name), layout.stamp(item.name, "check"), digest)


def _check_job(item: Item, layout: Layout) -> CheckJob:
    with contextlib.suppress(InputError):
        remove(layout.stamp(item.name, "check"))
    return CheckJob(layout.motion(item.name), item.video, layout.overlay(item.name))
