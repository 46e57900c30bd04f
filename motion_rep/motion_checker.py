"""Draw a motion as its camera saw it: a depth video, or an overlay on the source video, to check a capture by eye."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.flag_values import frame_rate, picture_side, positive_int
from motion_rep.common.overwriting import READ, PathFlag, folder_path, read_path
from motion_rep.common.rates import ASSUMED_FPS, DRAWING
from motion_rep.common.sizes import DEFAULT_SIZE


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    _add_files(parser)
    _add_picture_flags(parser)
    _add_path_flags(parser)
    _add_drawing_flags(parser)
    return parser


def _add_files(parser: Parser) -> None:
    parser.add_argument(
        "--motion-file", type=read_path, nargs="+", required=True, metavar="M", help="one or more motion files (.pt)"
    )
    parser.add_argument(
        "--output-dir",
        type=folder_path,
        required=True,
        metavar="D",
        help="folder for <name>_depth.mp4 or <name>_overlay.mp4",
    )
    parser.add_argument(
        "--video-file",
        type=read_path,
        nargs="+",
        default=[],
        metavar="V",
        help="source video, for an overlay: one for all motions, or one for each motion",
    )
    parser.add_argument(
        "--extrinsic",
        action="store_true",
        help="also print whether the extrinsic is a matrix or rows; ViMoGen's own checker reads only rows",
    )


def _add_picture_flags(parser: Parser) -> None:
    """Size and rate of the video to write."""
    for short, long, default in (("--H", "height", DEFAULT_SIZE[1]), ("--W", "width", DEFAULT_SIZE[0])):
        parser.add_argument(
            short,
            f"--{long}",
            dest=long,
            type=picture_side,
            help=f"{long} of the depth video (default: the camera's, or {default})",
        )
    parser.add_argument(
        "--fps",
        type=frame_rate,
        help="frame rate of the depth video "
        f"(default: the motion's, or {ASSUMED_FPS[DRAWING]:g}); ignored with --video-file",
    )


def _add_path_flags(parser: Parser) -> None:
    """The path of the body."""
    parser.add_argument(
        "-rfv",
        "--recover-from-velocity",
        action="store_true",
        help="compute the root's path from the velocity columns; the video is <name>_depth_recover_velocity.mp4",
    )
    parser.add_argument("-zt", "--zero-trans", action="store_true", help="keep the pelvis at its first position")


def _add_drawing_flags(parser: Parser) -> None:
    """Body model and renderer."""
    parser.add_argument("--smpl-type", choices=("smplx", "smplh"), default="smplx", help="type of body model")
    parser.add_argument(
        "--smpl-model-path",
        type=PathFlag(READ, str),
        metavar="PATH",
        help="file or folder of the body model; 'mannequin' selects the built-in body",
    )
    parser.add_argument("--batch-size", type=positive_int, default=16, help="number of frames posed at once")
    parser.add_argument("--device", default="auto", help="torch device for an SMPL-X model")
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="the renderer")
    parser.add_argument("-v", "--verbose", action="store_true", help="print which renderer is used")


def _run(args: argparse.Namespace) -> int:
    from motion_rep.drawing.motion_check import CheckOptions, check_jobs, check_motions, load_checker

    jobs = check_jobs(args.motion_file, args.video_file, args.output_dir, args.recover_from_velocity)
    checker = load_checker(args.smpl_type, args.smpl_model_path, args.device, args.renderer)
    options = CheckOptions(
        args.fps, args.width, args.height, args.recover_from_velocity, args.zero_trans, args.batch_size
    )
    return check_motions(checker, jobs, options, args.verbose, args.extrinsic)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
