"""Say of any file or folder which system wrote it, what is in it, and whether it will convert."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, run_command, say, say_error
from motion_rep.common.errors import InputError
from motion_rep.conversion.settings import Settings
from motion_rep.hmr_formats.flags import add_reading_flags, reading_settings


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="capture files, output folders of a system, or folders of these",
    )
    add_reading_flags(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns 0 if everything will convert, else 1."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_rep.conversion.capture_report import report_on
    from motion_rep.conversion.inputs import captures_at

    settings = Settings(**reading_settings(args))
    code = DONE
    for path in map(Path, map(str, captures_at(args.paths, empty_too=True))):
        try:
            report = report_on(path, settings)
        except InputError as error:
            say_error(error)
            code = SOME_FAILED
            continue
        say(str(path))
        _say_lines(report.lines)
        if not report.converts:
            code = SOME_FAILED
    return code


def _say_lines(lines: tuple[tuple[str, str], ...]) -> None:
    """Two columns; what repeats on the left is said once."""
    last = None
    for what, found in lines:
        say(f"  {'' if what == last else what:<11} {found}")
        last = what


if __name__ == "__main__":
    raise SystemExit(main())
