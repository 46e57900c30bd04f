"""Repair motions: level, smooth, plant the feet, trim; and exact changes (mirror, keep in place, loop, cut, turn).

Uncertain parts are left unchanged and reported. Input files are never overwritten.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.refining.flags import add_refining_flags, refining_settings
from motion_rep.runs.flags import add_run_flags, require_writable
from motion_rep.runs.pair_flags import add_pair_flags, pair_run

# Starting a worker costs about as much as this many motions.
WORTH_A_WORKER = 50


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    add_pair_flags(
        parser,
        "motion files, or folders of them; fsspec URLs too (s3://...)",
        "a .pt file for one motion, else a folder; or a URL",
    )
    add_refining_flags(parser)
    parser.add_argument(
        "--trim-file",
        type=read_path,
        metavar="F",
        help="trim marks from the review page (trims.json) for the motions listed in it; --trim applies to the others",
    )
    parser.add_argument(
        "--report", type=written_path, metavar="F", help="JSON file to write, with all repairs and figures"
    )
    parser.add_argument(
        "--extrinsic-format",
        choices=("matrix", "rows"),
        default="matrix",
        help="matrix: (4, 4) as documented; rows: (T-1, 9) as in the published data set",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace all existing files in an output folder")
    add_run_flags(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    run = pair_run(args, WORTH_A_WORKER)
    require_writable("--report", args.report)
    from motion_rep.refining.run import refine_motions

    return refine_motions(run, refining_settings(args), args.report, args.trim_file)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
