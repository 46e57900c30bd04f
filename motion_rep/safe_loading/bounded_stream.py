"""Read a file's bytes, decompressed if necessary, within limits."""

from __future__ import annotations

import bz2
import collections
import io
import itertools
import lzma
import zipfile
import zlib
from typing import Any, BinaryIO, Protocol

from motion_rep.common.errors import InputError
from motion_rep.common.optional_packages import optional_module
from motion_rep.files.limits import MOST_DIRECTORY_BYTES, Limits

CHUNK = 1 << 20

LZ4_MAGIC = b"\x04\x22\x4d\x18"
OLD_JOBLIB_MAGIC = b"ZF"


class ByteSource(Protocol):
    """An open file, plain or decompressing."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, size: int, /) -> bytes: ...


class BoundedStream:
    """Reads another stream within limits, in small pieces, so that memory follows the real bytes, not a claimed length.

    Args:
        limits: beyond them reading raises an InputError (without a file name).
    Attributes:
        steps: yields one item per remaining pickle instruction.
    """

    def __init__(self, stream: ByteSource, limits: Limits) -> None:
        self._stream = stream
        self._left = self._limit = limits.bytes
        self._outer: BoundedStream | None = None
        self.steps = itertools.repeat(None, limits.steps)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        if size > CHUNK:
            return bytes(self.read_writable(size))
        found = self._stream.read(size)
        self.spend(len(found))
        return found if len(found) == size or not found else found + self.read(size - len(found))

    def read_writable(self, size: int) -> bytearray:
        """Like :meth:`read`, as a bytearray whose memory an array can use."""
        found = bytearray()
        while len(found) < size and (piece := self._stream.read(min(size - len(found), CHUNK))):
            self.spend(len(piece))
            found += piece
        return found

    def readline(self) -> bytes:
        """A line, for the text instructions of old pickles."""
        line = self._stream.readline(CHUNK)
        self.spend(len(line))
        return line

    def require(self, size: int) -> None:
        """Reject an impossible length before anything is read."""
        if size > self._left:
            raise InputError(
                f"claims {size:,} more bytes of data, but at most {self._limit:,} are read from a file of its size. "
                "It is damaged or too long."
            )

    def within(self, content: bytes) -> BoundedStream:
        """A stream over bytes that were read from this one; their copy and their instructions count for this one."""
        inner = BoundedStream(io.BytesIO(content), Limits(self._left))
        inner.steps, inner._outer = self.steps, self
        return inner

    def spend_steps(self, count: int) -> None:
        """Count work like that of ``count`` pickle instructions."""
        collections.deque(itertools.islice(self.steps, count), maxlen=0)

    def spend(self, size: int) -> None:
        """Count bytes that were read or allocated."""
        self._left -= size
        if self._outer is not None:
            self._outer.spend(size)
        if self._left < 0:
            raise InputError(
                f"contains more than {self._limit:,} bytes when unpacked, the most for a file of its size. "
                "Cut it to the part that you need."
            )


class ZlibFile(io.RawIOBase):
    """A zlib or gzip stream as a file that unpacks only what is read (``zlib.decompress`` unpacks everything)."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer; fewer bytes only at the end."""
        piece = b""
        while not piece and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._stream.read(CHUNK)
            piece = self._inflate.decompress(packed, len(buffer))
            if not packed and not piece:
                break
        buffer[: len(piece)] = piece
        return len(piece)


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """An open zip file whose directory has a plausible length, because zipfile reads all of it at once.

    Raises:
        InputError: a longer directory (without the file's name).
    """
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # not in the stubs
    length = end[zipfile._ECD_SIZE] if end else 0  # type: ignore[attr-defined]
    if length > MOST_DIRECTORY_BYTES:
        raise InputError(
            f"is a zip file with a directory of {length:,} bytes, expected at most {MOST_DIRECTORY_BYTES:,}: it has "
            "too many entries. Write it again with fewer arrays."
        )
    file.seek(0)
    return zipfile.ZipFile(file)


def inflated(file: BinaryIO) -> ByteSource:
    """A seekable file's bytes, decompressed if joblib compressed them.

    Raises:
        InputError: an unsupported compression (without the file's name).
    """
    magic = file.read(6)
    file.seek(0)
    if magic[:1] == b"\x78" or magic[:2] == b"\x1f\x8b":
        return io.BufferedReader(ZlibFile(file), CHUNK)
    if magic[:3] == b"BZh":
        return bz2.BZ2File(file)
    if magic == b"\xfd7zXZ\x00" or magic[:2] == b"\x5d\x00":
        return lzma.LZMAFile(file)
    if magic[:4] == LZ4_MAGIC:
        return optional_module("lz4.frame", "lz4", "is compressed with lz4, which").open(file)
    if magic[:2] == OLD_JOBLIB_MAGIC:
        raise InputError(
            "was written by a joblib older than 0.10, expected a newer one. Load it with that version and rewrite it "
            "with a current joblib."
        )
    return file
