"""The whole run: check, plan, run the steps, and report the result of each entry."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from motion_gating.archives.checkout import archive_name, next_steps, require_checkout
from motion_gating.preparing import judging
from motion_gating.preparing.board import Board
from motion_gating.preparing.checks import (
    judge_of,
    missing_programs,
    require_outputs_apart,
    require_programs,
    try_judge,
)
from motion_gating.preparing.inputs import layout_of, read_items
from motion_gating.preparing.items import Item
from motion_gating.preparing.layout import FOLDERS, Layout
from motion_gating.preparing.plan import plan_lines, step_entries
from motion_gating.preparing.settings import GATE, MOTION, RENDER, PrepareRun
from motion_gating.preparing.steps import (
    Work,
    make_captures,
    make_motions,
    make_overlays,
    make_videos,
    write_archive,
)
from motion_gating.preparing.summary import Row, exit_code, places, rows_of, table, with_ranks
from motion_rep.common.command_line import DONE
from motion_rep.common.end_signals import was_ended
from motion_rep.common.errors import UsageError, counted
from motion_rep.common.messages import say, say_warning
from motion_rep.files.atomic_writing import cannot_write, require_folder
from motion_rep.files.disk_space import require_space
from motion_rep.files.folder_lock import folder_lock
from motion_rep.files.locations import own_folder
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.runs.attempt import Failed
from motion_rep.runs.report import ItemFailure, write_failures

LEAST_FREE, BYTES_OF_AN_ENTRY = 200_000_000, 1_000_000


def prepare(run: PrepareRun) -> int:
    """Prepare all inputs; returns the exit code.

    Raises:
        UsageError: a check before the work fails.
    """
    with own_folder(run.output):
        return _prepare(run, layout_of(run))


def _prepare(run: PrepareRun, layout: Layout) -> int:
    items = read_items(run, layout, say_warning)
    require_checkout(run.vimogen_root)
    require_outputs_apart(run, layout, items)
    require_space(run.output, LEAST_FREE + len(items) * BYTES_OF_AN_ENTRY, f"{counted(len(items), 'entry', 'entries')}")
    judge = judge_of(run)
    if run.dry_run:
        for line in plan_lines(run, layout, items, judge):
            say(line)
        for problem in missing_programs(run, layout, items):
            say_warning(f"a real run stops here: {problem}")
        return DONE
    require_programs(run, layout, items)
    with _output_folder(layout) as lock:
        try_judge(judge)
        work = Work(run, layout, items, Board(_steps_of(run, items)), lock)
        with work.board:
            _do_steps(work)
        return _finish(work)


@contextlib.contextmanager
def _output_folder(layout: Layout) -> Iterator[int | None]:
    """Create and lock the output folder; a run that fails before its first result leaves no folders."""
    created = not layout.folder.exists()
    try:
        require_folder(layout.folder)
        with folder_lock(layout.folder, lambda: _say_waiting(layout.folder)) as lock:
            try:
                remove_stale_temporaries(layout.folder, recursive=False)
                yield lock
            finally:
                _remove_empty(layout.folder, created)
    except OSError as error:
        if isinstance(error, PermissionError | NotADirectoryError | FileNotFoundError):
            raise UsageError(cannot_write(layout.folder, error)) from None
        raise


def _say_waiting(folder: Path) -> None:
    say_warning(f"{folder}: in use by another run, or by a program that a killed run started; waiting until it ends.")


def _remove_empty(folder: Path, itself: bool) -> None:
    for path in (*(folder / name for name in FOLDERS), *([folder] if itself else [])):
        with contextlib.suppress(OSError):
            path.rmdir()


def _steps_of(run: PrepareRun, items: list[Item]) -> int:
    """The steps of all entries, for the progress bar."""
    after = len(items) * (run.reaches(GATE) + run.makes_page)
    return sum(step_entries(run, items).values()) + after


def _do_steps(work: Work) -> None:
    run, board = work.run, work.board
    for item in work.items:
        if item.problem is not None:
            board.fail(item, "input", Failed(item.problem))
    write_archive(work)
    make_videos(work)
    make_captures(work)
    if run.reaches(MOTION):
        make_motions(work)
    if not work.left():
        return
    if run.reaches(MOTION):
        make_overlays(work)
    if run.reaches(RENDER):
        judging.render(work)
    if run.reaches(GATE) and work.layout.rendered.is_file():
        judging.gate(work)
        if work.has_groups and not was_ended(board.worst) and work.layout.decided.is_file():
            judging.rank(work)
    if run.makes_page and work.layout.gated.is_file() and not was_ended(board.worst):
        judging.make_page(work)
        if run.vimogen_root is not None:
            judging.export(work)


def _finish(work: Work) -> int:
    """Print the table and the paths of the results, write the failures; returns the exit code."""
    run, layout, board = work.run, work.layout, work.board
    for note in board.notes.repeated():
        say_warning(note)
    rows = rows_of(work.items, board.failures, layout.report if run.reaches(GATE) else None)
    if run.reaches(GATE) and work.has_groups:
        rows = with_ranks(rows, layout.candidates)
    for line in (*table(rows), *places(layout), *_next(run, layout)):
        say(line)
    if run.failures is not None:
        _write_failures(run.failures, rows, board)
    return max(board.worst, exit_code(rows))


def _next(run: PrepareRun, layout: Layout) -> Iterator[str]:
    """The lines about next steps."""
    if not run.makes_page or not layout.gated.is_file():
        return
    if run.gate.why_no_judge:
        yield run.gate.why_no_judge
    if run.vimogen_root is None:
        words = (
            "--meta-json",
            str(layout.gated),
            "--vimogen-root",
            "ViMoGen",
            "-o",
            "ViMoGen/data_samples/custom.json",
        )
        yield f"into ViMoGen: python motion_gating/export_for_tm2m.py {shlex.join(words)}"
    else:
        yield f"into ViMoGen, in {run.vimogen_root}:"
        yield from next_steps(run.vimogen_root.resolve(), archive_name(layout.for_tm2m, run.vimogen_root), run.text_key)


def _write_failures(path: Path, rows: list[Row], board: Board) -> None:
    counts = {name: sum(row.decision == name for row in rows) for name in dict.fromkeys(row.decision for row in rows)}
    known = {str(failure.item): failure for _, failure in board.failures.values()}
    failed = [
        known.get(str(row.identifier), ItemFailure(row.identifier, row.reasons))
        for row in rows
        if row.decision in ("failed", "undecided")
    ]
    write_failures(path, {**counts, "failed": len(board.failures)}, failed)
