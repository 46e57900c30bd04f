"""Describe a motion in plain sentences and as JSON: path and turns of the body, its postures, and its actions with
side, count and time. Everything is computed from the joints.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import frame_rate
from motion_rep.common.messages import say, say_warning
from motion_rep.common.overwriting import read_path, written_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("motion", type=read_path, help="motion file (.pt)")
    parser.add_argument(
        "-o", "--output", type=written_path, metavar="FILE", help="JSON file for the facts and the sentences"
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="frames per second (default: the rate stored in the motion)"
    )
    parser.add_argument("--text", help="a description; the command compares its sides and numbers with the motion")
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_rep.describing.description import describe_file
    from motion_rep.files.json_files import write_json

    description = describe_file(args.motion, args.fps, args.text)
    for note in description.notes:
        say_warning(f"{args.motion}: {note}")
    for sentence in description.sentences:
        say(sentence)
    for remark in description.contradictions:
        say_warning(remark)
    if args.output is not None:
        write_json(args.output, description.as_dict())
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
