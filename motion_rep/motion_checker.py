"""Draw a motion as its camera saw it: a depth video, or an overlay on the source video, to check a capture by eye."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import (
    DONE,
    Parser,
    device_or_error,
    frame_rate,
    picture_side,
    positive_int,
    progress,
    run_command,
    say,
    say_error,
    say_warning,
)
from motion_rep.common.errors import InputError
from motion_rep.common.rates import ASSUMED_FPS, DRAWING
from motion_rep.common.sizes import DEFAULT_SIZE


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--motion-file", type=Path, nargs="+", required=True, metavar="M", help="motion .pt files; one or several"
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, metavar="D", help="folder for <name>_depth.mp4 or <name>_overlay.mp4"
    )
    parser.add_argument(
        "--video-file",
        type=Path,
        nargs="+",
        default=[],
        metavar="V",
        help="source video; makes an overlay. One for all motions, or one for each",
    )
    parser.add_argument("--smpl-type", choices=("smplx", "smplh"), default="smplx", help="which body model to look for")
    parser.add_argument(
        "--smpl-model-path", metavar="PATH", help="its file or folder; 'mannequin' takes the built-in body"
    )
    parser.add_argument("--batch-size", type=positive_int, default=16, help="frames posed at once")
    parser.add_argument(
        "--H",
        "--height",
        dest="height",
        type=picture_side,
        help=f"height of the depth video (the camera's, else {DEFAULT_SIZE[1]})",
    )
    parser.add_argument(
        "--W",
        "--width",
        dest="width",
        type=picture_side,
        help=f"width of the depth video (the camera's, else {DEFAULT_SIZE[0]})",
    )
    parser.add_argument(
        "--fps",
        type=frame_rate,
        help=f"frame rate of the depth video (the motion's, else {ASSUMED_FPS[DRAWING]:g}); ignored with --video-file",
    )
    parser.add_argument(
        "-rfv",
        "--recover-from-velocity",
        action="store_true",
        help="take the root's path from the velocity columns; writes <name>_depth_recover_velocity.mp4",
    )
    parser.add_argument("-zt", "--zero-trans", action="store_true", help="keep the pelvis where it starts")
    parser.add_argument("--device", default="auto", help="where an SMPL-X model is posed")
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="what draws")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the renderer")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_rep.drawing.motion_check import CheckOptions, check_jobs, load_checker

    jobs = check_jobs(args.motion_file, args.video_file, args.output_dir, args.recover_from_velocity)
    checker = load_checker(args.smpl_type, args.smpl_model_path, device_or_error(args.device), args.renderer)
    options = CheckOptions(
        args.fps, args.width, args.height, args.recover_from_velocity, args.zero_trans, args.batch_size
    )
    say(f"body: {checker.body.name}" + (f"; renderer: {checker.renderer.name}" if args.verbose else ""))
    code = DONE
    for job in jobs:
        try:
            notes = checker.check(job, options, lambda frames, total: progress(frames, "drawing", total, "frame"))
        except InputError as error:
            say_error(error)
            code = max(code, error.exit_code)
            continue
        for note in notes:
            say_warning(f"{job.motion}: {note}")
        say(f"{job.motion} -> {job.target}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
