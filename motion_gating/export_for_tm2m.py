"""Write a gated archive for the TM2M loader of a ViMoGen checkout, and list everything that the loader would refuse."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.fields import TEXT_KEYS
from motion_gating.archives.flags import add_scheme_flag
from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.files.locations import read_location


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--meta-json", type=read_location, required=True, metavar="A", help="archive that the gate wrote"
    )
    add_scheme_flag(parser)
    parser.add_argument("--vimogen-root", type=read_path, required=True, metavar="ROOT", help="the ViMoGen checkout")
    parser.add_argument("-o", "--output-json", type=written_path, metavar="B", help="archive to write (.json)")
    parser.add_argument(
        "--text-key", choices=TEXT_KEYS, default=TEXT_KEYS[0], help="entry field with the text that the model reads"
    )
    parser.add_argument("--check", action="store_true", help="only report; write nothing")
    parser.add_argument(
        "--for-upstream-checker",
        action="store_true",
        help="also list the motions that ViMoGen's own motion_checker.py cannot read, and print the command that "
        "fixes them",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_gating.archives.export_run import export_archive

    return export_archive(args)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
