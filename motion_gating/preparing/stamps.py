"""Record which results are up to date: a small file next to each contains the digest of its sources."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from motion_rep.common.errors import InputError
from motion_rep.common.messages import say_warning
from motion_rep.files.atomic_writing import remove_file, write_bytes
from motion_rep.files.local_files import file_sha256, read_bytes


def digest_of(files: Iterable[Path], settings: object = "") -> str | None:
    """Hex digest of the contents of files and of settings; None if a file cannot be read."""
    try:
        parts = [*(_digest(file) for file in files), str(settings)]
    except (InputError, OSError):
        return None
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _digest(file: Path) -> str:
    found = os.stat(file)
    return _digest_of_state(file, found.st_ino, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=1 << 16)
def _digest_of_state(file: Path, *state: int) -> str:
    """Read each video once per run, although the plan and several steps need its digest."""
    return file_sha256(file)


def is_current(result: Path, stamp: Path, digest: str | None) -> bool:
    """Whether a result exists and was made from sources with this digest."""
    if digest is None or not result.is_file() or not os.path.getsize(result):
        return False
    with contextlib.suppress(InputError):
        return read_bytes(stamp).strip() == digest.encode()
    return False


def set_current(stamp: Path, digest: str | None) -> None:
    """Record that a result was made from sources with this digest."""
    if digest is None:
        return
    try:
        write_bytes(stamp, digest.encode(), durable=False)
    except InputError as error:
        say_warning(f"{error} The next run will repeat this step.")


def remove(*files: Path) -> None:
    """Remove outdated results.

    Raises:
        InputError: a result cannot be removed, or is not a file and stays.
    """
    for file in files:
        remove_file(file)
