"""Measure how well jitter and tremble distinguish clean motions from trembling copies, at several frame rates.

The clips are the samples and every capture in the given folders; the noise is one turn of random size about each axis
of each joint in each frame.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.overwriting import read_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--real", type=read_path, action="append", default=[], metavar="DIR", help="folder of captures")
    parser.add_argument("--rates", type=float, nargs="+", default=[16.0, 24.0, 30.0], help="frames per second")
    parser.add_argument("--degrees", type=float, default=1.0, help="size of the noise on each axis of each joint")
    parser.add_argument("--copies", type=int, default=3, help="number of trembling copies of each clip")
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.motion_evaluation.smoothness import compare

    compare(args.real, args.rates, args.degrees, args.copies)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
