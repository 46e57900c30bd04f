"""Read video frames one after the other, upright and with their times."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.files.local_files import require_file


@dataclass(frozen=True)
class VideoReader:
    """An open video; iterating gives (seconds, (H, W, 3) uint8 RGB) once. Width and height are after the rotation flag."""

    path: str
    fps: float
    width: int
    height: int
    frame_count: int | None
    _capture: cv2.VideoCapture
    _first: np.ndarray

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        bgr, number, previous = self._first, 0, -1.0
        while bgr is not None:
            time = self._time(number, previous)
            yield time, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            number, previous = number + 1, time
            bgr = _next_frame(self._capture)
            if bgr is not None and bgr.shape[:2] != (self.height, self.width):
                raise InputError(
                    f"{self.path}: changes its size from {self.width}x{self.height} to {bgr.shape[1]}x{bgr.shape[0]} at frame {number}. Encode it again."
                )
        if number < (self.frame_count or 0):
            _require_readable(self.path)

    def _time(self, number: int, previous: float) -> float:
        """The frame's own time stamp; where the container has none, counted at the frame rate."""
        stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        return stamp if stamp > previous else number / self.fps


@contextlib.contextmanager
def open_video(path: str | os.PathLike) -> Iterator[VideoReader]:
    """Open a video for reading; a rotation flag in it is honoured.

    Raises:
        InputError: missing, not a video, without frames or without a frame rate.
    """
    path = str(require_file(path))
    # What the decoder mutters about damaged frames is no help to a user; -8 is its "quiet".
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    with _without_warnings():
        capture = _quietly(cv2.VideoCapture, path, cv2.CAP_FFMPEG)
    try:
        with _without_warnings():
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
            first = _next_frame(capture) if capture.isOpened() else None
        if first is None:
            raise InputError(
                f"{path}: cannot be read as a video, or has no frames. Check that a player shows it; encode it again as H.264 mp4."
            )
        fps = capture.get(cv2.CAP_PROP_FPS)
        if not 0 < fps < 1000:
            raise InputError(
                f"{path}: says {fps:g} frames per second, expected a number between 0 and 1000. Encode it again with a fixed rate."
            )
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        yield VideoReader(path, fps, first.shape[1], first.shape[0], count if count > 0 else None, capture, first)
    finally:
        capture.release()


def _require_readable(path: str) -> None:
    """Tell a file that can no longer be read from one that ends early; the decoder calls both the end.

    Raises:
        InputError: the system cannot read it to its end.
    """
    try:
        with open(path, "rb") as file:
            while file.read(2**20):
                pass
    except OSError as error:
        raise InputError(f"{path}: cannot be read to its end: {error.strerror or error}.") from None


def _next_frame(capture: cv2.VideoCapture) -> np.ndarray | None:
    found, bgr = _quietly(capture.read)
    return bgr if found and bgr is not None and bgr.ndim == 3 else None


def _quietly(call, *arguments):
    """Call into OpenCV; its exceptions mean the same to us as its empty answers."""
    try:
        return call(*arguments)
    except cv2.error:
        return (False, None) if not arguments else cv2.VideoCapture()


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """OpenCV's own warnings left out; what they say about a file that is no video is said in one line here."""
    log = getattr(getattr(cv2, "utils", None), "logging", None)
    if log is None:
        yield
        return
    before = log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(before)
