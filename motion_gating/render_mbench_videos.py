"""Render the motions of an archive in MBench style: per entry a lit video and a small eval file."""

from __future__ import annotations

import argparse
import functools
import itertools
import operator
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.fields import EVAL_PATH, VIDEO_PATH
from motion_rep.common.command_line import (
    Parser,
    device_or_error,
    frame_rate,
    picture_side,
    positive_int,
    run_command,
    say,
    say_warning,
)
from motion_rep.common.errors import UsageError
from motion_rep.files.locations import is_remote, location
from motion_rep.files.remote_files import remove_stale_temporaries_at, require_location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

if TYPE_CHECKING:
    from motion_rep.runs.batch import Batch

RENDERED, REUSED = "rendered", "reused"
OWN_FIELDS = (VIDEO_PATH, EVAL_PATH)
# Starting a worker costs about as much as this many clips.
WORTH_A_WORKER = 3


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--meta-json",
        type=location,
        required=True,
        help="archive (.json list or .jsonl) with id and motion_path; a path or fsspec URL, as all that follow",
    )
    parser.add_argument(
        "--output-json", type=location, required=True, help="the archive with video_path and mbench_eval_path added"
    )
    parser.add_argument("--output-dir", type=location, required=True, help="folder for <id>.mp4 and <id>_eval.pt")
    parser.add_argument(
        "--smplx-model-dir", metavar="PATH", help="SMPL-X model file or folder; 'mannequin' takes the built-in body"
    )
    parser.add_argument("--fps", type=frame_rate, help="frame rate of the videos (the motion's own, else 20)")
    parser.add_argument("--width", type=picture_side, default=960, help="pixels")
    parser.add_argument("--height", type=picture_side, default=960, help="pixels")
    parser.add_argument("--device", default="auto", help="where an SMPL-X model is posed")
    parser.add_argument("--limit", type=positive_int, help="render only the first entries; the others stay as they are")
    parser.add_argument(
        "--mbench-names",
        action="store_true",
        help="name eval files <id>.pt, as the benchmark's own evaluation reads them",
    )
    add_run_flags(parser)
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="who draws")
    parser.add_argument("--overwrite", action="store_true", help="draw again what is there already")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_gating.archives.archive import read_entries
    from motion_gating.archives.archive_lock import archive_lock
    from motion_gating.archives.paths import count_from_current_folder

    # Read twice: the whole archive is checked before anything is drawn, and never held in memory as a whole.
    count = sum(1 for _ in read_entries(args.meta_json))
    if stray := count_from_current_folder(read_entries(args.meta_json), args.meta_json):
        say_warning(f"{stray} entries name files that are found from the current folder only, not from the archive's")
    if not count:
        raise UsageError(f"{args.meta_json}: holds no entries, nothing to render.")
    require_location(args.output_dir)
    require_location(args.output_json.parent)
    require_failures_folder(args)
    with archive_lock(args.output_json):
        return _render_archive(min(count, args.limit or count), args)


def _render_archive(count: int, args: argparse.Namespace) -> int:
    """Render the first entries and write the new archive; returns the exit code."""
    from motion_gating.archives.archive import entry_writer, read_entries
    from motion_rep.runs.batch import Batch, prepared_folders

    start, engine = _start(args, count)
    batch = Batch(engine, "rendering", "clip", args.failures, Counter({RENDERED: 0, REUSED: 0}))
    remove_stale_temporaries_at(args.output_json.parent, recursive=False)
    with prepared_folders(args.output_dir), entry_writer(args.output_json) as write:
        for entry in _rendered(read_entries(args.meta_json), count, start, batch, args):
            write(entry)
    code = batch.finish()
    counts = batch.counts
    failed = len(batch.failures)
    say(f"{counts[RENDERED]} rendered, {counts[REUSED]} reused (unchanged), {failed} failed -> {args.output_json}")
    return code


def _rendered(
    entries: Iterator[dict], count: int, start: Callable, batch: Batch, args: argparse.Namespace
) -> Iterator[dict]:
    """Every entry in order, the first ``count`` with their two paths; a failed one loses its paths, which name an old
    video.
    """
    from motion_gating.archives.archive import entry_id
    from motion_gating.archives.paths import path_in_archive, rebased
    from motion_gating.rendering.decisions import earlier_decisions, with_decision, without_true
    from motion_rep.runs.work_pool import Failed

    earlier = earlier_decisions(args.output_json)
    first = ((entry, _job(entry, args)) for entry in itertools.islice(entries, count))
    for (entry, job), result in batch.results(start, first, count, sent=operator.itemgetter(1)):
        identifier = entry_id(entry)
        if isinstance(result, Failed):
            batch.fail(identifier, result.message, result.detail, place=f"entry {identifier}: ")
            entry = {key: value for key, value in without_true(entry).items() if key not in OWN_FIELDS}
            yield rebased(entry, args.meta_json, args.output_json)
        else:
            batch.counts[RENDERED if result.drawn else REUSED] += 1
            entry = with_decision(entry, earlier.get(str(identifier)), result.motion, result.replaced)
            yield {
                **rebased(entry, args.meta_json, args.output_json),
                VIDEO_PATH: path_in_archive(job.target.video, args.output_json),
                EVAL_PATH: path_in_archive(job.target.eval, args.output_json),
            }
    for entry in entries:
        yield rebased(entry, args.meta_json, args.output_json)


def _start(args: argparse.Namespace, count: int):
    """The work of a worker, and the engine; says which body is drawn, so that a missing model ends the command here."""
    from motion_gating.rendering.clip_render import RenderSettings, Tools, start_rendering
    from motion_rep.bodies.body_models import body_name
    from motion_rep.drawing.renderers import load_renderer

    device = device_or_error(args.device)
    renderer = load_renderer(args.renderer)
    say(f"body: {body_name('smplx', args.smplx_model_dir)}")
    # One process keeps a GPU busy.
    worth_a_worker = WORTH_A_WORKER if renderer.name == "opencv" else sys.maxsize
    engine = engine_from(args, worth_a_worker, all_remote=is_remote(args.meta_json) and is_remote(args.output_dir))
    tools = Tools(args.smplx_model_dir, device, renderer.name, 0 if engine.shares_the_machine(count) else None)
    settings = RenderSettings(args.width, args.height, args.fps)
    return functools.partial(start_rendering, tools, settings, args.overwrite), engine


def _job(entry: dict, args: argparse.Namespace):
    from motion_gating.archives.archive import entry_id
    from motion_gating.rendering.clip_render import RenderJob, RenderTarget
    from motion_rep.files.local_files import safe_name

    name, motion_path = safe_name(entry_id(entry)), entry.get("motion_path")
    eval_name = f"{name}{'' if args.mbench_names else '_eval'}.pt"
    target = RenderTarget(args.output_dir / f"{name}.mp4", args.output_dir / eval_name)
    return RenderJob(motion_path if isinstance(motion_path, str) and motion_path else None, args.meta_json, target)


if __name__ == "__main__":
    raise SystemExit(main())
