"""Write a video's frames as 000001.jpg, 000002.jpg, ..., evenly timed, and print how many there are."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import frame_rate
from motion_rep.common.messages import say, say_warning
from motion_rep.common.overwriting import folder_path, read_path
from motion_rep.files.atomic_writing import require_folder


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("video", type=read_path)
    parser.add_argument("folder", type=folder_path)
    parser.add_argument(
        "--fps",
        type=frame_rate,
        required=True,
        help="frames per second to write; at the rate of an evenly timed video, every frame is written once",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.lib.video_work import write_frames

    count, note = write_frames(args.video, require_folder(args.folder), args.fps)
    if note is not None:
        say_warning(note)
    say(str(count))
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
