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
    say_warning,
)
from motion_rep.common.rates import DRAWING_FPS

DEFAULT_WIDTH, DEFAULT_HEIGHT = 1920, 1080


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--motion-file", type=Path, required=True, help="a motion .pt")
    parser.add_argument(
        "--output-dir", type=Path, required=True, help="folder for <name>_depth.mp4 or <name>_overlay.mp4"
    )
    parser.add_argument("--video-file", type=Path, help="the source video; with it an overlay is made")
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
        help=f"height of the depth video (the camera's, else {DEFAULT_HEIGHT})",
    )
    parser.add_argument(
        "--W",
        "--width",
        dest="width",
        type=picture_side,
        help=f"width of the depth video (the camera's, else {DEFAULT_WIDTH})",
    )
    parser.add_argument(
        "--fps", type=frame_rate, help=f"frame rate of the motion (its own, else the video's, else {DRAWING_FPS:g})"
    )
    parser.add_argument(
        "-rfv", "--recover-from-velocity", action="store_true", help="take the root's path from the velocity columns"
    )
    parser.add_argument("-zt", "--zero-trans", action="store_true", help="keep the pelvis where it starts")
    parser.add_argument("--device", default="auto", help="where an SMPL-X model is posed")
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="who draws")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is used")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_rep.bodies.body_models import load_body
    from motion_rep.drawing.depth_check import CheckOptions, check_depth, check_overlay
    from motion_rep.drawing.renderers import load_renderer
    from motion_rep.files.atomic_writing import require_folder
    from motion_rep.files.temporaries import remove_stale_temporaries
    from motion_rep.motions.motion_file import read_motion
    from motion_rep.runs.work_pool import use_one_thread

    clip = read_motion(args.motion_file)
    remove_stale_temporaries(require_folder(args.output_dir), recursive=False)
    body = load_body(args.smpl_type, args.smpl_model_path, device_or_error(args.device))
    renderer = load_renderer(args.renderer)
    # The frames are shared out between threads; within one, more would only be in the way.
    use_one_thread()
    say(f"body: {body.name}")
    if args.verbose:
        say(
            f"motion: {len(clip)} rows, {clip.fps or 'unknown'} fps, camera {'known' if clip.camera else 'unknown'}; renderer: {renderer.name}"
        )
    options = CheckOptions(
        args.fps, args.width, args.height, args.recover_from_velocity, args.zero_trans, args.batch_size
    )

    def shown(frames, total):
        return progress(frames, "drawing", total=total, unit="frame")

    target = args.output_dir / f"{args.motion_file.stem}_{'overlay' if args.video_file else 'depth'}.mp4"
    notes = (
        check_overlay(clip, args.video_file, target, body, renderer, options, shown)
        if args.video_file
        else check_depth(clip, target, body, renderer, options, shown)
    )
    for note in notes:
        say_warning(f"{args.motion_file}: {note}")
    say(f"{args.motion_file} -> {target}")
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
