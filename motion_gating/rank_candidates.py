"""Choose the best of several candidates for each text, by their figures and by showing pairs to a judge in both orders.

Candidates are entries with the same ``group``. A candidate drops out if the gate rejects it or if it is damaged.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_archive_flag, add_field_flags
from motion_gating.judges.flags import GEMINI, NONE, OPENAI, SINGLE, add_judge_flags, add_verdicts_flag
from motion_rep.common.command_line import Parser, command_main
from motion_rep.files.locations import read_location, written_location


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    add_archive_flag(parser)
    parser.add_argument(
        "--quality-report",
        type=read_location,
        metavar="R",
        help="the gate's report; without it, the decisions come from the archive",
    )
    parser.add_argument(
        "-o",
        "--output-json",
        type=written_location,
        required=True,
        metavar="B",
        help="archive to write, with one entry for each group; next to it, B_candidates.json gets all entries with "
        "their ranks, and B_candidates.run.json gets the pairs",
    )
    add_field_flags(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="count the calls and estimate their tokens, without calling the judge or writing files",
    )
    add_judge_flags(parser, (GEMINI, OPENAI, NONE), asks_about_pairs=True)
    parser.set_defaults(protocol=SINGLE, votes=1)
    add_verdicts_flag(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_gating.ranking.ranking_run import run_ranking

    return run_ranking(args)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
