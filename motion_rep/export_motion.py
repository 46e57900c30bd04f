"""Write motions in formats that other tools open.

npz: SMPL-X parameters; bvh: skeleton; glb: body with animation; csv and npy: joint positions;
rrd: body, joints, curves, camera and video for the rerun viewer.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main, from_flags
from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import frame_rate
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.runs.flags import add_run_flags, require_no_failures_file
from motion_rep.runs.pair_flags import pair_run

KINDS = ("npz", "bvh", "glb", "csv", "npy", "rrd")
# Starting a worker costs about as much as this many exports.
WORTH_A_WORKER = 20


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "input", type=read_path, nargs="+", metavar="MOTION", help="motion files (.pt), or folders of them"
    )
    kinds = "for one motion, files to write, with the extensions .npz, .bvh, .glb, .csv, .npy or .rrd; else a folder"
    parser.add_argument("-o", "--output", type=written_path, nargs="+", required=True, metavar="PATH", help=kinds)
    parser.add_argument(
        "--format", choices=KINDS, nargs="+", metavar="KIND", help=f"kinds of files in the folder: {', '.join(KINDS)}"
    )
    parser.add_argument(
        "--frame",
        choices=("zup", "yup"),
        help="up axis of the file (default: zup for npz, csv and npy, yup for bvh; glb is always yup, rrd always zup)",
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="frames per second (default: the rate stored in the motion)"
    )
    parser.add_argument(
        "--unit", choices=("m", "cm"), default="m", help="unit of length in bvh files; the others are in metres"
    )
    parser.add_argument("--video", type=read_path, metavar="V", help="source video of the motion, for rrd files")
    add_run_flags(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from motion_rep.exporters.items import export_folder
    from motion_rep.exporters.writing import Settings, export_file

    settings = from_flags(Settings, args)
    if args.format is None and len(args.input) == 1 and not args.input[0].is_dir():
        if args.video is not None and all(path.suffix.lower() != ".rrd" for path in args.output):
            raise UsageError("--video is for rrd files. Give -o FILE.rrd, or omit it.")
        require_no_failures_file(args, "Leave it out, or give -o FOLDER --format KIND.")
        return export_file(args.input[0], args.output, settings)
    if args.video is not None:
        raise UsageError("--video goes with one motion. Give one motion and -o FILE.rrd.")
    if args.format is None or len(args.output) > 1:
        raise UsageError("several motions go into one folder. Give -o FOLDER --format KIND, for example --format glb.")
    run = pair_run(args, WORTH_A_WORKER, args.output[0])
    return export_folder(run, [f".{kind}" for kind in args.format], settings)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
