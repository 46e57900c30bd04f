"""Score the facts of describe_motion.py on synthetic motions whose counts, sides, turns and heights are known.

Each motion from the generators of the samples and of the capture evaluation is made several times (seeds, numbers of
cycles, headings, frame rates), plain and mirrored. Counts of steps and waves that a clip's ends cut off may be off by
one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--noise", type=float, default=0.0, help="degrees of noise on each axis of each joint")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds for each sample motion")
    parser.add_argument("--show", action="store_true", help="list the wrong facts")
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.motion_evaluation.facts import score_facts

    score_facts(args.seeds, args.noise, args.show)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
