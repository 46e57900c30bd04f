"""Render an archive: first the two files of each entry, then the archive with their paths."""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from motion_gating.archives.archive import (
    Entry,
    InvalidEntry,
    entry_id,
    entry_writer,
    read_entries,
    without_decision,
    without_true,
)
from motion_gating.archives.archive_lock import archive_lock
from motion_gating.archives.content import is_stale
from motion_gating.archives.fields import EVAL_PATH, JUDGE_FPS, JUDGE_VIDEO_PATH, MOTION_PATH, VIDEO_PATH
from motion_gating.archives.paths import files_in, path_in_archive, rebased, warn_of_stray_paths
from motion_gating.rendering.clip_render import (
    Rendered,
    RenderJob,
    RenderSettings,
    Tools,
    engine_for,
    start_rendering,
)
from motion_gating.rendering.decisions import earlier_decisions, with_decision
from motion_gating.rendering.targets import Targets, read_for, targets_in
from motion_rep.bodies.body_models import body_name
from motion_rep.common.errors import InputError, UsageError, counted
from motion_rep.common.flag_values import device_or_error
from motion_rep.common.messages import say, say_warning
from motion_rep.common.overwriting import GivenPath, require_apart
from motion_rep.drawing.mbench_scene import MBENCH
from motion_rep.drawing.renderers import load_renderer
from motion_rep.files.disk_space import require_space, sizes_to_do
from motion_rep.files.local_files import unchanged
from motion_rep.files.locations import Location, place_of, resolve_from
from motion_rep.files.remote_files import prepared_folders, remove_stale_temporaries_at, require_location
from motion_rep.runs.attempt import Failed, attempt
from motion_rep.runs.batch import Batch
from motion_rep.runs.engine import Engine

RENDERED, REUSED = "rendered", "reused"
# Lower bounds for the bytes of the eval file, and of the video at 960x960, per byte of the motion; measured 0.5 and
# 2.2.
EVAL_SHARE, VIDEO_SHARE, USUAL_PIXELS = 0.2, 0.8, 960 * 960


@dataclass(frozen=True)
class ArchiveRun:
    """Inputs and settings of a rendering run.

    Attributes:
        output_dir: folder for ``<id>.mp4`` and ``<id>_eval.pt``, or ``<id>.pt`` with ``mbench_names``.
        fps: rate of the videos; None means the motion's own rate.
        smplx_model_dir: see :func:`motion_rep.bodies.body_models.load_body`.
        limit: render only this many entries; the others do not change.
        sampling_fps: draw the videos for a judge that sees this many frames per second; None for people; see
            :class:`motion_gating.rendering.clip_render.RenderSettings`.
        failures: file for the failed entries.
        given_paths: the flags of the command, none of which is overwritten.
    """

    meta_json: Location
    output_json: Location
    output_dir: Location
    width: int
    height: int
    fps: float | None = None
    smplx_model_dir: str | None = None
    device: str = "auto"
    renderer: str = "auto"
    limit: int | None = None
    mbench_names: bool = False
    show_contacts: bool = False
    framing: str = MBENCH
    sampling_fps: float | None = None
    overwrite: bool = False
    failures: Path | None = None
    given_paths: Sequence[GivenPath] = ()


def render_archive(run: ArchiveRun, engine: Engine) -> int:
    """Render the entries and write the new archive; returns the exit code.

    Raises:
        UsageError: unusable archive, a missing body model, or folders that cannot be written.
    """
    count, targets = _count(run), targets_in(run.output_dir, run.mbench_names, run.sampling_fps is not None)
    _require_apart(run, targets, count)
    _require_space(run, targets, count)
    require_location(run.output_dir)
    require_location(run.output_json.parent)
    with archive_lock(run.output_json):
        batch = _render_entries(run, targets, count, engine)
    code, counts, failed = batch.finish(), batch.counts, len(batch.failures)
    say(f"{counts[RENDERED]} rendered, {counts[REUSED]} reused (unchanged), {failed} failed -> {run.output_json}")
    return code


def _count(run: ArchiveRun) -> int:
    """The number of entries to render. The whole archive is checked before the first one, without holding it in
    memory.
    """
    count = sum(1 for _ in read_entries(run.meta_json))
    warn_of_stray_paths(run.meta_json)
    if not count:
        raise UsageError(f"{run.meta_json}: contains no entries, nothing to render.")
    return min(count, run.limit or count)


def _require_apart(run: ArchiveRun, targets: Targets, count: int) -> None:
    rendered = targets.written(itertools.islice(read_entries(run.meta_json), count))
    require_apart(run.given_paths, rendered, read_for(run.meta_json))
    require_apart(run.given_paths, (), files_in(run.meta_json))


def _require_space(run: ArchiveRun, targets: Targets, count: int) -> None:
    """Check that the disk has space for the new files.

    Raises:
        UsageError: less is free than the files need at least.
    """
    entries = itertools.islice(read_entries(run.meta_json), count)
    sizes = list(sizes_to_do(_sources(entries, run.meta_json, targets)))
    share = EVAL_SHARE + VIDEO_SHARE * min(1.0, run.width * run.height / USUAL_PIXELS)
    require_space(run.output_dir, int(sum(sizes) * share), f"the files of {counted(len(sizes), 'new clip')}")


def _sources(entries: Iterable[Entry], archive: Location, targets: Targets) -> Iterator[tuple[Location, Location]]:
    """Motion and video of each entry; errors are reported later, entry by entry."""
    for entry in entries:
        path = entry.get(MOTION_PATH)
        with contextlib.suppress(InputError):
            if isinstance(path, str) and path:
                yield resolve_from(path, archive), targets.of(entry).video


def _render_entries(run: ArchiveRun, targets: Targets, count: int, engine: Engine) -> Batch:
    device, renderer = device_or_error(run.device), load_renderer(run.renderer)
    say(f"body: {body_name('smplx', run.smplx_model_dir)}")  # a missing model ends the command here
    engine = engine_for(renderer, engine)
    tools = Tools(run.smplx_model_dir, device, renderer.name, 0 if engine.shares_the_machine(count) else None)
    contacts, framing = run.show_contacts, run.framing
    settings = RenderSettings(
        run.width, run.height, run.fps, show_contacts=contacts, framing=framing, sampling_fps=run.sampling_fps
    )
    start = functools.partial(start_rendering, tools, settings, run.overwrite)
    batch = Batch(engine, "rendering", "clip", run.failures, Counter({RENDERED: 0, REUSED: 0}))
    entries, earlier = read_entries(run.meta_json), earlier_decisions(run.output_json)
    prepared = ((entry, _job(entry, run, targets)) for entry in itertools.islice(entries, count))
    results = engine.run(start, prepared, count, operator.itemgetter(1))
    remove_stale_temporaries_at(run.output_json.parent, recursive=False)
    in_place = [run.meta_json] if place_of(run.meta_json) == place_of(run.output_json) else []
    with prepared_folders(run.output_dir), entry_writer(run.output_json) as write, unchanged(*in_place):
        for (entry, job), result in batch.shown(results, count):
            finished = functools.partial(
                _finished_entry, entry, job, earlier=earlier, run=run, batch=batch, field=targets.field
            )
            noted = attempt(finished, result)
            write(finished(noted) if isinstance(noted, Failed) else noted)
        for entry in entries:
            kept = without_decision(entry) if is_stale(entry, run.meta_json) else entry
            write(rebased(kept, run.meta_json, run.output_json))
    return batch


def _job(entry: dict, run: ArchiveRun, targets: Targets) -> RenderJob:
    path = entry.get(MOTION_PATH)
    motion_path = path if isinstance(path, str) and path else None
    problem = entry.problem if isinstance(entry, InvalidEntry) else None
    return RenderJob(motion_path, run.meta_json, targets.of(entry), targets.older(entry), problem)


def _finished_entry(
    entry: dict,
    job: RenderJob,
    result: Rendered | Failed,
    *,
    earlier: dict[str, dict],
    run: ArchiveRun,
    batch: Batch,
    field: str,
) -> dict:
    """The entry with its two paths; a failed entry loses its paths, because they lead to an old video.

    field: the entry field for the video.
    """
    identifier = entry_id(entry)
    if isinstance(result, Failed):
        batch.fail(identifier, result.message, result.detail, place=f"entry {identifier}: ")
        if isinstance(entry, InvalidEntry):
            return rebased(entry, run.meta_json, run.output_json)
        kept = {
            key: value
            for key, value in without_true(entry).items()
            if key not in (VIDEO_PATH, EVAL_PATH, JUDGE_VIDEO_PATH, JUDGE_FPS)
        }
        return rebased(kept, run.meta_json, run.output_json)
    if result.note is not None:
        say_warning(f"entry {identifier}: {result.note}")
    decided = with_decision(entry, earlier.get(str(identifier)), result.motion, result.replaced)
    batch.counts[RENDERED if result.drawn else REUSED] += 1
    others, rate = ((VIDEO_PATH,), run.sampling_fps) if run.sampling_fps else ((JUDGE_VIDEO_PATH, JUDGE_FPS), None)
    if not result.both and EVAL_PATH in decided:  # it shows another motion
        decided = {key: value for key, value in decided.items() if key not in others}
    return {
        **rebased(decided, run.meta_json, run.output_json),
        field: path_in_archive(job.target.video, run.output_json),
        EVAL_PATH: path_in_archive(job.target.eval, run.output_json),
        **({} if rate is None else {JUDGE_FPS: rate}),
    }
