"""Repair motions: level, smooth, plant the feet, trim; and exact changes (mirror, keep in place, loop, cut, turn).

What cannot be decided is left alone and said. Raw files are never overwritten.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, run_command
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.overwriting import written_path
from motion_rep.files.locations import is_remote, read_location, written_location
from motion_rep.files.remote_files import resolve_existing
from motion_rep.refining.flags import add_refining_flags, refining_settings
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

# Starting a worker costs about as much as this many motions.
WORTH_A_WORKER = 50


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "-i",
        "--input",
        nargs="+",
        type=read_location,
        required=True,
        metavar="PATH",
        help="motion files, or folders of them; fsspec URLs too (s3://...)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=written_location,
        required=True,
        metavar="PATH",
        help="a .pt file for one motion, else a folder; or a URL",
    )
    add_refining_flags(parser)
    parser.add_argument(
        "--report", type=written_path, metavar="F", help="write what was done, and all figures, as JSON"
    )
    parser.add_argument(
        "--extrinsic-format",
        choices=("matrix", "rows"),
        default="matrix",
        help="(4, 4) as documented, or (T-1, 9) as in the published data set",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="in an output folder, replace all files that are there already"
    )
    add_run_flags(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    try:
        args.input = [resolve_existing(path) for path in args.input]
    except InputError as error:
        raise UsageError(str(error)) from None
    require_failures_folder(args)
    remote = [is_remote(path) for path in (*args.input, args.output)]
    engine = engine_from(args, WORTH_A_WORKER, any(remote), all(remote))
    from motion_rep.refining.run import refine_motions

    settings = refining_settings(args)
    return refine_motions(
        args.input, args.output, settings, args.overwrite, engine, args.failures, _report_path(args.report)
    )


def _report_path(path: Path | None) -> Path | None:
    """The report's path, which can be written.

    Raises:
        UsageError: it cannot.
    """
    from motion_rep.files.atomic_writing import require_folder

    if path is not None:
        if path.is_dir():
            raise UsageError(f"--report {path}: is a folder, expected the name of a file to write.")
        require_folder(path.parent)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
