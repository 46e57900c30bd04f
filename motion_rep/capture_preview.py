"""Capture the motion of the person in a video on a CPU: a preview, coarser than SMPLest-X."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, positive_number, progress, run_command, say, say_warning
from motion_rep.common.errors import UsageError


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--video", required=True, type=Path, help="a video in which one person is seen from head to foot"
    )
    parser.add_argument(
        "--output", required=True, type=Path, help="the capture file to write (.pt), for convert_hmr_to_motion.py"
    )
    parser.add_argument(
        "--fov", type=_field_of_view, default=55.0, help="the camera's vertical field of view in degrees, if known"
    )
    parser.add_argument("--focal", type=positive_number, help="the camera's focal length in pixels, instead of --fov")
    parser.add_argument(
        "--bbox",
        type=_box,
        help="x,y,w,h in pixels of the person to follow in the first frame, where there are several",
    )
    parser.add_argument("--start", type=_seconds, default=0.0, help="first second of the video to use")
    parser.add_argument("--end", type=positive_number, help="last second of the video to use; to its end if left out")
    parser.add_argument(
        "--weights", type=Path, help="folder of the landmark networks; data/preview_capture of the project if left out"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    return parser


def main(argv=None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    _require_free(args.output, args.overwrite)
    if args.end is not None and args.end <= args.start:
        raise UsageError(f"--end {args.end:g} is not after --start {args.start:g}.")
    os.environ.setdefault(
        "OPENCV_FFMPEG_LOGLEVEL", "-8"
    )  # a broken video is one line of ours, not twenty of the decoder's
    import torch

    from motion_rep.files.temporaries import remove_stale_temporaries
    from motion_rep.preview_capture.tracking import PersonBox
    from motion_rep.preview_capture.video_capture import CaptureOptions, capture_video
    from motion_rep.preview_capture.weights import DEFAULT_FOLDER
    from motion_rep.safe_loading.torch_files import write_torch

    torch.set_num_threads(
        1
    )  # the tensors are small: more threads are slower, and their number would change the last digits
    box = PersonBox(*args.bbox) if args.bbox else None
    options = CaptureOptions(args.fov, args.focal, box, args.start, args.end, args.weights or DEFAULT_FOLDER)
    result = capture_video(
        args.video,
        options,
        lambda items, what, count: progress(items, what, count, "frame" if what == "reading" else "chunk"),
    )
    for warning in result.warnings:
        say_warning(f"{args.video}: {warning}")
    remove_stale_temporaries(args.output.parent, recursive=False)
    write_torch(args.output, result.to_dict())
    capture = result.capture
    say(
        f"{args.output}: {len(capture)} of {len(result.detected)} frames at {capture.fps:g} fps, {capture.width}x{capture.height}, preview quality"
    )
    return DONE


def _require_free(output: Path, overwrite: bool) -> None:
    if output.is_dir():
        raise UsageError(f"{output}: is a folder, expected the name of a file to write.")
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: is there already. Give --overwrite to replace it, or another --output.")


def _field_of_view(text: str) -> float:
    value = positive_number(text)
    if not 5 <= value <= 150:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 5 and 150 degrees")
    return value


def _seconds(text: str) -> float:
    return 0.0 if text in ("0", "0.0") else positive_number(text)


def _box(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 4 or not all(abs(v) < 1e5 for v in values) or min(values[2:]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not x,y,w,h in pixels with w and h above zero")
    return values


if __name__ == "__main__":
    raise SystemExit(main())
