"""Look at motions in 3D in a browser: body, ground, path, feet on the ground, camera with its video, timeline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, frame_rate, port, run_command, say, say_warning
from motion_rep.common.errors import UsageError
from motion_rep.common.rates import TIMING, playback_rate


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("motions", type=Path, nargs="+", metavar="motion.pt", help="motion files, shown side by side")
    parser.add_argument(
        "--video", type=Path, nargs="+", metavar="V", help="source video of the motion; of each motion, or one for all"
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="frames per second (default: what each motion says)"
    )
    parser.add_argument(
        "--smplx-model-dir", metavar="PATH", help="SMPL-X model file or folder; 'mannequin' takes the built-in body"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines look")
    parser.add_argument("--port", type=port, default=8080, help="port; the next free one is taken where it is in use")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    videos = _videos(args)
    try:
        import viser  # noqa: F401
    except ImportError:
        raise UsageError("the viewer needs the package viser. Install it with: pip install viser") from None
    from motion_rep.bodies.body_models import load_body
    from motion_rep.viewer.session import Viewer

    body = load_body("smplx", args.smplx_model_dir)
    motions = load_motions(args.motions, videos, args.fps)
    viewer = Viewer(motions, body, args.host, args.port)
    try:
        say(
            f"{viewer.address} shows {len(motions)} motion{'s'[: len(motions) > 1]} with the {body.name}. "
            "Open it in a browser; Ctrl-C ends."
        )
        viewer.run()
    except KeyboardInterrupt:
        viewer.stop()
    return DONE


def load_motions(paths: list[Path], videos: list[Path | None], fps: float | None) -> list:
    """Read motions and the videos of their cameras.

    Returns:
        :class:`motion_rep.viewer.stage.Shown`, placed side by side.
    Raises:
        InputError: a file cannot be used; the message names it.
    """
    from motion_rep.motions.motion_file import read_motion
    from motion_rep.viewer.stage import Shown, side_by_side
    from motion_rep.viewer.video_frames import read_video_frames

    clips = [read_motion(path) for path in paths]
    motions = []
    for path, video, clip, offset in zip(paths, videos, clips, side_by_side(clips), strict=True):
        rate, guess = playback_rate(TIMING, fps, clip.fps)
        if guess:
            say_warning(f"{path}: {guess}")
        if video is not None and clip.camera is None:
            say_warning(f"{path}: its camera is unknown, so {video} has no place on the stage")
        frames = (
            None if video is None or clip.camera is None else read_video_frames(video, len(clip), rate, clip.start_time)
        )
        motions.append(Shown(path.stem, clip, rate, offset, frames))
    return motions


def _videos(args: argparse.Namespace) -> list[Path | None]:
    if args.video is None:
        return [None] * len(args.motions)
    if len(args.video) not in (1, len(args.motions)):
        raise UsageError(
            f"--video names {len(args.video)} videos for {len(args.motions)} motions. "
            "Give one for all, or one for each."
        )
    return args.video * (len(args.motions) // len(args.video))


if __name__ == "__main__":
    raise SystemExit(main())
