"""Decide for each entry whether its motion may serve as a reference, from its jitter and a judge's verdict on its clip;
write a report and the archive with the decisions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_archive_flag, add_field_flags
from motion_gating.gate.flags import add_limit_flags, add_undecided_flags
from motion_gating.judges.flags import GEMINI, MANUAL, NONE, OPENAI, add_judge_flags, add_verdicts_flag
from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.common.overwriting import WRITTEN, PathFlag
from motion_rep.files.locations import is_remote, location, written_location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

# Starting a worker costs about as much as measuring this many entries.
WORTH_A_WORKER = 5000


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    add_archive_flag(parser)
    parser.add_argument(
        "--quality-report",
        type=written_location,
        required=True,
        metavar="R",
        help="report to write; settings and counts go into R.run.json next to it",
    )
    parser.add_argument(
        "--output-json",
        type=PathFlag(WRITTEN, location, replaces="--meta-json"),
        metavar="B",
        help="archive to write (default: the input, replaced atomically)",
    )
    add_field_flags(parser)
    _add_choice_flags(parser)
    add_limit_flags(parser)
    parser.add_argument("--check-only", action="store_true", help="check the flags, the key and the judge, then exit")
    add_run_flags(parser)
    add_judge_flags(parser, (GEMINI, OPENAI, MANUAL, NONE))
    add_verdicts_flag(parser)
    return parser


def _add_choice_flags(parser: Parser) -> None:
    """Which entries are examined, and what happens to the undecided ones."""
    parser.add_argument(
        "--max-samples", type=positive_int, metavar="N", help="examine only the first N entries; keep the others"
    )
    add_undecided_flags(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="count the calls and estimate their tokens, without calling the judge or writing files",
    )
    parser.add_argument("--device", default="auto", help="accepted for compatibility; the CPU computes the figures")


def _run(args: argparse.Namespace) -> int:
    from motion_gating.gate.gate_run import check_judge, run_gate

    if args.check_only:
        return check_judge(args)
    if not args.dry_run:
        require_failures_folder(args)
    remote = is_remote(args.meta_json)
    return run_gate(args, engine_from(args, WORTH_A_WORKER, remote, remote))


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
