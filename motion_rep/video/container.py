"""Open a video file and choose its video stream; no other file is ever read."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from motion_rep.common.errors import InputError, located
from motion_rep.files.file_kind import VIDEO, found_at_start
from motion_rep.files.local_files import require_file, require_version, version_at

# Real container formats only: playlists, concat scripts and similar formats refer to other files.
CONTAINERS = "mov,matroska,avi,gif,apng,mpegts,mpeg,flv,asf,ogg,mxf,ivf,nut,dv,yuv4mpegpipe"
LARGEST_BYTES = 16 * 2**30
OPTIONS = {"protocol_whitelist": "crypto", "format_whitelist": CONTAINERS}


class _Input:
    """A file's bytes without its name, from which FFmpeg would guess a format or a protocol.

    A read error is stored and looks like the end of the file: PyAV would print an exception that it cannot pass on.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.error: OSError | None = None
        self.seek, self.tell, self._file = file.seek, file.tell, file
        self._version = version_at(file.fileno())

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self.error = error
            return b""

    def require_read(self, path: Path) -> None:
        """Raise an InputError if the system failed to read, or the file was changed meanwhile."""
        if self.error is not None:
            raise InputError(f"{path}: cannot be read to its end: {self.error.strerror or self.error}.")
        with located(path):
            require_version(self._file.fileno(), self._version)


def require_video_file(path: Path) -> Path:
    """The path of a regular file of a plausible size.

    Raises:
        InputError: missing, empty, a folder, a pipe, a device, or larger than any clip.
    """
    status = require_file(path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is a pipe or a device, expected a video file.")
    if status.st_size > LARGEST_BYTES:
        size, most = status.st_size / 2**30, LARGEST_BYTES // 2**30
        raise InputError(f"{path}: has {size:.1f} GiB, expected at most {most}. Cut the clip out of it.")
    return path


@dataclass(frozen=True)
class OpenedVideo:
    """An open container and its best video stream."""

    path: Path
    container: InputContainer
    stream: VideoStream
    _input: _Input

    def packets(self) -> Iterator[Packet]:
        """The stream's packets up to the end of the file or the first damaged one.

        Raises:
            InputError: the system cannot read the file to its end.
        """
        with contextlib.suppress(av.FFmpegError):
            yield from self.container.demux(self.stream)
        self._input.require_read(self.path)


@contextlib.contextmanager
def open_container(path: Path) -> Iterator[OpenedVideo]:
    """Open a video file; a cover picture does not count as a video.

    Raises:
        InputError: not a video container, or no decodable video stream.
    """
    with contextlib.ExitStack() as opened:
        try:
            given = _Input(opened.enter_context(open(require_video_file(path), "rb")))
            container = opened.enter_context(av.open(given, "r", options=OPTIONS, metadata_errors="replace"))
        except av.FFmpegError:
            given.require_read(path)
            raise InputError(f"{path}: {_found_instead(path)}") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
        yield OpenedVideo(path, container, _video_stream(path, container), given)


def _found_instead(path: Path) -> str:
    with open(path, "rb") as file:
        start = found_at_start(file)
    found = "cannot be read as a video"
    if start is not None and VIDEO in start:
        cause = "but its list of frames is missing or damaged; the recording or the download probably ended early"
        return f"{found}: {start}, {cause}. Get the whole file again."
    if start is not None:
        found += f": {start}"
    expected = "expected a container such as mp4, mov, mkv, webm, avi or gif"
    return f"{found}, {expected}. Give the video itself, or encode it again as mp4."


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    best = container.streams.best("video")
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if isinstance(best, VideoStream) and best in videos:
        videos = [best]
    if all(stream.type == "data" for stream in container.streams):
        raise InputError(f"{path}: {_found_instead(path)}")
    if not videos:
        others = ", ".join(_name(stream) for stream in container.streams)
        raise InputError(f"{path}: has no video stream, only {others}. Give a file with moving pictures.")
    if videos[0].codec_context is None:
        raise InputError(f"{path}: its video stream uses a codec that is not supported. Encode it again as H.264 mp4.")
    return videos[0]


def _name(stream: Stream) -> str:
    kind = "a cover picture" if stream.disposition & Disposition.attached_pic else stream.type
    return kind if stream.codec_context is None else f"{kind} ({stream.codec_context.name})"
