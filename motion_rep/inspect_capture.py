"""Report which system wrote a file or folder, what it contains, and whether it will convert."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.overwriting import read_path
from motion_rep.conversion.settings import Settings
from motion_rep.hmr_formats.flags import add_reading_flags, reading_settings


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "paths",
        nargs="+",
        type=read_path,
        metavar="FILE",
        help="capture files, output folders of a system, or folders of these",
    )
    add_reading_flags(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_rep.conversion.capture_report import say_reports

    return say_reports(args.paths, Settings(**reading_settings(args)))


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
