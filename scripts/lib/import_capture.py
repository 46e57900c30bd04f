"""Convert the result of an HMR system to a documented capture file with the video's frame rate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.common.messages import say
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.hmr_formats.flags import add_reading_flags


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("input", type=read_path, help="file or folder that the system wrote")
    parser.add_argument("output", type=written_path, help="capture file to write (.pt)")
    parser.add_argument("--frames", type=positive_int, help="how many frames the system saw")
    add_reading_flags(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.lib.capture_import import import_capture

    for sentence in import_capture(args):
        say(sentence)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
