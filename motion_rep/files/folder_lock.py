"""One run at a time in an output folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from motion_rep.files.file_lock import lock

try:
    import msvcrt
except ImportError:  # only on Windows
    msvcrt = None  # type: ignore[assignment]

SECONDS_BETWEEN_TRIES = 0.2
LOCK_FILE = ".lock"


@contextlib.contextmanager
def folder_lock(folder: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[int | None]:
    """Hold an existing folder until the block ends; wait while another run holds it.

    Gives the file descriptor of the lock: a program that inherits it keeps the lock. Windows locks a file ``.lock`` in
    the folder; a system without locks gives None.

    Args:
        waiting: called once if another run holds the folder.
    """
    on_windows = msvcrt is not None
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT) if on_windows else os.open(folder, os.O_RDONLY)
    try_lock = _lock_on_windows if on_windows else lock
    try:
        if (locked := try_lock(handle)) is False:
            waiting()
        while locked is False:
            time.sleep(SECONDS_BETWEEN_TRIES)
            locked = try_lock(handle)
        yield handle if locked else None
    finally:
        os.close(handle)


def _lock_on_windows(handle: int) -> bool:
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True
