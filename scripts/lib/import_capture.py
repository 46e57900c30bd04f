"""Turn what an HMR system wrote into a documented capture file with the video's frame rate in it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import Parser, positive_int, run_command, say
from motion_rep.common.errors import UsageError
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.hmr_formats.flags import add_reading_flags


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("input", type=Path, help="file or folder that the system wrote")
    parser.add_argument("output", type=Path, help="capture file to write (.pt)")
    parser.add_argument("--frames", type=positive_int, help="how many frames the system saw")
    add_reading_flags(parser)
    return parser


def capture_values(capture) -> dict:
    """The documented dict of a :class:`motion_rep.captures.capture.Capture`, in float32."""
    import torch

    from motion_rep.kinematics.rotations import matrix_to_rotvec

    rows = len(capture)
    values = {
        "global_orient": matrix_to_rotvec(capture.root_rotations).float(),
        "body_pose": matrix_to_rotvec(capture.body_rotations).reshape(rows, -1).float(),
        "transl": capture.transl.float(),
        "source": capture.source,
    }
    if capture.focal_length is not None:
        sizes = {"width": capture.width, "height": capture.height}
        values["focal_length"] = capture.focal_length[:, None].float()
        values |= {key: torch.full((rows, 1), float(size)) for key, size in sizes.items()}
    if capture.frame_index is not None:
        values["frame_index"] = capture.frame_index
    return values


def documented_values(args, capture) -> dict:
    """What to store: all keys of a documented file (they hold more than a capture), else the capture\'s."""
    from motion_rep.safe_loading.torch_files import read_torch

    if (
        capture.source not in ("standard", "smplest-x", "camerahmr")
        or args.focal_length
        or args.up
        or args.units != "m"
        or args.degrees
    ):
        return capture_values(capture)
    value = read_torch(args.input)
    return dict(value) if isinstance(value, Mapping) else capture_values(capture)


def import_capture(args) -> list[str]:
    """Read, add the rate, write; sentences for the user.

    Raises:
        InputError: the file cannot be used; it names the file.
    """
    import torch

    from motion_rep.hmr_formats.reading import read_capture
    from motion_rep.hmr_results.corrections import Corrections
    from motion_rep.safe_loading.torch_files import write_torch

    if args.fps is None:
        raise UsageError("--fps is missing: the rate of the frames that the system saw; no system stores it.")
    capture = read_capture(
        args.input,
        args.format,
        args.person,
        args.space,
        args.trust_pickle,
        args.image_size,
        args.focal_length,
        Corrections(args.up, args.units, args.degrees),
    )
    values = documented_values(args, capture)
    values["fps"] = torch.tensor([args.fps], dtype=torch.float64)
    if args.frames is not None:
        values.setdefault("num_frames", torch.tensor([args.frames]))
    remove_stale_temporaries(args.output.parent, recursive=False)
    write_torch(args.output, values)
    seen = f" of {args.frames}" if args.frames else ""
    return [
        f"{args.output}: {len(capture)}{seen} frames at {args.fps:g} per second ({capture.source}).",
        *capture.notes,
    ]


def _run(args) -> int:
    for sentence in import_capture(args):
        say(sentence)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
