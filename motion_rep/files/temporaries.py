"""Remove the temporary files and folders of runs that were killed."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from motion_rep.files.atomic_writing import discard, is_temporary_name, locked_temporary
from motion_rep.files.file_lock import lock
from motion_rep.files.folder_lock import folder_lock


def remove_stale_temporaries(folder: str | os.PathLike[str], recursive: bool = True) -> None:
    """Remove the temporary files of killed runs from a folder; those of running processes stay.

    Args:
        recursive: include subfolders.
    """
    for parent, folders, names in os.walk(folder):
        for name in names:
            _remove_if_abandoned(parent, name)
        if not recursive:
            folders.clear()


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Mark a folder of temporary files while this process works in it; see :func:`remove_abandoned_folders`."""
    with folder_lock(folder):  # first, so that another run does not take the new mark for an abandoned one
        handle, mark = locked_temporary(folder / "in_use", "")
        try:
            yield
        finally:
            discard(handle, mark)


def remove_abandoned_folders(parent: Path, prefix: str) -> None:
    """Remove the folders that killed runs marked with :func:`in_use`; unmarked folders stay."""
    for folder in parent.glob(f"{glob.escape(prefix)}*"):
        marks = [mark for mark in folder.glob(".in_use.*.tmp") if is_temporary_name(mark.name)]
        if not marks or _is_locked(folder):
            continue
        for mark in marks:
            _remove_if_abandoned(mark.parent, mark.name)
        if not any(map(os.path.lexists, marks)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_locked(folder: Path) -> bool:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # on Windows; there an open mark cannot be removed
        return False
    try:
        return lock(handle) is False
    finally:
        os.close(handle)


def _remove_if_abandoned(folder: str | os.PathLike[str], name: str) -> None:
    if not is_temporary_name(name):
        return
    path = os.path.join(folder, name)
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if stat.S_ISREG(os.fstat(handle).st_mode) and lock(handle):
                os.unlink(path)
        finally:
            os.close(handle)
