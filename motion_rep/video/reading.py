"""Read video frames in order: upright, with square pixels, and with their times."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from motion_rep.common.errors import InputError, located
from motion_rep.common.rates import FASTEST_RATE, SLOWEST_RATE
from motion_rep.common.sizes import LARGEST_SIDE
from motion_rep.video.animated_webp import is_webp, webp_frames, webp_times
from motion_rep.video.container import OpenedVideo, open_container, require_video_file
from motion_rep.video.picture_shape import Orientation, orientation_of, square_size
from motion_rep.video.timing import frames_at_rate
from motion_rep.video.writing import exact_rate

Frames = Iterator[tuple[float, np.ndarray]]

# Largest error (s) of a time that is stored in whole milliseconds, as in mkv.
ROUNDED_TIME = 0.0011
# A video with fewer of its promised frames may be cut.
SEEN_SHARE = 0.95


@dataclass(frozen=True)
class VideoReader:
    """An open video; iterating gives (seconds, (H, W, 3) uint8 RGB) once, the first frame at 0 s.

    fps: frames per second, on average.
    width, height: pixels of the upright picture with square pixels.
    frame_count: number of frames according to the container, or None.
    stored_size: (width, height) in the file, before rotation and scaling to square pixels.
    interlaced: whether the odd and even lines of a picture are of two moments.
    """

    path: str
    fps: float
    width: int
    height: int
    frame_count: int | None
    stored_size: tuple[int, int]
    _frames: Frames
    interlaced: bool = False

    def __iter__(self) -> Frames:
        return self._frames

    def length_notes(self, read: int) -> list[str]:
        """Sentences if clearly fewer frames could be read than the container promises, and about interlaced frames."""
        notes = [f"{self.path} is interlaced, so moving limbs are double; deinterlace it"] * self.interlaced
        if self.frame_count is None or read >= SEEN_SHARE * self.frame_count:
            return notes
        return [*notes, f"{self.path} promises {self.frame_count} frames, but only {read} could be read; it may be cut"]

    def at_rate(self, fps: float) -> Iterator[np.ndarray]:
        """The frames at an even rate; see :func:`motion_rep.video.timing.frames_at_rate`."""
        with located(self.path):
            yield from frames_at_rate(self, fps)


@contextlib.contextmanager
def open_video(path: str | os.PathLike) -> Iterator[VideoReader]:
    """Open a video for reading.

    Raises:
        InputError: missing, not a regular file, not a video, without frames or without a frame rate.
    """
    path = Path(path)
    if is_webp(require_video_file(path)):
        yield _webp_reader(path)
        return
    times = _uncounted_times(path)
    with open_container(path) as opened:
        yield _reader(opened, times)


def frame_times(path: str | os.PathLike) -> np.ndarray:
    """(F,) float64 time of each frame, seconds after the first; without decoding if possible.

    Raises:
        InputError: as :func:`open_video`.
    """
    path = Path(path)
    if is_webp(require_video_file(path)):
        return webp_times(path)
    with open_container(path) as opened:
        times = _packet_times(opened)
    if times is not None:
        return times
    with open_video(path) as video:
        return np.array([time for time, _ in video])


def _packet_times(opened: OpenedVideo) -> np.ndarray | None:
    """(F,) seconds after the first frame; None if some packets have no time."""
    shown = [packet.pts for packet in opened.packets() if packet.size and not packet.is_discard]
    times = np.sort(np.array([stamp for stamp in shown if stamp is not None], np.float64))
    if not len(times) or len(times) != len(shown) or opened.stream.time_base is None:
        return None
    return (times - times[0]) * float(opened.stream.time_base)


def _uncounted_times(path: Path) -> np.ndarray | None:
    """Times of a video that does not count its frames (mkv, webm, ts): the rate in its header may be another."""
    with open_container(path) as opened:
        return None if opened.stream.frames else _packet_times(opened)


def _reader(opened: OpenedVideo, times: np.ndarray | None) -> VideoReader:
    path, stream = opened.path, opened.stream
    # Decode several frames at once.
    stream.thread_type = "AUTO"
    codec, fps = stream.codec_context.name, _rate(path, stream, times)
    decoded = _decoded(opened)
    first = next(decoded, None)
    if first is None:
        what = f"its video stream ({codec}) has no frames that can be decoded"
        raise InputError(f"{path}: {what}. Encode it again as H.264 mp4.")
    shape = _Shape.of(path, first, stream.sample_aspect_ratio)
    width, height = shape.shown
    frames = _shown(path, itertools.chain([first], decoded), shape, fps, stream.time_base)
    promised = _promised(opened, fps)
    return VideoReader(str(path), fps, width, height, promised, shape.stored, frames, first.interlaced_frame)


def _webp_reader(path: Path) -> VideoReader:
    times = webp_times(path)
    frames = webp_frames(path)
    first = next(frames)
    height, width = first[1].shape[:2]
    fps = (len(times) - 1) / float(times[-1]) if times[-1] > 0 else 1.0
    return VideoReader(str(path), fps, width, height, len(times), (width, height), itertools.chain([first], frames))


def _rate(path: Path, stream: VideoStream, times: np.ndarray | None) -> float:
    """Frames per second on average, by the frames' own times if these are given."""
    rate = _even_rate(stream) or float(stream.average_rate or stream.guessed_rate or 0)
    if times is not None and len(times) > 2 and times[-1] > 0:
        measured = (len(times) - 1) / float(times[-1])
        if abs(measured - rate) * times[-1] >= 1:
            whole = max(round(measured), 1)
            rounded = abs((len(times) - 1) / whole - times[-1]) < ROUNDED_TIME
            rate = float(whole) if rounded else float(exact_rate(measured))
    if not SLOWEST_RATE <= rate <= FASTEST_RATE:
        raise InputError(
            f"{path}: has {rate:g} frames per second, expected {SLOWEST_RATE:g} to {FASTEST_RATE:g}. "
            "Encode it again with a fixed rate."
        )
    return rate


def _even_rate(stream: VideoStream) -> float | None:
    """Frames per second if the container lists frames at even times: the last one may be shown for longer, and then the
    average over all is lower.
    """
    entries = stream.index_entries
    steps = np.diff([entry.timestamp for entry in entries if not entry.is_discard])
    if len(entries) != stream.frames or len(steps) < 2 or steps[0] <= 0 or np.ptp(steps) or not stream.time_base:
        return None
    return float(1 / (int(steps[0]) * stream.time_base))


def _promised(opened: OpenedVideo, fps: float) -> int | None:
    """Expected number of frames, without those that an edit list drops; the length of sound does not count."""
    container, stream = opened.container, opened.stream
    if stream.frames and len(stream.index_entries) >= stream.frames // 2:
        return sum(not entry.is_discard for entry in stream.index_entries)
    if stream.frames:
        return stream.frames
    if stream.duration and stream.time_base:
        return round(float(stream.duration * stream.time_base) * fps)
    if not container.duration or len(container.streams) > 1:
        return None
    return round((container.duration - max(container.start_time or 0, 0)) / av.time_base * fps)


def _decoded(opened: OpenedVideo) -> Iterator[VideoFrame]:
    """Frames in display order; damaged ones are skipped, as in players."""
    for packet in opened.packets():
        with contextlib.suppress(av.FFmpegError):
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    yield frame


@dataclass(frozen=True)
class _Shape:
    """Sizes (width, height) of a picture as stored and with square pixels, and its rotation."""

    stored: tuple[int, int]
    square: tuple[int, int]
    orientation: Orientation

    @property
    def shown(self) -> tuple[int, int]:
        width, height = self.square
        return (height, width) if self.orientation.exchanged else (width, height)

    @classmethod
    def of(cls, path: Path, frame: VideoFrame, aspect: Fraction | None) -> _Shape:
        square = square_size(frame.width, frame.height, aspect)
        if square is None or max(square) > LARGEST_SIDE:
            raise InputError(
                f"{path}: says {frame.width}x{frame.height} pixels of shape {aspect or 1}:1, "
                f"expected at most {LARGEST_SIDE} a side. Encode it again with square pixels."
            )
        return cls((frame.width, frame.height), square, orientation_of(frame))


def _shown(path: Path, decoded: Iterator[VideoFrame], shape: _Shape, fps: float, time_base: Fraction | None) -> Frames:
    reformatter = VideoReformatter()
    start, previous = None, -1.0 / fps
    for number, frame in enumerate(decoded):
        if (frame.width, frame.height) != shape.stored:
            raise InputError(
                f"{path}: changes its size from {shape.stored[0]}x{shape.stored[1]} to {frame.width}x{frame.height} "
                f"at frame {number}. Encode it again."
            )
        unit = time_base or frame.time_base
        stamp = None if frame.pts is None or unit is None else float(frame.pts * unit)
        start = stamp if start is None else start
        # Without a time stamp, or with a decreasing one, frames are counted at the frame rate.
        time = previous + 1.0 / fps if stamp is None or start is None or stamp - start <= previous else stamp - start
        yield time, shape.orientation.upright(_rgb(reformatter, frame, shape))
        previous = time


def _rgb(reformatter: VideoReformatter, frame: VideoFrame, shape: _Shape) -> np.ndarray:
    if shape.square == shape.stored:
        return reformatter.reformat(frame, format="rgb24").to_ndarray()
    width, height = shape.square
    return reformatter.reformat(frame, width, height, "rgb24", interpolation="BICUBIC").to_ndarray()
