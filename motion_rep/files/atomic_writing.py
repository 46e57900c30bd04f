"""Write files so that no reader ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.file_lock import lock

# What atomic_path makes: a dot, the name, eight random characters, .tmp, the suffix.
TEMPORARY_NAME = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp(\.[A-Za-z0-9]+)?")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    The temporary name keeps the suffix (encoders choose the container by it) and starts with a dot.

    Args:
        durable: wait until the disk has it, so that a power failure leaves the old or the new file. Costs milliseconds; leave it
            out for one of many files that can be made again (it may then be empty after a power failure, never half a file).

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
        handle, temporary = locked_temporary(path)
        yield handle, temporary
        _finish(temporary, path, durable)
        temporary = None
    except OSError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(cannot_write(path, error)) from None
    finally:
        if handle is not None:
            discard(handle, temporary)


def locked_temporary(path: Path) -> tuple[int, Path]:
    """A new file beside ``path``, open and locked for as long as this process uses it: what nobody holds was left by a run that was killed."""
    while True:
        handle, name = _temporary(path)
        locked = lock(handle)
        if locked is None or (locked and os.fstat(handle).st_nlink):
            return handle, Path(name)
        # Swept away before it was locked.
        os.close(handle)


def _temporary(path: Path) -> tuple[int, str]:
    """A new file beside ``path``, in a folder that is made where it is not there."""
    parts = {"dir": path.parent, "prefix": f".{path.stem[:80]}.", "suffix": f".tmp{path.suffix}"}
    try:
        return tempfile.mkstemp(**parts)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.mkstemp(**parts)


def discard(handle: int, temporary: Path | None) -> None:
    """Close a temporary file and remove it where it is still there; on a drive that is gone that fails, and must not hide why the writing ended."""
    if temporary is not None:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.close(handle)


def _finish(temporary: Path, path: Path, durable: bool) -> None:
    """Flush to the disk and take the final name, with the permissions that a plain new file would have."""
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    if durable:
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
    os.replace(temporary, path)


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
