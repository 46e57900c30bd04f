"""Turn what an HMR system wrote into a documented capture file with the video's frame rate in it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.command_line import Parser, positive_int, positive_number, run_command, say
from motion_rep.hmr_formats.names import FORMATS, LONGEST, SPACES
from motion_rep.safe_files import read_torch, write_torch


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("input", type=Path, help="file or folder that the system wrote")
    parser.add_argument("output", type=Path, help="capture file to write (.pt)")
    parser.add_argument("--format", choices=FORMATS, default="auto")
    parser.add_argument("--fps", type=positive_number, required=True, help="rate of the frames that the system saw; no system stores it")
    parser.add_argument("--frames", type=positive_int, help="how many frames it saw")
    parser.add_argument("--size", type=positive_int, nargs=2, metavar=("W", "H"), help="size of the video, pixels")
    parser.add_argument("--person", default=LONGEST, help="a name from the list of who is in the file")
    parser.add_argument("--space", choices=SPACES, default="camera")
    return parser


def capture_values(capture) -> dict:
    """The documented dict of a :class:`motion_rep.capture.Capture`, in float32."""
    import torch

    from motion_rep.rotations import matrix_to_rotvec

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


def documented_values(path: Path, capture) -> dict:
    """What to store: the file's own keys where it is a documented one already (they hold more than a capture), else the capture's."""
    if capture.source not in ("standard", "smplest-x"):
        return capture_values(capture)
    value = read_torch(path)
    return dict(value) if isinstance(value, Mapping) else capture_values(capture)


def import_capture(args) -> list[str]:
    """Read, add the rate, write; sentences for the user.

    Raises:
        InputError: the file cannot be used; it names the file.
    """
    import torch

    from motion_rep.hmr_formats.reading import read_capture

    capture = read_capture(args.input, args.format, args.person, args.space, image_size=tuple(args.size) if args.size else None)
    values = documented_values(args.input, capture)
    values["fps"] = torch.tensor([args.fps], dtype=torch.float64)
    if args.frames is not None:
        values.setdefault("num_frames", torch.tensor([args.frames]))
    write_torch(args.output, values)
    seen = f" of {args.frames}" if args.frames else ""
    return [f"{args.output}: {len(capture)}{seen} frames at {args.fps:g} per second ({capture.source}).", *capture.notes]


def _run(args) -> int:
    for sentence in import_capture(args):
        say(sentence)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
