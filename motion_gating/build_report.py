"""Make one page to review a batch: videos, curves, figures and verdicts of every entry. It opens from disk, without a
server.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import (
    Parser,
    picture_side,
    positive_number,
    run_command,
    say,
    say_warning,
)
from motion_rep.common.errors import UsageError
from motion_rep.files.locations import location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

SHOWN_WARNINGS = 10
# Starting a worker costs about as much as this many entries, without and with side views.
WORTH_A_WORKER = 30
SIDE_VIEWS_WORTH_A_WORKER = 5


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--meta-json",
        type=location,
        required=True,
        metavar="A",
        help="archive of rendered entries (JSON list, or JSON lines); a path or fsspec URL, as R",
    )
    parser.add_argument(
        "--quality-report",
        type=location,
        metavar="R",
        help="report of apply_quality_gate.py; without it the page shows the clips only",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder for index.html and what it needs"
    )
    parser.add_argument("--title", help="heading of the page (default: the archive's name)")
    parser.add_argument(
        "--checks",
        type=Path,
        metavar="DIR",
        help="folder with <motion>_overlay.mp4 or <motion>_depth.mp4; an entry's overlay_path or depth_path goes first",
    )
    parser.add_argument("--no-side-view", action="store_true", help="do not draw the view from 90 degrees")
    parser.add_argument(
        "--side-size", type=picture_side, default=480, metavar="PIXELS", help="width and height of the side view"
    )
    parser.add_argument(
        "--copy-media", action="store_true", help="copy the videos into DIR, so that the folder can be sent elsewhere"
    )
    parser.add_argument("--jitter-threshold", type=positive_number, help="default: what the gate used, else 0.04")
    parser.add_argument(
        "--smplx-model-dir",
        metavar="PATH",
        help="SMPL-X model file or folder for the side view; 'mannequin' takes the built-in body",
    )
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="who draws the side view")
    add_run_flags(parser)
    parser.add_argument("--video-field", default="video_path", help="entry field with the lit video")
    parser.add_argument("--eval-field", default="mbench_eval_path", help="entry field with the eval file")
    parser.add_argument("--prompt-field", default="prompt", help="entry field with the description")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_gating.archives.archive import entry_id, read_entries
    from motion_gating.archives.scratch_file import scratch_file
    from motion_gating.review_page.records import keep_records, read_reviewed
    from motion_rep.files.atomic_writing import require_folder
    from motion_rep.files.temporaries import remove_stale_temporaries
    from motion_rep.runs.batch import Batch

    if args.checks is not None and not args.checks.is_dir():
        raise UsageError(
            f"--checks {args.checks}: is not a folder. Give the folder that motion_checker.py wrote to, or leave the "
            "flag out."
        )
    sum(1 for _ in read_entries(args.meta_json))  # a broken archive ends the run before anything is made
    require_failures_folder(args)
    remove_stale_temporaries(require_folder(args.output))
    with scratch_file(args.output / "index.html") as file:
        records = keep_records(args.quality_report, file)
        count, known = _count(records.has(entry_id(entry)) for entry in read_entries(args.meta_json))
        if args.quality_report is not None and count and not known:
            say_warning(
                f"{args.quality_report}: has no record for any of the {count} entries of {args.meta_json}. Give the "
                "report of this archive."
            )
        engine = _engine(args)
        options = _options(args, engine.shares_the_machine(count))
        batch = Batch(engine, "review page", "entry", args.failures)
        build_review(read_reviewed(args.meta_json, records), count, options, _heading(args), batch)
    remove_stale_temporaries(args.output)
    _say_result(args, count, batch.failures)
    batch.counts["shown"] = count - len(batch.failures)
    return batch.finish()


def _count(flags: Iterable[bool]) -> tuple[int, int]:
    """How many there are, and how many of them are true."""
    tally = Counter(flags)
    return tally.total(), tally[True]


def build_review(items: Iterable, count: int, options, heading: dict, batch) -> None:
    """Write the page and everything beside it.

    Args:
        items: :class:`motion_gating.review_page.records.ReviewEntry` of the batch; taken a bounded number ahead.
        count: how many there are.
        options: :class:`motion_gating.review_page.entry_page.PageOptions`.
        heading: title, and what is said about the run.
        batch: the :class:`motion_rep.runs.batch.Batch`, whose failures become the entries that lack something.
    """
    from motion_gating.archives.scratch_file import scratch_file
    from motion_gating.metrics.table import METRICS
    from motion_gating.review_page.entry_page import failed_page, start_pages
    from motion_gating.review_page.page import write_page
    from motion_rep.runs.report import ItemFailure
    from motion_rep.runs.work_pool import Failed

    page_path = options.output / "index.html"
    with scratch_file(page_path) as rows:
        for item, result in batch.results(functools.partial(start_pages, options), items, count):
            page = failed_page(options, item, result.message) if isinstance(result, Failed) else result
            rows.write(page.row.encode() + b"\n")
            if page.missing:
                trace = result.detail if isinstance(result, Failed) else ""
                batch.failures.append(ItemFailure(item.identifier, "; ".join(page.missing), trace))
        rows.seek(0)
        data = {
            "threshold": options.threshold,
            "figures": [{"name": figure.name, "unit": figure.unit} for figure in METRICS],
            **heading,
        }
        write_page(page_path, heading["title"], data, (row.decode().rstrip("\n") for row in rows))


def _say_result(args: argparse.Namespace, count: int, failures: list) -> None:
    for failure in failures[:SHOWN_WARNINGS]:
        say_warning(f"entry {failure.item!r}: {failure.error}")
    if len(failures) > SHOWN_WARNINGS:
        say_warning(f"{len(failures) - SHOWN_WARNINGS} more entries lack something; the page says what")
    say(f"{args.output / 'index.html'}: {count} entries. Open it in a browser.")


def _engine(args: argparse.Namespace):
    from motion_rep.drawing.renderers import load_renderer

    if args.no_side_view:
        return engine_from(args, WORTH_A_WORKER)
    # One process keeps a GPU busy.
    return engine_from(
        args, SIDE_VIEWS_WORTH_A_WORKER if load_renderer(args.renderer).name == "opencv" else sys.maxsize
    )


def _options(args: argparse.Namespace, one_thread: bool):
    from motion_gating.review_page.entry_page import PageOptions
    from motion_gating.review_page.records import jitter_threshold, run_facts

    return PageOptions(
        meta_json=args.meta_json,
        output=args.output,
        threshold=args.jitter_threshold or jitter_threshold(run_facts(args.quality_report)),
        side=None if args.no_side_view else _side_tools(args, one_thread),
        checks=args.checks,
        copy_media=args.copy_media,
        video_field=args.video_field,
        eval_field=args.eval_field,
        prompt_field=args.prompt_field,
    )


def _side_tools(args: argparse.Namespace, one_thread: bool):
    """What side views are drawn with; a model that is missing ends the command here."""
    from motion_gating.review_page.side_video import SideTools
    from motion_rep.bodies.body_models import find_model

    if args.smplx_model_dir != "mannequin":
        find_model("smplx", args.smplx_model_dir)
    return SideTools(
        args.smplx_model_dir,
        args.renderer,
        args.side_size + args.side_size % 2,
        0 if one_thread else None,
    )


def _heading(args: argparse.Namespace) -> dict:
    from motion_gating.review_page.records import run_facts

    facts = run_facts(args.quality_report)
    finished = facts.get("finished")
    said = [
        f"gate run of {finished[:10]}" if isinstance(finished, str) else None,
        f"judge {facts['judge']}" if isinstance(facts.get("judge"), str) else None,
    ]
    return {"title": args.title or args.meta_json.stem, "said": ", ".join(part for part in said if part)}


if __name__ == "__main__":
    raise SystemExit(main())
