"""Write a motion as files that other tools open.

npz: SMPL-X parameters; bvh: skeleton; glb: body with animation; csv and npy: joint positions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, frame_rate, run_command
from motion_rep.common.overwriting import read_path, written_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("motion", type=read_path, help="motion file (.pt)")
    kinds = "files to write; the ending decides: .npz, .bvh, .glb, .csv or .npy"
    parser.add_argument("-o", "--output", type=written_path, nargs="+", required=True, metavar="FILE", help=kinds)
    parser.add_argument(
        "--frame",
        choices=("zup", "yup"),
        help="axes of the file (default: zup for npz, csv and npy, yup for bvh; glb is always yup)",
    )
    parser.add_argument("--fps", type=frame_rate, metavar="N", help="frames per second (default: what the motion says)")
    parser.add_argument(
        "--unit", choices=("m", "cm"), default="m", help="unit of length in bvh files; the others are in metres"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_rep.exporters.writing import export_file

    return export_file(args.motion, args.output, args.fps, args.frame, args.unit)


if __name__ == "__main__":
    raise SystemExit(main())
