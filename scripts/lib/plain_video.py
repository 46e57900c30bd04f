"""Write a copy of a video that every program reads alike: evenly timed, upright, with square pixels."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import Parser, frame_rate, run_command, say


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("copy", help="the mp4 to write")
    parser.add_argument("--fps", type=frame_rate, required=True, help="frames per second of the copy")
    return parser


def _run(args) -> int:
    from motion_rep.video.reading import open_video
    from motion_rep.video.timing import frames_at_rate
    from motion_rep.video.writing import open_writer

    with open_video(args.video) as reader, open_writer(args.copy, reader.width, reader.height, args.fps) as writer:
        for rgb in frames_at_rate(reader, args.fps):
            writer.write(rgb)
    say(f"{args.video}: is read through a copy: {args.fps:g} evenly timed frames per second, upright, square pixels.")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
