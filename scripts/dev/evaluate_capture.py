"""Measure the errors of the preview capture per clip and on average, on drawn clips with known truth and on real
clips.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.common.overwriting import folder_path, read_path, written_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--set",
        choices=["test", "tune", "tilted", "moves", "all"],
        default="test",
        help="test: clips that were not used for tuning; tilted: tilted cameras, 16 to 60 frames a second; moves: "
        "motion-captured movement (needs pybullet)",
    )
    parser.add_argument("--only", metavar="TEXT", help="only clips whose name contains this text")
    parser.add_argument("--frames", type=positive_int, default=120, help="frames per clip, at 30 frames per second")
    parser.add_argument(
        "--real",
        type=read_path,
        metavar="DIR",
        help="afterwards, score the real clips in this folder: NAME.mp4, with NAME_truth.npz if the truth is known",
    )
    parser.add_argument(
        "--keep", type=folder_path, metavar="DIR", help="keep the drawn videos and the captures in this folder"
    )
    parser.add_argument("--json", type=written_path, help="JSON file to write, with all figures")
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.capture_evaluation.evaluation import evaluate

    evaluate(args.set, args.only, args.frames, args.keep, args.json, args.real)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
