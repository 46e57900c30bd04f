"""The work of import_capture.py: read a system's result, add the rate, write a documented capture file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.common.errors import UsageError
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.hmr_results.corrections import Corrections
from motion_rep.kinematics.rotations import matrix_to_rotvec
from motion_rep.safe_loading.torch_files import read_torch, write_torch

DOCUMENTED = ("standard", "smplest-x", "camerahmr")


def capture_values(capture: Capture) -> dict:
    """The documented dict of a capture, in float32."""
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
    capture_from_dict(values)  # after rounding to float32, our own reader must accept it
    return values


def documented_values(args: argparse.Namespace, capture: Capture) -> dict:
    """The keys to store: all keys of a documented file, which may contain more than a capture, else those of the
    capture.
    """
    corrected = args.focal_length or args.up or args.units != "m" or args.degrees
    value = None if corrected or capture.source not in DOCUMENTED else read_torch(args.input)
    return dict(value) if isinstance(value, Mapping) else capture_values(capture)


def import_capture(args: argparse.Namespace) -> list[str]:
    """Read, add the rate, write; returns sentences for the user.

    Raises:
        InputError: the file cannot be used; the message contains it.
    """
    if args.fps is None:
        raise UsageError(
            "--fps is missing: give the rate of the frames that the system saw, because no system stores it."
        )
    corrections = Corrections(args.up, args.units, args.degrees)
    reading = (args.format, args.person, args.space, args.trust_pickle, args.image_size, args.focal_length)
    capture = read_capture(args.input, *reading, corrections)
    values = documented_values(args, capture)
    values["fps"] = torch.tensor([args.fps], dtype=torch.float64)
    if args.frames is not None:
        values.setdefault("num_frames", torch.tensor([args.frames]))
    remove_stale_temporaries(args.output.parent, recursive=False)
    write_torch(args.output, values)
    seen = f" of {args.frames}" if args.frames else ""
    line = f"{args.output}: {len(capture)}{seen} frames at {args.fps:g} per second ({capture.source})."
    return [line, *capture.notes]
