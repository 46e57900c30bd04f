"""Measure the protocols with scripted models of known habits: which wrong clips pass, and which right clips are lost.

Half of the clips match their own description, the other half match the description of another entry.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.files.locations import read_location


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--entries", type=positive_int, default=40, help="number of clips, at most 80")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes different clips of the same texts")
    parser.add_argument(
        "--by-kind", action="store_true", help="print which controls are accepted, by kind, on the sample motions"
    )
    parser.add_argument(
        "--archive",
        type=read_location,
        help="with --by-kind: add the motions of this archive, each of which must match its prompt",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.witness.trial import print_false_accepts, print_table

    if args.by_kind:
        print_false_accepts(args.entries, args.archive)
    else:
        print_table(args.entries, args.seed)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
