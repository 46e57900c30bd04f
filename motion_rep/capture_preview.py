"""Capture the motion of a person in a video on the CPU. The result is a preview, coarser than that of SMPLest-X."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import positive_number, whole_number
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.common.sizes import DEFAULT_FIELD_OF_VIEW


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--video", required=True, type=read_path, help="a video that shows a person from head to foot")
    parser.add_argument(
        "--output",
        type=written_path,
        help="the capture file to write (.pt), for convert_hmr_to_motion.py",
    )
    parser.add_argument(
        "--fov",
        type=_field_of_view,
        help=f"the camera's vertical field of view in degrees, if known (default: {DEFAULT_FIELD_OF_VIEW:g})",
    )
    parser.add_argument("--focal", type=positive_number, help="the camera's focal length in pixels, instead of --fov")
    parser.add_argument(
        "--bbox",
        type=_box,
        metavar="X,Y,W,H[@SECONDS]",
        help="box in pixels around the person to follow, in the first frame or at SECONDS; tracking starts there",
    )
    parser.add_argument(
        "--person",
        type=whole_number,
        help="number of the person to follow, from --list-people; tracking starts where that person appears",
    )
    parser.add_argument(
        "--list-people",
        action="store_true",
        help="list the people in the video with number (for --person), box, times and size; capture nothing",
    )
    parser.add_argument("--json", action="store_true", help="print the list of people as JSON")
    parser.add_argument("--start", type=_seconds, default=0.0, help="first second of the video to use")
    parser.add_argument("--end", type=positive_number, help="last second of the video to use (default: the end)")
    parser.add_argument(
        "--weights",
        type=read_path,
        help="folder of the landmark networks (default: data/preview_capture in the checkout)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    return parser


def _run(args: argparse.Namespace) -> int:
    if args.end is not None and args.end <= args.start:
        raise UsageError(f"--end {args.end:g} is not after --start {args.start:g}.")
    if args.bbox and args.person is not None:
        raise UsageError("--bbox and --person both select the person to follow. Give only one of them.")
    if args.fov and args.focal:
        raise UsageError("--fov and --focal both describe the lens. Give only one of them.")
    if args.list_people:
        _require_only_a_list(args)
        from motion_rep.preview_capture.command import say_people

        return say_people(args)
    if args.json:
        raise UsageError("--json prints the list of people. Add --list-people.")
    if args.output is None:
        raise UsageError("--output is missing: a .pt file for the capture.")
    _require_free(args.output, args.overwrite)
    from motion_rep.preview_capture.command import capture_to_file

    return capture_to_file(args)


def _require_only_a_list(args: argparse.Namespace) -> None:
    for name in ("output", "bbox", "person", "fov", "focal"):
        if getattr(args, name) is not None:
            raise UsageError(f"--list-people captures nothing, so --{name} has no effect. Leave one of them out.")


def _require_free(output: Path, overwrite: bool) -> None:
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise UsageError(f"{output}: cannot be written, because {folder} is no writable folder. Give another --output.")
    if output.is_dir():
        raise UsageError(f"{output}: is a folder, expected the name of a file to write.")
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: exists. Give --overwrite to replace it, or another --output.")


def _field_of_view(text: str) -> float:
    value = positive_number(text)
    if not 5 <= value <= 150:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 5 and 150 degrees")
    return value


def _seconds(text: str) -> float:
    return 0.0 if text in ("0", "0.0") else positive_number(text)


def _box(text: str) -> tuple[float, ...]:
    try:
        corners, at, seconds = text.partition("@")
        values = tuple(float(part) for part in corners.split(","))
        time = float(seconds) if at else 0.0
    except ValueError:
        values, time = (), 0.0
    if len(values) != 4 or not all(abs(v) < 1e5 for v in values) or min(values[2:]) <= 0 or not 0 <= time < 1e6:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not x,y,w,h in pixels with w and h above zero, with or without @seconds"
        )
    return (*values, time)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
