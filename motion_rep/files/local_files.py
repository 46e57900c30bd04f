"""Open local files and derive safe file names."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from motion_rep.common.errors import InputError, UsageError, located, one_line
from motion_rep.common.overwriting import other_kind
from motion_rep.files.limits import MOST_FILE_BYTES, MOST_JSON_BYTES

# Byte order marks; that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    *((mark, "utf-32") for mark in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)),
    *((mark, "utf-16") for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
)


def require_file(path: str | os.PathLike) -> Path:
    """The path of a regular file that is neither empty nor too large.

    Raises:
        InputError: missing, a folder, a pipe, a device, empty, or too large.
    """
    path = Path(path)
    with readable(path):
        _require_plain(_stat(path), MOST_FILE_BYTES)
    return path


def require_given_folder(flag: str, path: Path | None, advice: str) -> None:
    """Check the folder that a flag names; None is a flag that was not given.

    Raises:
        UsageError: there is no such folder; the message ends with ``advice``.
    """
    if path is not None and not path.is_dir():
        raise UsageError(f"{flag} {one_line(path)}: is not a folder. {advice}")


@contextlib.contextmanager
def open_file(path: str | os.PathLike, most: int = MOST_FILE_BYTES) -> Iterator[BufferedReader]:
    """Open a regular file for reading bytes; pipes and devices are rejected at once, also behind a link.

    Raises:
        InputError: as :func:`require_file`, no permission, reading fails in the block, or the file changes in it.
    """
    with readable(path):
        _require_plain(_stat(path), most)
        # Opening must not block if the file was just replaced by a pipe.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            _require_plain(os.fstat(handle), most)
            before = version_at(handle)
            try:
                yield file
            except InputError:
                require_version(handle, before)  # the cause of what the reader found
                raise
            require_version(handle, before)


class Changed(InputError):
    """A file was changed or replaced while it was read."""


@contextlib.contextmanager
def unchanged(*paths: Any) -> Iterator[None]:
    """Check that files stay the same while a block reads them, also if it opens them several times.

    Remote files are not checked.

    Raises:
        Changed: one does not.
    """
    before = [version_at(path) for path in paths]

    def require_unchanged() -> None:
        for path, version in zip(paths, before, strict=True):
            with located(path):
                require_version(path, version)

    try:
        yield
    except InputError:
        require_unchanged()  # the cause of what the block found
        raise
    require_unchanged()


def version_at(place: Any) -> tuple[int, ...] | None:
    """Numbers that change if the file at a path, or an open file, is written; None if there is no local file."""
    try:
        found = os.stat(place)
    except (OSError, ValueError, TypeError):  # TypeError: a URL
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def require_version(place: Any, version: tuple[int, ...] | None) -> None:
    """Check that a file is still as :func:`version_at` found it.

    Raises:
        Changed: it is not; without the file's name.
    """
    if version_at(place) != version:
        raise Changed("was changed while it was read. Wait until it is complete, then re-run the command.")


def _stat(path: str | os.PathLike) -> os.stat_result:
    try:
        return os.stat(path)
    except ValueError as error:  # characters that no path can have
        raise InputError(f"cannot be read: {one_line(error)}. Check the path.") from None


def _require_plain(found: os.stat_result, most: int) -> None:
    if (kind := other_kind(found)) is not None:
        raise InputError(f"is {kind}, expected a file.")
    if found.st_size == 0:
        raise InputError("is empty (0 bytes). The program that wrote it was probably interrupted; run it again.")
    if found.st_size > most:
        raise InputError(f"has {found.st_size:,} bytes, expected at most {most:,}. Cut it to the part that you need.")


@contextlib.contextmanager
def readable(path: str | os.PathLike) -> Iterator[None]:
    """Put the path in front of the errors of a block that reads the file."""
    with located(path):
        try:
            yield
        except InputError:
            raise
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or one_line(error)}. Check the path.") from None


def read_bytes(path: str | os.PathLike, most: int = MOST_FILE_BYTES) -> bytes:
    """The bytes of a regular file that is not empty."""
    with open_file(path, most) as file:
        return file.read()


def read_text(path: str | os.PathLike) -> str:
    """The text of a regular file with line feeds at its line ends; it may be empty.

    It is UTF-8, or UTF-16 or UTF-32 with a byte order mark, as editors of Windows write it.

    Raises:
        InputError: as :func:`require_file`, more than 256 MB, or in another encoding; the message starts with the path.
    """
    if os.path.isfile(path) and os.path.getsize(path) == 0:
        return ""
    data = read_bytes(path, MOST_JSON_BYTES)
    try:
        text = data.decode(next((name for mark, name in MARKS if data.startswith(mark)), "utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def file_sha256(path: str | os.PathLike) -> str:
    """Hex digest of a file's bytes, read in pieces."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def safe_name(identifier: object) -> str:
    """A unique file name for an id: the id itself if that is safe, else a cleaned text and a digest.

    ``7`` and ``"7"`` give ``7``; ``"../a b"`` gives ``a_b-`` and sixteen hex digits. The name is never a path, never
    hidden and has at most 110 characters. Unsafe are capitals (many disks treat ``Walk`` and ``walk`` as one name),
    endings that look like a digest, names that Windows reserves, and a final point, which Windows drops.
    """
    text = str(identifier)
    if re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]{0,98}[a-z0-9_-])?", text) and not TAKEN_NAMES.fullmatch(text):
        return text
    clean = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")[:80] or "id"
    return f"{clean}-{_digest(text)[:16]}"


class OutputNames:
    """The names of the outputs in a folder: :func:`safe_name`, or an id's own text if only a file of that name exists.

    Earlier versions kept capitals, so their files are found. A text that ends like a digest may be another id's name,
    and is never used. The folder is listed once.

    Args:
        folder: a local path; for remote or missing folders, no files are known.
        suffix: extension of the files.
    """

    def __init__(self, folder: object, suffix: str) -> None:
        self._suffix, self._there = suffix, frozenset(_names_with_capitals(folder))

    def of(self, identifier: object) -> str:
        """The name of an id's output, without the suffix."""
        name, text = safe_name(identifier), str(identifier)
        if text + self._suffix not in self._there or TAKEN_NAMES.fullmatch(text) or not OLD_NAME.fullmatch(text):
            return name
        return name if name + self._suffix in self._there else text

    def older(self, identifier: object) -> str | None:
        """The name that earlier versions gave; it may be another id's, so its file counts only by content.

        None if it is the present name.
        """
        text = str(identifier)
        clean = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:80] or "id"
        name = text if OLD_NAME.fullmatch(text) else f"{clean}-{_digest(text)[:8]}"
        return None if name == self.of(identifier) else name


def _names_with_capitals(folder: object) -> Iterator[str]:
    """The names in a folder that earlier versions would have chosen differently, and their current equivalents."""
    if not isinstance(folder, str | os.PathLike):
        return
    with contextlib.suppress(OSError), os.scandir(os.fspath(folder)) as entries:
        names = (entry.name for entry in entries)
        yield from (name for name in names if name != name.lower() or DIGEST_END.search(name))


OLD_NAME, DIGEST_END = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"), re.compile(r"-[0-9a-f]{16}\.")
# Ids that cannot be names themselves: results of safe_name (8 digits in earlier versions), and reserved Windows names.
TAKEN_NAMES = re.compile(r".*-[0-9a-f]{8}([0-9a-f]{8})?|(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
