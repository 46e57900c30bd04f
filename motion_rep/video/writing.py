"""Write frames as H.264 that plays everywhere: streaming, atomic, and the same bytes for the same frames."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from motion_rep.common.errors import InputError, UsageError, one_line
from motion_rep.files.atomic_writing import atomic_path, cannot_write

# x264's output depends on its number of threads, so it is fixed; two are enough beside a drawing thread.
ENCODER_THREADS = 2
DEFAULT_PRESET = "veryfast"
# Without B-frames and with the quickest search between pixels it takes a third less time at the same quality, for a fifth more bytes.
ENCODER_SETTINGS = "bframes=0:subme=1"
DEFAULT_QUALITY = 20


class VideoWriter:
    """A pipe into ffmpeg for frames of one size; use :func:`open_writer`."""

    def __init__(self, process: subprocess.Popen, log, path: Path, width: int, height: int) -> None:
        self.frames = 0
        self._process, self._log, self._path = process, log, path
        self._width, self._height = width, height

    def write(self, rgb: np.ndarray) -> None:
        """Append one (H, W, 3) uint8 RGB frame; an odd size is padded with its last row or column.

        Raises:
            InputError: another size than the first, or the encoder failed (a full disk).
        """
        if rgb.shape != (self._height, self._width, 3) or rgb.dtype != np.uint8:
            raise InputError(
                f"{self._path}: got a {rgb.dtype} frame of shape {rgb.shape}, expected uint8 ({self._height}, {self._width}, 3)."
            )
        if self._width % 2 or self._height % 2:
            rgb = cv2.copyMakeBorder(rgb, 0, self._height % 2, 0, self._width % 2, cv2.BORDER_REPLICATE)
        # The conversion that the encoder needs anyway, done here: half the bytes go through the pipe.
        self._send(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420))

    def write_grey(self, grey: np.ndarray) -> None:
        """Append one (H, W) uint8 grey frame."""
        grey = cv2.copyMakeBorder(grey, 0, self._height % 2, 0, self._width % 2, cv2.BORDER_REPLICATE)
        # BT.601 video range, as cvtColor gives for an RGB frame of equal channels.
        luma = cv2.LUT(grey, _VIDEO_RANGE)
        self._send(np.concatenate((luma.ravel(), np.full(grey.size // 2, 128, np.uint8))))

    def _send(self, planes: np.ndarray) -> None:
        try:
            self._process.stdin.write(memoryview(np.ascontiguousarray(planes)).cast("B"))
        except (BrokenPipeError, OSError):
            raise InputError(self._failure()) from None
        self.frames += 1

    def finish(self) -> None:
        """Wait for the encoder.

        Raises:
            InputError: it failed, or got no frame.
        """
        try:
            self._process.stdin.close()
        except OSError:
            pass
        if self._process.wait() != 0 or self.frames == 0:
            raise InputError(self._failure())

    def _failure(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        said = one_line(self._log.read().decode(errors="replace"))
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if full.strerror in said:
            return cannot_write(self._path, full)
        if code < 0:
            return f"{self._path}: the video could not be encoded: ffmpeg was ended by signal {-code} (often for lack of memory). Run the same command again."
        said = said[-200:]
        return f"{self._path}: the video could not be encoded: {said or 'no frames were given'}. Check the free space on the disk."


_VIDEO_RANGE = np.clip(np.round(16 + np.arange(256) * 219 / 255), 0, 255).astype(np.uint8)


@contextlib.contextmanager
def open_writer(
    path: str | os.PathLike, width: int, height: int, fps: float, preset: str = DEFAULT_PRESET
) -> Iterator[VideoWriter]:
    """Write an H.264 yuv420p mp4; the file appears under its name only when the block ends without an error.

    Args:
        width, height: pixels of the frames to come.
        fps: frames per second; 29.97 and the like are kept exact.
    Raises:
        InputError: the folder cannot be written or encoding failed.
        UsageError: there is no ffmpeg.
    """
    with atomic_path(path) as temporary, tempfile.TemporaryFile() as log:
        command = encoder_command(width + width % 2, height + height % 2, fps, preset, str(temporary))
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        writer = VideoWriter(process, log, Path(path), width, height)
        try:
            yield writer
            writer.finish()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def encoder_command(width: int, height: int, fps: float, preset: str, output: str) -> list[str]:
    """The ffmpeg command line that reads raw yuv420p frames of an even size from its standard input."""
    rate = exact_rate(fps)
    return [
        ffmpeg_path(), "-y", "-v", "error", "-nostdin",
        "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0",
        "-an", "-c:v", "libx264", "-preset", preset, "-crf", str(DEFAULT_QUALITY), "-threads", str(ENCODER_THREADS), "-x264-params", ENCODER_SETTINGS, "-pix_fmt", "yuv420p",
        "-color_range", "tv", "-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m",
        "-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "mp4", output,
    ]  # fmt: skip


def exact_rate(fps: float) -> Fraction:
    """A frame rate as a fraction: 29.97 becomes 30000/1001."""
    ntsc = Fraction(round(fps * 1001 / 1000) * 1000, 1001)
    return ntsc if fps != round(fps) and abs(float(ntsc) - fps) < 0.005 else Fraction(fps).limit_denominator(1000)


def ffmpeg_path() -> str:
    """The ffmpeg that imageio-ffmpeg ships, or the one that IMAGEIO_FFMPEG_EXE names."""
    import imageio_ffmpeg

    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise UsageError("no ffmpeg was found. Install it with: pip install imageio-ffmpeg") from None
