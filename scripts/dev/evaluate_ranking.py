"""Measure the ranking of candidates with scripted judges of known habits: how often the best one of a group is
found.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import positive_int


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--groups", type=positive_int, default=4000, help="number of synthetic groups per line")
    parser.add_argument("--candidates", type=positive_int, default=4, help="candidates per group")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes different groups")
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.witness.groups import print_rankings

    print_rankings(args.groups, args.candidates, args.seed)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
