"""Make an archive from folders of motions, captures or videos, a CSV with prompts, or a text file of prompts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_candidate_flags
from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.errors import counted
from motion_rep.common.messages import say, say_error, say_warning
from motion_rep.common.overwriting import read_path, written_path


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "sources",
        type=read_path,
        nargs="+",
        metavar="FOLDER|CSV|TXT",
        help="a folder gives one entry per file; a CSV (columns name or file, prompt, others) gives one per row; a "
        "text file gives one per line, with the line as prompt",
    )
    parser.add_argument(
        "-o",
        "--output-json",
        type=written_path,
        required=True,
        help="archive to write; if it exists, new entries are added and existing ids do not change",
    )
    add_candidate_flags(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_gating.archives.making import make_archive

    made = make_archive(args.sources, args.output_json, args.candidates, args.seed)
    for fault in made.warnings:
        say_warning(fault)
    for fault in made.left_out:
        say_error(fault)
    say(f"{args.output_json}: {counted(made.total, 'entry', 'entries')}, {made.new} of them new")
    return SOME_FAILED if made.left_out else DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
