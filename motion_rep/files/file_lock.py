"""Locks of open files, on systems that support them."""

from __future__ import annotations

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


def has_locks() -> bool:
    """Whether the system has such locks; on Windows, where it has none, an open file cannot be renamed or removed."""
    return fcntl is not None


def lock(handle: int) -> bool | None:
    """Lock an open file; False if another process holds the lock, None if the system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
