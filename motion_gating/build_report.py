"""Make a page to review a batch, with the videos, curves, figures and verdicts of every entry. The page opens from
disk, without a server.
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
from motion_gating.verdicts.flags import add_reviewer_flags, require_reviewers
from motion_rep.common.command_line import Parser, command_main, from_flags
from motion_rep.common.flag_values import picture_side
from motion_rep.common.overwriting import folder_path, read_path
from motion_rep.drawing.flags import add_model_flag, add_renderer_flag
from motion_rep.files.locations import read_location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

# Starting a worker costs about as much as this many entries, without and with drawn views.
WORTH_A_WORKER = 30
VIEWS_WORTH_A_WORKER = 2


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
        help="folder with <motion>_overlay.mp4 or <motion>_depth.mp4; an entry's own overlay_path or depth_path takes "
        "precedence",
    )
    parser.add_argument(
        "--raw-motions",
        type=read_path,
        metavar="DIR",
        help="folder with the motions before refining, under the same file names; the page shows them next to the "
        "refined ones",
    )
    parser.add_argument(
        "--verdicts",
        type=read_path,
        action="append",
        default=[],
        metavar="FILE",
        help="verdicts of reviewers, shown on the page and merged with those given there; with several files (repeat "
        "the flag), the command also prints how well the reviewers agree",
    )
    add_reviewer_flags(parser)
    _add_view_flags(parser)
    add_jitter_flag(
        parser, f"threshold to show (default: the one that the gate used, else {DEFAULT_JITTER})", default=None
    )
    add_model_flag(parser, " for the views")
    add_renderer_flag(parser, " for the views")
    add_run_flags(parser)
    add_field_flags(parser)
    return parser


def _add_view_flags(parser: Parser) -> None:
    parser.add_argument(
        "--no-side-view",
        action="store_true",
        help="draw no front and side views, and no body on the source video",
    )
    parser.add_argument(
        "--side-size", type=picture_side, default=480, metavar="PIXELS", help="width and height of the views"
    )
    parser.add_argument(
        "--copy-media", action="store_true", help="copy the videos into DIR, to make the folder self-contained"
    )


def _run(args: argparse.Namespace) -> int:
    from motion_gating.review_page.page_run import PageRun, make_review

    require_failures_folder(args)
    require_reviewers(args.reviewers, args.overlap)
    engine = engine_from(args, WORTH_A_WORKER if args.no_side_view else VIEWS_WORTH_A_WORKER)
    return make_review(from_flags(PageRun, args), engine)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
