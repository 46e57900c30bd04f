"""Make a page to review a batch: videos, curves, figures and verdicts of every entry. It opens from disk, without a
server.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_archive_flag, add_field_flags
from motion_gating.gate.flags import add_jitter_flag
from motion_gating.metrics.table import DEFAULT_JITTER
from motion_rep.common.command_line import Parser, picture_side, run_command
from motion_rep.common.overwriting import READ, PathFlag, folder_path, read_path
from motion_rep.files.locations import read_location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

# Starting a worker costs about as much as this many entries, without and with side views.
WORTH_A_WORKER = 30
SIDE_VIEWS_WORTH_A_WORKER = 5


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    add_archive_flag(parser)
    parser.add_argument(
        "--quality-report",
        type=read_location,
        metavar="R",
        help="report of apply_quality_gate.py; without it the page shows the clips only",
    )
    parser.add_argument(
        "--output", type=folder_path, required=True, metavar="DIR", help="folder for index.html and its files"
    )
    parser.add_argument("--title", help="heading of the page (default: the archive's name)")
    parser.add_argument(
        "--checks",
        type=read_path,
        metavar="DIR",
        help="folder with <motion>_overlay.mp4 or <motion>_depth.mp4; an entry's overlay_path or depth_path precedes",
    )
    parser.add_argument(
        "--raw-motions",
        type=read_path,
        metavar="DIR",
        help="folder with the motions before they were refined, under the same names: shown beside the refined ones",
    )
    parser.add_argument("--no-side-view", action="store_true", help="do not draw the view from the person's left")
    parser.add_argument(
        "--side-size", type=picture_side, default=480, metavar="PIXELS", help="width and height of the side view"
    )
    parser.add_argument(
        "--copy-media", action="store_true", help="copy the videos into DIR, so that the folder can be sent elsewhere"
    )
    add_jitter_flag(parser, f"default: what the gate used, else {DEFAULT_JITTER}", default=None)
    parser.add_argument(
        "--smplx-model-dir",
        type=PathFlag(READ, str),
        metavar="PATH",
        help="SMPL-X model file or folder for the side view; 'mannequin' takes the built-in body",
    )
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="what draws the side view")
    add_run_flags(parser)
    add_field_flags(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_gating.review_page.page_run import PageRun, make_review

    require_failures_folder(args)
    run = PageRun(
        meta_json=args.meta_json,
        output=args.output,
        quality_report=args.quality_report,
        title=args.title,
        jitter_threshold=args.jitter_threshold,
        side_view=not args.no_side_view,
        side_size=args.side_size,
        model_path=args.smplx_model_dir,
        renderer=args.renderer,
        checks=args.checks,
        raw_motions=args.raw_motions,
        copy_media=args.copy_media,
        video_field=args.video_field,
        eval_field=args.eval_field,
        prompt_field=args.prompt_field,
        failures=args.failures,
    )
    return make_review(run, engine_from(args, WORTH_A_WORKER if args.no_side_view else SIDE_VIEWS_WORTH_A_WORKER))


if __name__ == "__main__":
    raise SystemExit(main())
