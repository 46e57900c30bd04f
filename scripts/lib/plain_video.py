"""Write a copy of a video that every program reads in the same way: evenly timed, upright, with square pixels."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import frame_rate
from motion_rep.common.messages import say
from motion_rep.common.overwriting import read_path, written_path


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("video", type=read_path)
    parser.add_argument("copy", type=written_path, help="the mp4 to write")
    parser.add_argument("--fps", type=frame_rate, required=True, help="frames per second of the copy")
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.lib.video_work import write_plain_copy

    write_plain_copy(args.video, args.copy, args.fps)
    say(f"{args.video}: is read through a copy: {args.fps:g} evenly timed frames per second, upright, square pixels.")
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
