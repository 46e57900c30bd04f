"""The videos of an entry for the page: link, time scale, and the reason if one is missing."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from motion_rep.files.atomic_writing import atomic_path, write_bytes
from motion_rep.files.local_files import file_sha256
from motion_rep.video.reading import frame_times, open_video

POSTER_SIZE, POSTER_QUALITY = 160, 80
# Grey levels that encoding may add to an empty background; the smallest number of pixels that a poster shows.
NOISE, MARGIN = 24, 32


@dataclass(frozen=True)
class Video:
    """A video on the page.

    kind: ``tinted``, ``source``, ``overlay``, ``depth``, ``front``, ``side``, ``before``, ``side_before`` or ``lit``.
    title: its heading.
    url: relative to the page, or None if there is nothing to show.
    scale, offset: the video's seconds are ``offset + scale * t`` at second ``t`` of the motion.
    error: why there is nothing to show.
    below: link to the video under a transparent one, with the same times.
    crop: position in a square: left, top, width and height of the whole picture in percent of the square's side.
    extra: whether it is shown only on demand.
    """

    kind: str
    title: str
    url: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    error: str | None = None
    below: str | None = None
    crop: tuple[float, float, float, float] | None = None
    extra: bool = False

    def as_dict(self) -> dict:
        """The values for the page's script."""
        values = asdict(self)
        return {"src": values.pop("url"), **values}


def url_from(folder: Path, path: Path) -> str:
    """A relative link to a file from a page in ``folder``, with every unsafe character escaped."""
    try:
        return quote(os.fsencode(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()))
    except ValueError:  # on another drive
        return path.resolve().as_uri()


def video_rate(path: Path) -> float:
    """Frames per second.

    Raises:
        InputError: missing, or not a video.
    """
    with open_video(path) as video:
        return video.fps


def write_poster(video_path: Path, target: Path) -> None:
    """Write a small square picture from the middle of a video, unless a picture of the same video exists.

    The video's digest follows the end of the JPEG, where decoders ignore it. An empty file, which a power
    failure can leave, has none.

    Raises:
        InputError: the video cannot be read, or the poster cannot be written.
    """
    digest = file_sha256(video_path).encode()
    if target.is_file() and target.read_bytes().endswith(digest):
        return
    middle = len(frame_times(video_path)) // 2
    with open_video(video_path) as video:
        for number, (_, rgb) in enumerate(video):
            picture = rgb
            if number >= middle:
                break
    picture = _busy_square(picture)
    size = (POSTER_SIZE, POSTER_SIZE)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if len(picture) > POSTER_SIZE else cv2.INTER_LINEAR)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, POSTER_QUALITY])
    write_bytes(target, jpeg.tobytes() + digest, durable=False)


def _busy_square(picture: np.ndarray) -> np.ndarray:
    """The square around everything that differs from the upper left corner's colour: body and ground."""
    corner = picture[0, 0].astype(np.int16)
    busy = cv2.inRange(picture, (corner - NOISE).clip(0), (corner + NOISE).clip(max=255)) == 0
    rows, columns = (np.flatnonzero(busy.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return picture
    centre = [(found[0] + found[-1]) // 2 for found in (rows, columns)]
    half = int(max(rows[-1] - rows[0], columns[-1] - columns[0], MARGIN) / 2 * 1.05) + 1
    padded = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_REPLICATE)
    return padded[centre[0] : centre[0] + 2 * half, centre[1] : centre[1] + 2 * half]


def copied(path: Path, target: Path) -> Path:
    """Copy a file to ``target``, and return ``target``."""
    if not (target.is_file() and file_sha256(target) == file_sha256(path)):
        with atomic_path(target) as temporary:
            shutil.copyfile(path, temporary)
    return target
