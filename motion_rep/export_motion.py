"""Write a motion as files that other tools open.

npz: SMPL-X parameters; bvh: skeleton; glb: body with animation; csv and npy: joint positions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, frame_rate, run_command, say, say_warning
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.rates import TIMING, playback_rate

# Kind of file -> its axes where --frame does not name others.
USUAL_FRAME = {".npz": "zup", ".bvh": "yup", ".glb": "yup", ".csv": "zup", ".npy": "zup"}


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("motion", type=Path, help="motion file (.pt)")
    kinds = "files to write; the ending decides: .npz, .bvh, .glb, .csv or .npy"
    parser.add_argument("-o", "--output", type=Path, nargs="+", required=True, metavar="FILE", help=kinds)
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
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    _require_outputs(args)
    from motion_rep.files.temporaries import remove_stale_temporaries
    from motion_rep.motions.motion_file import read_motion

    clip = read_motion(args.motion)
    fps, guess = playback_rate(TIMING, args.fps, clip.fps)
    if guess:
        say_warning(f"{args.motion}: {guess}")
    for output in args.output:
        remove_stale_temporaries(output.parent, recursive=False)
        motion = export_motion(clip, output, fps, args.frame, args.unit)
        if output.suffix.lower() == ".npz" and len(motion) == len(clip):
            say_warning(
                f"{args.motion}: its velocities lead to no frame after the last row; "
                f"converting {output} back gives one row less"
            )
        say(_sentence(output, motion, args.unit))
    return DONE


def export_motion(clip, output: Path, fps: float, frame: str | None = None, unit: str = "m"):
    """Write one file; its ending decides about the kind.

    Returns:
        The :class:`motion_rep.exporters.posed_motion.PosedMotion` that was written.
    Raises:
        UsageError: a package for this kind is missing.
    """
    from motion_rep.exporters.posed_motion import posed_motion

    kind = output.suffix.lower()
    motion = posed_motion(clip, fps, frame or USUAL_FRAME[kind], closing=kind == ".npz")
    _write(kind, output, motion, unit)
    return motion


def _sentence(output: Path, motion, unit: str) -> str:
    length = "centimetres" if output.suffix.lower() == ".bvh" and unit == "cm" else "metres"
    return f"{output}: {len(motion)} frames at {motion.fps:g} fps, {motion.frame[0]} up, {length}"


def _write(kind: str, output: Path, motion, unit: str) -> None:
    if kind == ".npz":
        from motion_rep.exporters.amass_npz import write_amass_npz

        write_amass_npz(output, motion)
    elif kind == ".bvh":
        from motion_rep.exporters.bvh_file import write_bvh

        write_bvh(output, motion, unit)
    elif kind == ".glb":
        from motion_rep.exporters.glb_file import write_glb

        write_glb(output, motion)
    elif kind == ".npy":
        from motion_rep.exporters.joints_npy import write_joints_npy

        write_joints_npy(output, motion)
    else:
        from motion_rep.exporters.csv_table import write_csv

        write_csv(output, motion)


def _require_outputs(args: argparse.Namespace) -> None:
    for output in args.output:
        if output.suffix.lower() not in USUAL_FRAME:
            raise UsageError(
                f"{output}: ends in {output.suffix or 'nothing'}, expected one of {', '.join(USUAL_FRAME)}. Rename it."
            )
        if output.suffix.lower() == ".glb" and args.frame == "zup":
            raise UsageError(f"{output}: glTF is always y up. Leave --frame away for it.")
        if output.exists() and args.motion.exists() and output.samefile(args.motion):
            raise InputError(f"{output}: is the motion itself. Choose another name.")


if __name__ == "__main__":
    raise SystemExit(main())
