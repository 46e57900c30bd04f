"""Write frames as widely playable H.264: streaming, atomic, and with the same bytes for the same frames."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.atomic_writing import atomic_path, cannot_write

# Fixed, because x264's output depends on it; two are enough in addition to a drawing thread.
ENCODER_THREADS = 2
DEFAULT_PRESET = "veryfast"
# Without B-frames and with the fastest sub-pixel search, encoding takes a third less time at the same quality and gives
# 20 % larger files.
ENCODER_SETTINGS = "bframes=0:subme=1"
# In narrower pictures x264's macroblock tree reads uninitialised memory, so equal frames give different bytes; and in
# others at the end of its tables, unless a row or the picture fills the vectors of its code (measured on 300 sizes).
NARROWEST_WITH_TREE, BLOCK, BLOCKS_OF_ROW, BLOCKS_OF_PICTURE = 256, 16, 8, 16
DEFAULT_QUALITY = 20
CONTAINER_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}
# Time step of a video with uneven frame times, as in players and phones.
FINE_TIME_BASE = Fraction(1, 90000)


class _Output:
    """The file that FFmpeg writes to. An error is stored, because PyAV would print an exception it cannot pass on."""

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        self._path, self._file = path, open(path, "wb")  # noqa: SIM115

    def write(self, data: bytes) -> int:
        self._try(lambda: self._file.write(data))
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._try(lambda: self._file.seek(offset, whence))

    def tell(self) -> int:
        return self._try(self._file.tell)

    def read_again(self, *_: object) -> BinaryIO:
        """The written data, which FFmpeg reads again to move the index to the front."""
        self._try(self._file.flush)
        return open(self._path, "rb")

    def close(self) -> None:
        self._try(self._file.close)

    def _try(self, call: Callable[[], int | None]) -> int:
        if self.error is None:
            try:
                return call() or 0
            except OSError as error:
                self.error = error
        return 0


class VideoWriter:
    """An encoder for frames of one size; use :func:`open_writer`."""

    def __init__(
        self, path: Path, output: _Output, container: OutputContainer, stream: VideoStream, width: int, height: int
    ) -> None:
        self.frames = 0
        self._path, self._output, self._container, self._stream = path, output, container, stream
        self._width, self._height = width, height
        self._last = -1

    def write(self, rgb: np.ndarray, seconds: float | None = None) -> None:
        """Append one (H, W, 3) uint8 RGB frame; an odd size is padded by repeating the last row or column.

        Args:
            seconds: display time, for a video opened with ``even=False``.
        Raises:
            InputError: a different size, or the encoder failed.
        """
        if rgb.shape != (self._height, self._width, 3) or rgb.dtype != np.uint8:
            raise InputError(
                f"{self._path}: got a {rgb.dtype} frame of shape {rgb.shape}, "
                f"expected uint8 ({self._height}, {self._width}, 3)."
            )
        self._encode(cv2.cvtColor(self._padded(rgb), cv2.COLOR_RGB2YUV_I420), seconds)

    def write_grey(self, grey: np.ndarray) -> None:
        """Append one (H, W) uint8 grey frame."""
        grey = self._padded(grey)
        # BT.601 video range, as cvtColor gives for an RGB frame of equal channels.
        planes = np.full((grey.shape[0] * 3 // 2, grey.shape[1]), 128, np.uint8)
        cv2.LUT(grey, _VIDEO_RANGE, planes[: grey.shape[0]])
        self._encode(planes, None)

    def finish(self) -> None:
        """Encode the buffered frames and complete the file.

        Raises:
            InputError: encoding failed, or there was no frame.
        """
        if self.frames == 0:
            raise InputError(f"{self._path}: the video could not be encoded: no frames were given.")
        with self._encoding():
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._output.close()

    def _padded(self, picture: np.ndarray) -> np.ndarray:
        if self._width % 2 == 0 and self._height % 2 == 0:
            return picture
        return cv2.copyMakeBorder(picture, 0, self._height % 2, 0, self._width % 2, cv2.BORDER_REPLICATE)

    def _encode(self, planes: np.ndarray, seconds: float | None) -> None:
        time_base = self._stream.codec_context.time_base
        at = self._last + 1 if seconds is None else max(round(seconds / time_base), self._last + 1)
        with self._encoding():
            frame = _yuv_frame(planes)
            frame.pts, frame.time_base = at, time_base
            packets: list[Packet] = self._stream.encode(frame)
            self._container.mux(packets)
        self.frames, self._last = self.frames + 1, at

    @contextlib.contextmanager
    def _encoding(self) -> Iterator[None]:
        """Turn errors of disk and encoder into an InputError."""
        try:
            yield
        except av.FFmpegError as error:
            if self._output.error is None:
                raise InputError(f"{self._path}: the video could not be encoded: {one_line(error)}.") from None
        if self._output.error is not None:
            raise InputError(cannot_write(self._path, self._output.error)) from None


_VIDEO_RANGE = np.clip(np.round(16 + np.arange(256) * 219 / 255), 0, 255).astype(np.uint8)


def _yuv_frame(planes: np.ndarray) -> VideoFrame:
    """An encoder frame of I420 planes (H * 3 / 2, W).

    PyAV leaves uninitialised bytes after each row, and x264 reads some of them, so equal frames would differ.
    """
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    frame = VideoFrame(width, height, "yuv420p")
    flat, start = planes.reshape(-1), 0
    for plane in frame.planes:
        memory: Any = plane  # PyAV's stubs do not say that it is a buffer
        rows = np.frombuffer(memory, np.uint8).reshape(-1, plane.line_size)
        size = plane.height * plane.width
        rows[: plane.height, : plane.width] = flat[start : start + size].reshape(plane.height, plane.width)
        rows[:, plane.width :] = 0
        start += size
    return frame


@contextlib.contextmanager
def open_writer(
    path: str | os.PathLike,
    width: int,
    height: int,
    fps: float,
    preset: str = DEFAULT_PRESET,
    even: bool = True,
    quality: int = DEFAULT_QUALITY,
    check: Callable[[Path], None] | None = None,
) -> Iterator[VideoWriter]:
    """Write an H.264 yuv420p mp4; the file appears only when the block ends without an error.

    Args:
        width, height: pixels of the frames.
        fps: frames per second; NTSC rates such as 29.97 are exact.
        even: whether the frames are evenly spaced; otherwise each needs its time.
        quality: constant rate factor of x264; lower is better.
        check: called with the temporary path of the complete video; an error that it raises keeps the old file.
    Raises:
        InputError: the folder cannot be written or encoding failed.
    """
    path = Path(path)
    with atomic_path(path) as temporary, contextlib.closing(_Output(temporary)) as output:
        container = av.open(output, "w", format="mp4", options=CONTAINER_OPTIONS, io_open=output.read_again)
        try:
            stream = _h264_stream(container, width + width % 2, height + height % 2, exact_rate(fps), preset, quality)
            if not even:
                stream.codec_context.time_base = FINE_TIME_BASE
            writer = VideoWriter(path, output, container, stream, width, height)
            yield writer
            writer.finish()
            if check is not None:
                check(temporary)
        finally:
            # Closing after an error only frees memory; its own errors are not the cause.
            with contextlib.suppress(OSError, av.FFmpegError):
                container.close()


def _h264_stream(
    container: OutputContainer, width: int, height: int, rate: Fraction, preset: str, quality: int
) -> VideoStream:
    settings = ENCODER_SETTINGS if _tree_is_exact(width, height) else f"{ENCODER_SETTINGS}:mbtree=0"
    options = {"preset": preset, "crf": str(quality), "x264-params": settings, "flags": "+bitexact"}
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    codec = stream.codec_context
    codec.thread_count, codec.thread_type = ENCODER_THREADS, "FRAME"
    codec.color_range, codec.colorspace = ColorRange.MPEG, Colorspace.ITU601
    codec.color_primaries, codec.color_trc = ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M
    codec.time_base = 1 / rate
    return stream


def _tree_is_exact(width: int, height: int) -> bool:
    """Whether x264's macroblock tree reads only memory that it wrote."""
    columns, rows = -(-width // BLOCK), -(-height // BLOCK)
    filled = columns % BLOCKS_OF_ROW == 0 or columns * rows % BLOCKS_OF_PICTURE == 0
    return width >= NARROWEST_WITH_TREE and filled


def exact_rate(fps: float) -> Fraction:
    """A frame rate as a fraction: 29.97 becomes 30000/1001."""
    ntsc = Fraction(round(fps * 1001 / 1000) * 1000, 1001)
    return ntsc if fps != round(fps) and abs(float(ntsc) - fps) < 0.005 else Fraction(fps).limit_denominator(1000)
