"""Measure the repairs of motions against their targets, and print one line for each target.

Complete without published data; --real adds a real capture's motion and motion-captured clips.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.messages import say
from motion_rep.common.overwriting import read_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--real", type=read_path, metavar="DIR", help="folder with wan22_motion.pt and mocap/*.pt (captures)"
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.refining_evaluation.targets import measure

    missed = 0
    for target in measure(args.real):
        missed += not target.met
        say(f"{'met   ' if target.met else 'MISSED'} {target.name}: {target.found:.4g} (target {target.wanted})")
    say(f"{missed} targets missed")
    return SOME_FAILED if missed else DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
