"""Show motions in 3D in a browser: body, ground, path, foot contacts, camera with its video, timeline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import frame_rate, port
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
        help="source video: one for all motions, or one for each motion",
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="frames per second (default: the rate stored in each motion)"
    )
    add_model_flag(parser)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 also serves other machines, and this one by other names",
    )
    parser.add_argument("--port", type=port, default=8080, help="port to listen on; if it is in use, the next free one")
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_rep.viewer.viewing import view_motions

    view_motions(args.motions, args.video, args.fps, args.smplx_model_dir, args.host, args.port)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
