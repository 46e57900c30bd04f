"""Plot a motion: speeds, accelerations, jitter of every joint, foot height and contact, pelvis path from above."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, frame_rate, run_command, say, say_warning
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.rates import TIMING, playback_rate

KINDS = (".png", ".pdf", ".svg")


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("motion", type=Path, help="motion file (.pt)")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="picture to write: .png, .pdf or .svg"
    )
    parser.add_argument("--fps", type=frame_rate, metavar="N", help="frames per second (default: what the motion says)")
    parser.add_argument("--title", help="heading (default: the motion's file name)")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    if args.output.suffix.lower() not in KINDS:
        raise UsageError(
            f"{args.output}: ends in {args.output.suffix or 'nothing'}, expected {', '.join(KINDS)}. Rename it."
        )
    from motion_rep.files.temporaries import remove_stale_temporaries
    from motion_rep.motions.motion_file import read_motion

    clip = read_motion(args.motion)
    fps, guess = playback_rate(TIMING, args.fps, clip.fps)
    if guess:
        say_warning(f"{args.motion}: {guess}")
    remove_stale_temporaries(args.output.parent, recursive=False)
    plot_motion(clip, fps, args.output, args.title or args.motion.name, args.motion)
    say(f"{args.output}: {len(clip)} frames at {fps:g} fps")
    return DONE


def plot_motion(clip, fps: float, output: Path, title: str, source: Path | None = None) -> None:
    """Write the picture of a :class:`motion_rep.motions.motion_file.MotionClip`.

    Args:
        source: the motion's file, for messages about the motion.
    Raises:
        UsageError: matplotlib is not installed.
        InputError: too short for an acceleration, or the picture cannot be written.
    """
    try:
        from motion_rep.motions.figure import motion_figure
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise UsageError("plots need the package matplotlib. Install it with: pip install matplotlib") from None
    from motion_rep.files.atomic_writing import atomic_path

    try:
        figure = motion_figure(clip, fps, title)
    except InputError as error:
        raise InputError(str(error) if source is None else f"{source}: {error}") from None
    nameless = (
        {"Software": None}
        if output.suffix.lower() == ".png"
        else {"Date": None}
        if output.suffix.lower() == ".svg"
        else {"CreationDate": None}
    )
    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=110, metadata=nameless)


if __name__ == "__main__":
    raise SystemExit(main())
