"""Values of flags: numbers within bounds, as types for argparse, and torch devices."""

from __future__ import annotations

import argparse
import math
import re

from motion_rep.common.errors import UsageError, one_line
from motion_rep.common.messages import say_warning
from motion_rep.common.rates import FASTEST_RATE, SLOWEST_RATE
from motion_rep.common.sizes import LARGEST_SIDE

LARGEST_INT = 2**31 - 1


def positive_number(text: str) -> float:
    """argparse type: a number above zero, from a millionth to a thousand million."""
    return _number_within(text, 1e-6, 1e9, "a number above zero (0.000001 to 1000000000)")


def share(text: str) -> float:
    """argparse type: a share of something, from 0.001 to 0.999."""
    return _number_within(text, 0.001, 0.999, "a share (0.001 to 0.999)")


def frame_rate(text: str) -> float:
    """argparse type: frames per second, within the range of cameras and players, also as a fraction (30000/1001)."""
    fraction = re.fullmatch(r"([1-9]\d{0,8})/([1-9]\d{0,8})", text)
    text = text if fraction is None else str(int(fraction[1]) / int(fraction[2]))
    return _number_within(
        text, SLOWEST_RATE, FASTEST_RATE, f"a frame rate ({SLOWEST_RATE:g} to {FASTEST_RATE:g} frames per second)"
    )


def whole_number(text: str) -> int:
    """argparse type: a whole number, zero or more."""
    return _int_within(text, 0, LARGEST_INT, f"a whole number (0 to {LARGEST_INT})")


def positive_int(text: str) -> int:
    """argparse type: a whole number above zero."""
    return _int_within(text, 1, LARGEST_INT, f"a whole number above zero (1 to {LARGEST_INT})")


def thread_count(text: str) -> int:
    """argparse type: a number of threads."""
    return _int_within(text, 1, 256, "a number of threads (1 to 256)")


def worker_count(text: str) -> int:
    """argparse type: a number of worker processes; 0 means none."""
    return _int_within(text, 0, 1024, "a whole number of processes (0 to 1024)")


def picture_side(text: str) -> int:
    """argparse type: width or height of a picture in pixels."""
    return _int_within(text, 16, LARGEST_SIDE, f"a width or height of a picture (16 to {LARGEST_SIDE} pixels)")


def port(text: str) -> int:
    """argparse type: a TCP port."""
    return _int_within(text, 1, 65535, "a port (1 to 65535)")


def _number_within(text: str, least: float, most: float, expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {expected}")
    return value


def _int_within(text: str, least: int, most: int, expected: str) -> int:
    # Reject absurdly long digit strings; int() itself raises above 4,300 digits.
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {expected}")
    return value


def device_or_error(name: str) -> str:
    """The named torch device if this machine has it; otherwise a warning and the CPU.

    ``auto`` takes CUDA if it is available.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device {name}: {one_line(error)[:160]}. Use --device auto or cpu.") from None
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError):
        say_warning(f"--device {name}: this machine has no such device; using the CPU")
        return "cpu"
    return name
