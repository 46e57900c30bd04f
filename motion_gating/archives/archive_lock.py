"""One writer at a time for an archive, so that no decisions are lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from motion_rep.common.end_signals import signals_held
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.overwriting import require_replaceable
from motion_rep.files.atomic_writing import cannot_write
from motion_rep.files.file_lock import has_locks, lock
from motion_rep.files.locations import Location, RemotePath

# If a lock file is another one each time that it is opened, the drive gives no lasting inode numbers, and it is taken.
MOST_TRIES = 1000


@contextlib.contextmanager
def archive_lock(archive: Location) -> Iterator[None]:
    """Hold the lock of a local archive during a write: a hidden file in its folder, removed at the end.

    The folder is created if missing.

    Raises:
        UsageError: another process writes this archive.
    """
    if isinstance(archive, RemotePath):
        yield
        return
    path = archive.parent / f".{archive.name}.lock"
    handle = None
    try:
        with signals_held():
            handle = _locked(path)
        if handle is None:
            raise UsageError(
                f"{archive}: another run is writing this archive. Wait until it ends, then re-run this command."
            )
        yield
    finally:
        if handle is not None:
            _unlock(handle, path)


def _locked(path: Path) -> int | None:
    """The handle of the lock file; None if another process holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for more in reversed(range(MOST_TRIES)):
            require_replaceable(path)  # a pipe would be removed at the end
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if lock(handle) is False:
                os.close(handle)
                return None
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(path)) or not more:
                    return handle
            os.close(handle)  # the previous owner removed it
        return None
    except InputError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(cannot_write(path, error)) from None


def _unlock(handle: int, path: Path) -> None:
    with signals_held():
        if not has_locks():
            os.close(handle)
        with contextlib.suppress(OSError):
            path.unlink()
        if has_locks():
            os.close(handle)
