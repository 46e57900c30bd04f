"""Render the motions of an archive in the style of the benchmark MBench: one lit video and one small eval file per
entry.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_scheme_flag
from motion_rep.common.command_line import Parser, command_main, from_flags
from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import frame_rate, picture_side, positive_int
from motion_rep.common.overwriting import WRITTEN, PathFlag
from motion_rep.drawing.flags import SMALL, WIDE, add_model_flag, add_renderer_flag
from motion_rep.files.locations import folder_location, is_remote, location, read_location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

# Starting a worker costs about as much as this many clips.
WORTH_A_WORKER = 3


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--meta-json",
        type=read_location,
        required=True,
        help="archive (.json list or .jsonl) with id and motion_path; all paths may also be fsspec URLs",
    )
    add_scheme_flag(parser)
    parser.add_argument(
        "--output-json",
        type=PathFlag(WRITTEN, location, replaces="--meta-json"),
        required=True,
        help="archive to write, with video_path and mbench_eval_path added; may be the input archive, which is then "
        "replaced",
    )
    parser.add_argument(
        "--output-dir", type=folder_location, required=True, help="folder for <id>.mp4 and <id>_eval.pt"
    )
    add_model_flag(parser)
    parser.add_argument("--device", default="auto", help="torch device for an SMPL-X model")
    parser.add_argument("--limit", type=positive_int, help="render only the first entries; the others stay as they are")
    parser.add_argument(
        "--mbench-names",
        action="store_true",
        help="name eval files <id>.pt, as MBench's own evaluation expects",
    )
    _add_picture_flags(parser)
    _add_judge_flags(parser)
    add_run_flags(parser)
    add_renderer_flag(parser)
    parser.add_argument("--overwrite", action="store_true", help="redraw finished clips too")
    return parser


def _add_picture_flags(parser: Parser) -> None:
    parser.add_argument("--fps", type=frame_rate, help="frame rate of the videos (default: the motion's own, else 20)")
    parser.add_argument("--width", type=picture_side, help=f"pixels (default: {WIDE}; with --for-judge {SMALL})")
    parser.add_argument("--height", type=picture_side, help=f"pixels (default: {WIDE}; with --for-judge {SMALL})")
    parser.add_argument(
        "--show-contacts",
        action="store_true",
        help="mark toes and heels that touch the ground, in red if they slide (above 0.2 m/s); for people, not for "
        "the judge",
    )
    parser.add_argument(
        "--framing",
        choices=("mbench", "close"),
        help="mbench (default): the published camera; close: a nearer camera over a tiled ground, which follows a "
        "person who walks away; the person fills at least half of the picture",
    )


def _add_judge_flags(parser: Parser) -> None:
    parser.add_argument(
        "--for-judge",
        action="store_true",
        help=f"draw <id>.judge.mp4, a close view of {SMALL} pixels with only the frames that a model sees; its path "
        "goes into judge_video_path, which the gate shows to its judge. video_path does not change",
    )
    parser.add_argument(
        "--sampling-fps",
        type=frame_rate,
        default=5.0,
        help="with --for-judge: frames per second that the model sees; use the same value for the gate",
    )


def _run(args: argparse.Namespace) -> int:
    from motion_gating.rendering.archive_run import ArchiveRun, render_archive

    if args.for_judge and args.show_contacts:
        raise UsageError("--show-contacts is for people, --for-judge for models. Draw the videos in two runs.")
    side = SMALL if args.for_judge else WIDE
    args.width, args.height = args.width or side, args.height or side
    args.framing = args.framing or ("close" if args.for_judge else "mbench")
    args.sampling_fps = args.sampling_fps if args.for_judge else None
    require_failures_folder(args)
    all_remote = is_remote(args.meta_json) and is_remote(args.output_dir)
    return render_archive(from_flags(ArchiveRun, args), engine_from(args, WORTH_A_WORKER, all_remote=all_remote))


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
