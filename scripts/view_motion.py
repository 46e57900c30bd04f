"""Look at motions in 3D in a browser: body, ground, path, feet on the ground, camera with its video, timeline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, frame_rate, port, run_command
from motion_rep.common.overwriting import read_path
from motion_rep.drawing.flags import add_model_flag


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "motions", type=read_path, nargs="+", metavar="motion.pt", help="motion files, shown side by side"
    )
    parser.add_argument(
        "--video",
        type=read_path,
        nargs="+",
        default=[],
        metavar="V",
        help="source video of the motion; of each motion, or one for all",
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="frames per second (default: what each motion says)"
    )
    add_model_flag(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines look")
    parser.add_argument("--port", type=port, default=8080, help="port; the next free one is taken where it is in use")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_rep.viewer.viewing import view_motions

    view_motions(args.motions, args.video, args.fps, args.smplx_model_dir, args.host, args.port)
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
