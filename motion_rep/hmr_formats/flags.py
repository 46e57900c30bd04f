"""The flags of every command that reads captures. Imports only the standard library."""

from __future__ import annotations

import argparse

from motion_rep.captures.units import LENGTHS, UP_AXES
from motion_rep.common.flag_values import frame_rate, picture_side, positive_number
from motion_rep.hmr_results.names import FORMATS, LONGEST, SPACES

CORRECTIONS = ("up", "units", "degrees")


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """``--format``, ``--person``, ``--space``, ``--image-size``, ``--focal-length``, ``--trust-pickle``, ``--up``,
    ``--units``, ``--degrees`` and ``--fps``.
    """
    parser.add_argument(
        "--format", choices=FORMATS, default="auto", help="the system that wrote the captures; auto looks at each file"
    )
    parser.add_argument(
        "--person", default=LONGEST, metavar="NAME", help="the person to take from a file with several people"
    )
    parser.add_argument(
        "--space",
        choices=SPACES,
        default="camera",
        help="world: the gravity-aligned world, for systems that store one; it cannot be overlaid on a video",
    )
    parser.add_argument(
        "--image-size",
        type=image_size,
        metavar="WxH",
        help="size of the video in pixels, if the system does not store it",
    )
    parser.add_argument(
        "--focal-length",
        type=positive_number,
        metavar="PX",
        help="replace the system's focal length (for 4D-Humans, which assumes a very long lens)",
    )
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load with the ordinary loaders, which run any code in a file; only for your own files",
    )
    parser.add_argument(
        "--up",
        choices=UP_AXES,
        help="the file's true up axis, if it differs from that of its layout (documented keys, CameraHMR, AMASS)",
    )
    parser.add_argument("--units", choices=tuple(LENGTHS), default="m", help="the file's true unit of transl")
    parser.add_argument("--degrees", action="store_true", help="the rotation vectors of the file are in degrees")
    parser.add_argument(
        "--fps", type=frame_rate, help="the true frame rate of the source, if the file does not store it"
    )


def reading_settings(args: argparse.Namespace) -> dict:
    """The values of these flags by the names of :class:`motion_rep.conversion.settings.Settings`."""
    return {
        name: getattr(args, name)
        for name in ("format", "person", "space", "image_size", "focal_length", "trust_pickle", "fps", *CORRECTIONS)
    }


def image_size(text: str) -> tuple[int, int]:
    """argparse type: ``1280x720`` as (1280, 720)."""
    width, _, height = text.lower().partition("x")
    try:
        return picture_side(width), picture_side(height)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a size like 1280x720: {error}") from None
