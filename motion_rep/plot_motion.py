"""Plot a motion: speeds, accelerations, jitter of every joint, foot height and contact, pelvis path from above."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, frame_rate, run_command
from motion_rep.common.overwriting import read_path, written_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "motion",
        type=read_path,
        nargs="+",
        metavar="MOTION",
        help="motion file (.pt), or two to compare: before and after",
    )
    parser.add_argument(
        "-o", "--output", type=written_path, required=True, metavar="FILE", help="picture to write: .png, .pdf or .svg"
    )
    parser.add_argument("--fps", type=frame_rate, metavar="N", help="frames per second (default: what the motion says)")
    parser.add_argument("--title", help="heading (default: the motion's file name)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_rep.motions.plotting import plot_files

    return plot_files(args.motion, args.output, args.fps, args.title)


if __name__ == "__main__":
    raise SystemExit(main())
