"""Plot motions: speeds, accelerations, jitter of every joint, foot height and contact, pelvis path from above."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main, from_flags
from motion_rep.common.flag_values import frame_rate
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.runs.flags import add_run_flags, require_no_failures_file
from motion_rep.runs.pair_flags import pair_run

# Starting a worker costs about as much as this many pictures.
WORTH_A_WORKER = 4


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "input",
        type=read_path,
        nargs="+",
        metavar="MOTION",
        help="one motion file (.pt), or two to compare (before and after); for a folder of pictures, any number of "
        "motions and folders",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=written_path,
        required=True,
        metavar="PATH",
        help="picture to write: .png, .pdf or .svg; or a folder for one picture of each motion",
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="frames per second (default: the rate stored in the motion)"
    )
    parser.add_argument("--title", help="heading (default: the motion's file name)")
    add_run_flags(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_rep.motions.plotting import Settings, plot_files, plot_folder

    settings = from_flags(Settings, args)
    if args.output.suffix and not args.output.is_dir():
        require_no_failures_file(args, "Leave it out, or give -o FOLDER.")
        return plot_files(args.input, args.output, settings)
    return plot_folder(pair_run(args, WORTH_A_WORKER), settings)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
