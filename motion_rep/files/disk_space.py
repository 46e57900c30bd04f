"""Check before a run that its disk has space for the results."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from motion_rep.common.errors import UsageError
from motion_rep.files.locations import Location, RemotePath


def require_space(folder: Location, bytes_needed: int, purpose: str = "the results") -> None:
    """Check that the disk of a folder, or of its nearest existing parent, has enough space.

    Remote folders, and file systems that report no size, are not checked.

    Args:
        bytes_needed: a lower bound; callers must not refuse a run that would fit.
        purpose: what the space is for, such as "900 motions".
    Raises:
        UsageError: less is free.
    """
    free = None if isinstance(folder, RemotePath) else _free_bytes(folder)
    if free is not None and free < bytes_needed:
        raise UsageError(
            f"{folder}: its disk has {_readable(free)} left, expected at least {_readable(bytes_needed)} for "
            f"{purpose}. Free some space, or choose another folder."
        )


def size_of(path: Location) -> int:
    """Bytes of a local file; 0 for a remote, a missing or an unreadable one."""
    try:
        return 0 if isinstance(path, RemotePath) else os.stat(path).st_size
    except (OSError, ValueError):  # ValueError: characters that no path can have
        return 0


def sizes_to_do(pairs: Iterable[tuple[Location, Location]]) -> Iterator[int]:
    """The size of each first file of the pairs whose second file, made from the first, does not exist yet."""
    return (size_of(source) for source, target in pairs if not size_of(target))


def _free_bytes(folder: Path) -> int | None:
    place = Path(os.path.abspath(folder))
    try:
        while not place.is_dir() and place != place.parent:
            place = place.parent
        usage = shutil.disk_usage(place)
    except OSError:
        return None
    return usage.free if usage.total else None


def _readable(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
