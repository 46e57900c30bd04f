"""Write files atomically: a reader sees the old or the new file, never half of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from motion_rep.common.end_signals import signals_held
from motion_rep.common.errors import InputError, UsageError, system_failure
from motion_rep.common.overwriting import require_replaceable
from motion_rep.files.file_lock import has_locks, lock

# Names of atomic_path: a dot, the stem, eight random digits, eight check digits, .tmp, the suffix.
TEMPORARY_NAME = re.compile(r"\.(?P<stem>.+)\.(?P<random>[a-f0-9]{8})-(?P<mark>[a-f0-9]{8})\.tmp(\.[^.]+)?", re.DOTALL)

# Errors of drives (FAT, object stores) on which nobody can change permissions.
WITHOUT_PERMISSIONS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


def is_temporary_name(name: str) -> bool:
    """Whether a name is one of this toolkit's temporary files."""
    found = TEMPORARY_NAME.fullmatch(name)
    return found is not None and _mark(found["stem"], found["random"]) == found["mark"]


def _mark(stem: str, random: str) -> str:
    return hashlib.sha256(os.fsencode(f"motion_rep temporary {stem} {random}")).hexdigest()[:8]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, durable: bool = True) -> Iterator[Path]:
    """A temporary path in the folder of ``path`` that replaces it when the block ends without an error.

    The temporary name keeps the suffix (encoders choose the container by it) and starts with a dot.

    Args:
        durable: flush to the disk, so that a power failure leaves the old or the new file. This costs milliseconds;
            pass False for one of many files that can be regenerated: it may then be empty after a power failure.
    Raises:
        InputError: the folder cannot be created or written to, the disk is full, or ``path`` is no file.
    """
    with _atomic_file(Path(path), durable) as (_, temporary):
        yield temporary


@contextlib.contextmanager
def _atomic_file(path: Path, durable: bool) -> Iterator[tuple[int, Path]]:
    """:func:`atomic_path` that also gives the open handle of the temporary file."""
    handle = temporary = None
    try:
        # Keep a symbolic link and replace its target.
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        require_replaceable(target)
        with signals_held():
            handle, temporary = locked_temporary(target, path.suffix)
        yield handle, temporary
        if not has_locks():
            os.close(handle)
            handle = None
        _finish(temporary, target, durable)
        temporary = None
    except OSError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(cannot_write(path, error)) from None
    finally:
        discard(handle, temporary)


def locked_temporary(path: Path, suffix: str) -> tuple[int, Path]:
    """A new temporary file in the folder of ``path``, open and locked.

    The target of a link may have another suffix than the link, by which writers choose the format.

    The lock lasts as long as this process uses the file; an unlocked temporary file is left over from a killed run.
    """
    while True:
        handle, name = _temporary(path, suffix)
        locked = lock(handle)
        # Some drives count no links, so the number of links does not tell whether the file is there.
        if locked is None or (locked and os.path.lexists(name)):
            return handle, Path(name)
        # Another run removed it before it was locked.
        os.close(handle)


def _temporary(path: Path, suffix: str) -> tuple[int, str]:
    """A new file in the folder of ``path``, which is created if missing."""
    try:
        return _marked_file(path, suffix)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _marked_file(path, suffix)


def _marked_file(path: Path, suffix: str) -> tuple[int, str]:
    stem = os.fsdecode(os.fsencode(path.stem)[:80])
    # The system applies the umask; to read it, a process must change it for a moment, also for its other threads. What
    # replaces a private file is private from the beginning.
    mode = 0o600 if path.exists() else 0o666
    while True:
        random = secrets.token_hex(4)
        name = path.with_name(f".{stem}.{random}-{_mark(stem, random)}.tmp{suffix}")
        with contextlib.suppress(FileExistsError):
            return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode), str(name)


def discard(handle: int | None, temporary: Path | None) -> None:
    """Close a temporary file and remove it if it still exists.

    Errors are ignored: on a lost drive they would hide the cause of the failed write.
    """
    with signals_held():
        if handle is not None:
            with contextlib.suppress(OSError):
                os.close(handle)  # first: Windows removes no open file
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _finish(temporary: Path, path: Path, durable: bool) -> None:
    """Flush to the disk and rename, with the permissions of the old file."""
    try:
        with contextlib.suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(path.stat().st_mode) & 0o777)
    except OSError as error:
        if error.errno not in WITHOUT_PERMISSIONS:
            raise
    if durable:
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
    os.replace(temporary, path)


def cannot_write(path: str | os.PathLike, error: OSError) -> str:
    """The error message for a failed write."""
    leads_nowhere = os.path.islink(path) and not os.path.exists(path) and isinstance(error, FileExistsError)
    what = "it is a link to a folder that is missing" if leads_nowhere else error.strerror or error
    return f"{path}: cannot be written: {what}. Choose a writable folder with free space."


def write_bytes(path: str | os.PathLike, data: bytes | memoryview, durable: bool = True) -> None:
    """Write a file atomically; ``durable`` as in :func:`atomic_path`."""
    with _atomic_file(Path(path), durable) as (handle, _):
        with open(handle, "wb", closefd=False) as file:
            file.write(data)
        # Some network drives report a full disk only on close; closing a duplicate keeps the lock.
        os.close(os.dup(handle))


def remove_file(path: str | os.PathLike) -> None:
    """Remove a file or a link if it exists.

    Raises:
        InputError: it cannot be removed, or it is a folder, a pipe, a socket or a device, which stays.
    """
    path = Path(path)
    if not path.is_symlink():
        require_replaceable(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(system_failure(error)) from None


def require_folder(path: str | os.PathLike) -> Path:
    """Create a folder for outputs and check that it is writable.

    Raises:
        UsageError: it cannot be created or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise UsageError(cannot_write(path, error)) from None
