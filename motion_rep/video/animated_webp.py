"""Read animated WebP, which FFmpeg does not decode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.local_files import unchanged

UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def is_webp(path: Path) -> bool:
    """Whether the file starts with the WebP signature.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    return start[:4] == b"RIFF" and start[8:] == b"WEBP"


def webp_frames(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """(seconds, (H, W, 3) uint8 RGB) one after the other, the first at 0 s.

    Raises:
        InputError: damaged.
    """
    for time, picture in _frames(path):
        yield time, np.asarray(picture.convert("RGB"))


def webp_times(path: Path) -> np.ndarray:
    """(F,) float64 time of each frame, seconds after the first.

    Raises:
        InputError: damaged, or a still picture.
    """
    times = np.array([time for time, _ in _frames(path)])
    if len(times) < 2:
        raise InputError(f"{path}: is a still picture, expected a video.")
    return times


def _frames(path: Path) -> Iterator[tuple[float, Image.Image]]:
    with unchanged(path):
        try:
            with open(path, "rb") as file, Image.open(file, formats=["WEBP"]) as picture:
                for number in range(getattr(picture, "n_frames", 1)):
                    picture.seek(number)
                    picture.load()
                    yield picture.info.get("timestamp", 0) / 1000.0, picture
        except UNREADABLE as error:
            what = f"cannot be read as animated WebP: {one_line(error)}"
            raise InputError(f"{path}: {what}. Encode it again as mp4.") from None
