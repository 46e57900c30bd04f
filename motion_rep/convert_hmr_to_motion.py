"""Convert HMR captures (SMPL-X parameters in a camera frame) to 276-dim reference motions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main, from_flags
from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import device_or_error, frame_rate
from motion_rep.common.messages import say
from motion_rep.common.overwriting import READ, PathFlag
from motion_rep.conversion.settings import Settings
from motion_rep.hmr_formats.flags import add_reading_flags
from motion_rep.runs.flags import add_run_flags
from motion_rep.runs.pair_flags import add_pair_flags, pair_run, require_inputs

# This many conversions cost as much as starting a worker (torch is loaded once, here or for all workers).
WORTH_A_WORKER = 100


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    add_pair_flags(
        parser,
        "captures, or folders of them; fsspec URLs too (s3://...)",
        "a .pt file for one capture, else a folder; or a URL",
        required=False,
    )
    add_reading_flags(parser)
    parser.add_argument(
        "--list-people",
        action="store_true",
        help="list the people in the captures with their names (for --person); convert nothing",
    )
    _add_motion_flags(parser)
    add_run_flags(parser)
    parser.add_argument("--device", default="auto", help="torch device; conversion is fastest on the CPU")
    parser.add_argument(
        "--smplx-model-path",
        type=PathFlag(READ, str),
        metavar="DIR",
        help="accepted for compatibility; not needed, the joints are built in",
    )
    return parser


def _add_motion_flags(parser: Parser) -> None:
    """The result of the conversion."""
    parser.add_argument("--target-fps", type=frame_rate, help="resample to this rate (the TM2M loader assumes 16)")
    parser.add_argument(
        "--up-from",
        choices=("capture", "level"),
        default="capture",
        help="capture: level the person by the capture's up direction if it is reliable; level: assume a level camera",
    )
    parser.add_argument(
        "--extrinsic-format",
        choices=("matrix", "rows"),
        default="matrix",
        help="matrix: (4, 4) as documented; rows: (T-1, 9) as in the published data set and for ViMoGen's own "
        "motion_checker.py",
    )
    parser.add_argument(
        "--refine",
        action="store_true",
        help="level, smooth and plant the feet, like refine_motion.py with its defaults",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace all existing files in an output folder")


def _run(args: argparse.Namespace) -> int:
    if args.list_people:
        return _list_people(args)
    if args.output is None:
        raise UsageError("-o/--output is missing: a .pt file for one capture, else a folder.")
    if args.device not in ("auto", "cpu"):
        # Conversion runs on the CPU, but a missing device must be reported.
        device_or_error(args.device)
    run = pair_run(args, WORTH_A_WORKER)
    if args.smplx_model_path:
        say("--smplx-model-path is not needed: the joints of the neutral body are built in.")
    from motion_rep.conversion.run import convert_captures

    return convert_captures(run, from_flags(Settings, args))


def _list_people(args: argparse.Namespace) -> int:
    from motion_rep.conversion.people import say_people

    require_inputs(args)
    return say_people(args.input, args.format, args.trust_pickle)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
