"""Write files so that no reader ever sees half of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.file_lock import lock

# What atomic_path makes: a dot, the name, eight random digits, eight that follow from these, .tmp, the suffix.
TEMPORARY_NAME = re.compile(r"\.(?P<stem>.+)\.(?P<random>[a-f0-9]{8})-(?P<mark>[a-f0-9]{8})\.tmp(\.[^.]+)?", re.DOTALL)


def is_temporary_name(name: str) -> bool:
    """Whether a file's name carries the mark of a temporary file of this toolkit."""
    found = TEMPORARY_NAME.fullmatch(name)
    return found is not None and _mark(found["stem"], found["random"]) == found["mark"]


def _mark(stem: str, random: str) -> str:
    return hashlib.sha256(os.fsencode(f"motion_rep temporary {stem} {random}")).hexdigest()[:8]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    The temporary name keeps the suffix (encoders choose the container by it) and starts with a dot.

    Args:
        durable: wait until the disk has it, so that a power failure leaves the old or the new file. Costs milliseconds;
        leave it
            out for one of many files that can be made again (it may then be empty after a power failure, never half a
            file).

    Raises:
        InputError: the folder cannot be made or written, or the disk is full.
    """
    with _atomic_file(Path(path), durable) as (_, temporary):
        yield temporary


@contextlib.contextmanager
def _atomic_file(path: Path, durable: bool) -> Iterator[tuple[int, Path]]:
    """:func:`atomic_path` with the handle of the temporary file besides, which is open for writing."""
    handle = temporary = None
    try:
        # A link stays: what it leads to is replaced.
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        handle, temporary = locked_temporary(target)
        yield handle, temporary
        _finish(temporary, target, durable)
        temporary = None
    except OSError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(cannot_write(path, error)) from None
    finally:
        if handle is not None:
            discard(handle, temporary)


def locked_temporary(path: Path) -> tuple[int, Path]:
    """A new file beside ``path``, open and locked for as long as this process uses it: what nobody holds was left by a
    run that was killed.
    """
    while True:
        handle, name = _temporary(path)
        locked = lock(handle)
        if locked is None or (locked and os.fstat(handle).st_nlink):
            return handle, Path(name)
        # Swept away before it was locked.
        os.close(handle)


def _temporary(path: Path) -> tuple[int, str]:
    """A new file beside ``path``, in a folder that is made where it is not there."""
    try:
        return _marked_file(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _marked_file(path)


def _marked_file(path: Path) -> tuple[int, str]:
    stem = os.fsdecode(os.fsencode(path.stem)[:80])
    while True:
        random = secrets.token_hex(4)
        name = path.with_name(f".{stem}.{random}-{_mark(stem, random)}.tmp{path.suffix}")
        with contextlib.suppress(FileExistsError):
            return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), str(name)


def discard(handle: int, temporary: Path | None) -> None:
    """Close a temporary file and remove it where it is still there; on a drive that is gone that fails, and must not
    hide why the writing ended.
    """
    if temporary is not None:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.close(handle)


def _finish(temporary: Path, path: Path, durable: bool) -> None:
    """Flush to the disk and take the final name, with the permissions of the old file, or of a plain new one."""
    temporary.chmod(_permissions(path))
    if durable:
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
    os.replace(temporary, path)


def _permissions(path: Path) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode) & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


def cannot_write(path: str | os.PathLike, error: OSError) -> str:
    """The one line for a failed write."""
    return (
        f"{path}: cannot be written: {error.strerror or error}. Choose a folder that you may write to, with free space."
    )


def write_bytes(path: str | os.PathLike, data: bytes | memoryview, durable: bool = True) -> None:
    """Write a file atomically; ``durable`` as in :func:`atomic_path`."""
    with _atomic_file(Path(path), durable) as (handle, _):
        with open(handle, "wb", closefd=False) as file:
            file.write(data)
        # Some network drives say only when a file is closed that there was no room for it; the lock is kept.
        os.close(os.dup(handle))


def require_folder(path: str | os.PathLike) -> Path:
    """Make a folder for outputs, and check that files can be written there.

    Raises:
        UsageError: it cannot be made or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise UsageError(cannot_write(path, error)) from None
