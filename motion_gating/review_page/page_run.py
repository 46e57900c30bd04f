"""Make the review page of an archive: first the files of each entry, then the page that lists them."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from motion_gating.archives.archive import entry_id, read_entries
from motion_gating.archives.fields import (
    DEPTH_PATH,
    EVAL_PATH,
    ID,
    MOTION_PATH,
    OVERLAY_PATH,
    PROMPT,
    SOURCE_VIDEO,
    VIDEO_PATH,
)
from motion_gating.archives.paths import files_in, warn_of_stray_paths
from motion_gating.archives.scratch_file import scratch_file
from motion_gating.metrics.table import METRICS
from motion_gating.rendering.clip_render import engine_for
from motion_gating.review_page.drawn_videos import DrawingTools
from motion_gating.review_page.entry_files import PageOptions
from motion_gating.review_page.entry_page import EntryPage, failed_page, start_pages
from motion_gating.review_page.outputs import names_on, written_files
from motion_gating.review_page.page import write_page
from motion_gating.review_page.records import (
    KeptRecords,
    ReviewEntry,
    jitter_threshold,
    keep_records,
    read_reviewed,
    run_block,
    run_facts,
)
from motion_gating.review_page.reviewing import Reviewing
from motion_gating.verdicts.unknown_ids import warn_of_unknown_ids
from motion_gating.verdicts.verdict_file import left_out
from motion_rep.bodies.body_models import BUILT_IN, find_model
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import InputError, counted
from motion_rep.common.messages import say, say_first, say_warning
from motion_rep.common.overwriting import GivenPath, NamedPath, require_apart, require_file_places
from motion_rep.drawing.renderers import load_renderer
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.disk_space import require_space, sizes_to_do
from motion_rep.files.folder_lock import folder_lock
from motion_rep.files.local_files import require_given_folder
from motion_rep.files.locations import Location, resolve_from
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.runs.attempt import Failed, attempt
from motion_rep.runs.batch import Batch
from motion_rep.runs.engine import Engine
from motion_rep.runs.report import ItemFailure

SHOWN_WARNINGS = 10


@dataclass(frozen=True)
class PageRun:
    """Inputs and settings of the page.

    Attributes:
        quality_report: None shows only the clips.
        jitter_threshold: None means the gate's threshold.
        no_side_view: draw no videos. side_size, smplx_model_dir and renderer: for the drawn videos.
        checks, raw_motions, copy_media: see :class:`motion_gating.review_page.entry_files.PageOptions`.
        failures: file for the entries with missing parts.
        verdicts: verdict files of reviewers, built into the page.
        reviewers, overlap: see :class:`motion_gating.review_page.reviewing.Reviewing`.
        given_paths: the flags of the command, none of which is overwritten.
    """

    meta_json: Location
    output: Path
    quality_report: Location | None = None
    title: str | None = None
    jitter_threshold: float | None = None
    no_side_view: bool = False
    side_size: int = 480
    smplx_model_dir: str | None = None
    renderer: str = "auto"
    checks: Path | None = None
    raw_motions: Path | None = None
    copy_media: bool = False
    video_field: str = VIDEO_PATH
    eval_field: str = EVAL_PATH
    prompt_field: str = PROMPT
    failures: Path | None = None
    verdicts: Sequence[Path] = ()
    reviewers: Sequence[str] = ()
    overlap: float | None = None
    given_paths: Sequence[GivenPath] = ()


def make_review(run: PageRun, engine: Engine) -> int:
    """Write the page and the files that it loads; returns the exit code.

    Raises:
        UsageError: unusable archive or report, a missing body model, or a folder that cannot be written.
    """
    require_given_folder("--checks", run.checks, "Give the output folder of motion_checker.py, or omit the flag.")
    require_given_folder("--raw-motions", run.raw_motions, "Give the folder of the raw motions.")
    # A broken archive ends the run before any output.
    warn_of_stray_paths(run.meta_json)
    _require_apart(run)
    require_file_places(run.output / "index.html")
    _require_space(run)
    reviewing = Reviewing.of(run.verdicts, run.reviewers, run.overlap)
    warn_of_unknown_ids(reviewing.verdicts, run.meta_json)
    require_folder(run.output)
    with folder_lock(run.output, lambda: say_warning(f"{run.output}: in use by another run; waiting until it ends.")):
        return _make_review(run, engine, reviewing)


def _make_review(run: PageRun, engine: Engine, reviewing: Reviewing) -> int:
    remove_stale_temporaries(run.output)
    with scratch_file(run.output / "index.html") as file:
        records = keep_records(run.quality_report, file)
        count = _count(run, records)
        engine = engine_for(load_renderer(run.renderer), engine) if not run.no_side_view else engine
        batch = Batch(engine, "review page", "entry", run.failures)
        options = replace(_options(run, engine.shares_the_machine(count)), reviewing=reviewing)
        build_review(read_reviewed(run.meta_json, records), count, options, _heading(run), batch)
    remove_stale_temporaries(run.output)
    _say_result(run, count, batch.failures)
    for line in reviewing.agreement():
        say(line)
    batch.counts["shown"] = count - len(batch.failures)
    return max(batch.finish(), SOME_FAILED if left_out(reviewing.verdicts) else DONE)


def _require_space(run: PageRun) -> None:
    """Check that the disk has space for the copies of the videos.

    Raises:
        UsageError: it has not.
    """
    if run.copy_media:
        sizes = list(sizes_to_do(_copies(run)))
        require_space(run.output, sum(sizes), f"the copies of {counted(len(sizes), 'video')}")


def _copies(run: PageRun) -> Iterator[tuple[Location, Location]]:
    """Each video of an entry that the page copies, with its copy; errors are reported later, entry by entry."""
    names = names_on(run.output)
    for entry in read_entries(run.meta_json):
        for kind, path in _copied_paths(ReviewEntry(entry, None), run):
            with contextlib.suppress(InputError):
                video = resolve_from(path, run.meta_json)
                yield video, run.output / "media" / f"{names.of(entry_id(entry))}_{kind}{video.suffix}"


def _copied_paths(item: ReviewEntry, run: PageRun) -> Iterator[tuple[str, str]]:
    """Kind and path of an entry's videos that the page copies."""
    paths = {
        "lit": item.path(item.lit_field(run.video_field)),
        "source": None if run.no_side_view or not item.path(MOTION_PATH) else item.path(SOURCE_VIDEO),
        "overlay": item.path(OVERLAY_PATH),
        "depth": None if item.path(OVERLAY_PATH) else item.path(DEPTH_PATH),
    }
    return ((kind, path) for kind, path in paths.items() if path)


def _require_apart(run: PageRun) -> None:
    """Check that no file of the page is an input.

    Raises:
        UsageError: one is; the message contains both flags and the file.
    """
    read: list[NamedPath] = []
    if run.quality_report is not None:
        read.append(("the run block of --quality-report", run_block(run.quality_report)))
    if run.checks is not None:
        read += (("--checks", path) for path in run.checks.iterdir())
    require_apart(
        run.given_paths,
        written_files(run.output, read_entries(run.meta_json), run.copy_media),
        chain(read, files_in(run.meta_json, run.video_field, run.eval_field)),
    )


def build_review(
    items: Iterable[ReviewEntry], count: int, options: PageOptions, heading: dict[str, str], batch: Batch
) -> None:
    """Write the page and the files that it loads.

    Args:
        items: read ahead, up to a limit.
        count: the number of items.
        heading: title and facts about the run.
        batch: receives entries with missing parts as failures.
    """
    page_path = options.output / "index.html"
    with scratch_file(page_path) as rows:
        results = batch.engine.run(functools.partial(start_pages, options), items, count)
        for item, result in batch.shown(results, count):
            page = _page_without_files(options, item, result.message) if isinstance(result, Failed) else result
            rows.write(page.row.encode() + b"\n")
            if page.missing:
                trace = result.detail if isinstance(result, Failed) else ""
                batch.failures.append(ItemFailure(item.identifier, "; ".join(page.missing), trace))
        rows.seek(0)
        figures = [{"name": metric.name, "unit": metric.unit} for metric in METRICS]
        data = {"threshold": options.threshold, "figures": figures, **heading, **options.reviewing.heading()}
        write_page(page_path, heading["title"], data, (row.decode().rstrip("\n") for row in rows))


def _page_without_files(options: PageOptions, item: ReviewEntry, why: str) -> EntryPage:
    """The page's data of a failed entry; without its values, if they are the cause."""
    page = attempt(lambda _: failed_page(options, item, why), None)
    return failed_page(options, ReviewEntry({ID: item.identifier}, None), why) if isinstance(page, Failed) else page


def _count(run: PageRun, records: KeptRecords) -> int:
    """The number of entries; warns if the report has no record of any of them."""
    known = Counter(records.of(entry) is not None for entry in read_entries(run.meta_json))
    if run.quality_report is not None and known and not known[True]:
        say_warning(
            f"{run.quality_report}: has no record for any of the {counted(known.total(), 'entry', 'entries')} "
            f"of {run.meta_json}. Give the "
            "report of this archive."
        )
    return known.total()


def _say_result(run: PageRun, count: int, failures: list[ItemFailure]) -> None:
    say_first(
        say_warning,
        [f"entry {failure.item!r}: {failure.error}" for failure in failures],
        lambda more: f"{counted(more, 'more entry has', 'more entries have')} missing parts; the page lists them",
        SHOWN_WARNINGS,
    )
    say(f"{run.output / 'index.html'}: {counted(count, 'entry', 'entries')}. Open it in a browser.")


def _options(run: PageRun, one_thread: bool) -> PageOptions:
    return PageOptions(
        meta_json=run.meta_json,
        output=run.output,
        threshold=run.jitter_threshold or jitter_threshold(run_facts(run.quality_report)),
        drawing=None if run.no_side_view else _drawing_tools(run, one_thread),
        checks=run.checks,
        raw_motions=run.raw_motions,
        copy_media=run.copy_media,
        video_field=run.video_field,
        eval_field=run.eval_field,
        prompt_field=run.prompt_field,
        names=names_on(run.output),
    )


def _drawing_tools(run: PageRun, one_thread: bool) -> DrawingTools:
    """Body and renderer for the drawn videos; a missing model ends the command."""
    if run.smplx_model_dir != BUILT_IN:
        find_model("smplx", run.smplx_model_dir)
    return DrawingTools(run.smplx_model_dir, run.renderer, run.side_size + run.side_size % 2, 0 if one_thread else None)


def _heading(run: PageRun) -> dict[str, str]:
    facts = run_facts(run.quality_report)
    finished, judge = facts.get("finished"), facts.get("judge")
    parts = [
        f"gate run of {finished[:10]}" if isinstance(finished, str) else None,
        f"judge {judge}" if isinstance(judge, str) else None,
    ]
    return {"title": run.title or run.meta_json.stem, "said": ", ".join(filter(None, parts))}
