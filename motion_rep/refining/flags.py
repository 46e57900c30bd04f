"""The flags of refining. Imports only the standard library, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
import math

from motion_rep.common.command_line import from_flags
from motion_rep.common.flag_values import frame_rate
from motion_rep.refining.settings import AUTO, OFF, Settings

LARGEST_TILT, LARGEST_STRENGTH, LONGEST_SECONDS = 90.0, 100.0, 1e6


def add_refining_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--level``, ``--smooth``, ``--feet``, ``--trim``, ``--mirror``, ``--in-place``, ``--loop``, ``--cut-at``,
    ``--heading`` and ``--fps``.
    """
    parser.add_argument(
        "--level",
        type=level,
        default=AUTO,
        metavar="auto|off|PITCH,ROLL",
        help="turn the person upright: auto estimates the tilt from the body's balance; PITCH,ROLL is the camera's "
        "known tilt in degrees (down, clockwise)",
    )
    parser.add_argument(
        "--smooth",
        type=smoothness,
        default=AUTO,
        metavar="auto|off|STRENGTH",
        help="remove noise: auto estimates its strength; STRENGTH scales this estimate",
    )
    parser.add_argument("--feet", choices=(AUTO, OFF), default=AUTO, help="keep standing feet from sliding")
    parser.add_argument(
        "--trim",
        type=span,
        default=OFF,
        metavar="auto|off|START:END",
        help="keep only a part: auto keeps everything from the first to the last movement; START:END keeps these "
        "seconds",
    )
    _add_change_flags(parser)


def _add_change_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the exact edits, which are off by default, and ``--fps``."""
    parser.add_argument("--mirror", action="store_true", help="exchange left and right")
    parser.add_argument("--in-place", action="store_true", help="keep the pelvis above its position in the first frame")
    parser.add_argument(
        "--loop", action="store_true", help="blend the end into the start, so that the motion repeats seamlessly"
    )
    parser.add_argument(
        "--cut-at",
        type=row_number,
        nargs="+",
        default=[],
        metavar="ROW",
        help="start a new file (NAME_part2.pt, ...) at these rows, counted from 0",
    )
    parser.add_argument(
        "--heading",
        type=angle,
        metavar="DEGREES",
        help="direction in which the person faces in the first frame: this angle to the left of +y",
    )
    parser.add_argument(
        "--fps", type=frame_rate, metavar="N", help="rows per second (default: the rate stored in the motion)"
    )


def refining_settings(args: argparse.Namespace) -> Settings:
    """The settings that the flags choose."""
    return from_flags(Settings, args, cut_at=tuple(sorted(set(args.cut_at))))


def level(text: str) -> str | tuple[float, float]:
    """argparse type: auto, off, or pitch and roll."""
    return (
        text if text in (AUTO, OFF) else _two_numbers(text, ",", -LARGEST_TILT, LARGEST_TILT, "PITCH,ROLL in degrees")
    )


def smoothness(text: str) -> str | float:
    """argparse type: auto, off, or a number above zero."""
    if text in (AUTO, OFF):
        return text
    value = _number(text)
    if not 0 < value <= LARGEST_STRENGTH:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not auto, off or a number above 0, up to 100")
    return value


def span(text: str) -> str | tuple[float, float]:
    """argparse type: auto, off, or two times in seconds; an omitted time means the start or the end."""
    if text in (AUTO, OFF):
        return text
    start, colon, end = text.partition(":")
    full = f"{start or 0}{colon}{end or LONGEST_SECONDS}"
    first, last = _two_numbers(full, ":", 0.0, LONGEST_SECONDS, "START:END in seconds")
    if first >= last:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} ends before it starts; expected START:END in seconds")
    return first, last


def angle(text: str) -> float:
    """argparse type: degrees."""
    value = _number(text)
    if not -360 <= value <= 360:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not an angle (-360 to 360 degrees)")
    return value


def row_number(text: str) -> int:
    """argparse type: a row at which a part can begin."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a row (a whole number above zero)")
    return int(text)


def _two_numbers(text: str, sign: str, least: float, most: float, expected: str) -> tuple[float, float]:
    first, _, second = text.partition(sign)
    values = _number(first), _number(second)
    if not all(least <= value <= most for value in values):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not auto, off or {expected}")
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
