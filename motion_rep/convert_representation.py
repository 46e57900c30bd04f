"""Convert motions between representations: 276, 272, 201, AMASS and SMPL-X archives; export 263 and Kimodo."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.captures.units import UP_AXES
from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import frame_rate
from motion_rep.common.overwriting import read_path
from motion_rep.representations.kinds import SOURCES, TARGETS
from motion_rep.runs.flags import add_run_flags
from motion_rep.runs.pair_flags import add_pair_flags, pair_run

# Starting a worker costs about as much as this many conversions.
WORTH_A_WORKER = 100


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    add_pair_flags(
        parser, "files (.pt, .npy, .npz), or folders of them; fsspec URLs too", "a file for one input, else a folder"
    )
    _add_representation_flags(parser)
    add_run_flags(parser)
    return parser


def _add_representation_flags(parser: Parser) -> None:
    """What goes in and what comes out."""
    parser.add_argument(
        "--from",
        dest="source",
        choices=("auto", *SOURCES),
        default="auto",
        help="the representation of the inputs; auto looks at the width, the keys and the numbers",
    )
    parser.add_argument(
        "--to",
        dest="target",
        choices=tuple(TARGETS),
        required=True,
        help="276 writes .pt; 272, 201 and 263 .npy; amass, smplx-npz and kimodo .npz",
    )
    parser.add_argument("--fps", type=frame_rate, help="true frame rate of the inputs, if they do not store it")
    parser.add_argument(
        "--target-fps",
        type=frame_rate,
        help="frame rate of the result (default: 30 for 272, 201 and kimodo, 20 for 263, else that of the input)",
    )
    parser.add_argument(
        "--up", choices=UP_AXES, help="up axis of an SMPL-X archive that does not store it (default: y)"
    )
    parser.add_argument(
        "--skeleton",
        type=read_path,
        metavar="NPY",
        help="for 263: HumanML3D's file joints/000021.npy, which defines the bone lengths",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace all existing files in an output folder")


def _run(args: argparse.Namespace) -> int:
    _require_skeleton(args)
    run = pair_run(args, WORTH_A_WORKER)
    from motion_rep.representations.conversion import Settings
    from motion_rep.representations.run import convert_representations

    skeleton = None if args.skeleton is None else os.path.realpath(args.skeleton)
    settings = Settings(args.source, args.target, args.fps, args.target_fps, args.up, skeleton)
    return convert_representations(run, settings)


def _require_skeleton(args: argparse.Namespace) -> None:
    if args.target == "263" and args.skeleton is None:
        raise UsageError(
            "--to 263 needs --skeleton: HumanML3D gives all motions the bone lengths of its clip joints/000021.npy, "
            "which its licence does not let us ship. Take it from the data set."
        )
    if args.target != "263" and args.skeleton is not None:
        raise UsageError("--skeleton is for --to 263. Leave it out.")


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
