"""Write the videos, texts, figures and verdicts of an archive for Label Studio or FiftyOne.

The JSON that Label Studio exports afterwards is a verdict file: give it to ``--verdicts``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_archive_flag, add_field_flags
from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.files.locations import read_location


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    add_archive_flag(parser)
    parser.add_argument(
        "--format", choices=("label-studio", "fiftyone"), required=True, help="program that will read the file"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=written_path,
        required=True,
        metavar="FILE.json",
        help="file to write; for Label Studio, the project's labelling configuration goes into FILE.xml next to it",
    )
    parser.add_argument("--quality-report", type=read_location, metavar="R", help="the gate's report")
    parser.add_argument(
        "--verdicts",
        type=read_path,
        action="append",
        metavar="FILE",
        help="verdicts of reviewers; repeat the flag for several files",
    )
    parser.add_argument(
        "--media-root",
        type=read_path,
        metavar="DIR",
        help="folder that Label Studio serves (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT; default: the archive's folder)",
    )
    add_field_flags(parser, "video", "prompt")
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_gating.label_tools.export_run import export_labels

    return export_labels(args)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
