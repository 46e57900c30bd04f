"""A file in which what a run finds out waits to be written, instead of in memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import IO

from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import cannot_write
from motion_rep.files.locations import Location, is_remote


@contextlib.contextmanager
def scratch_file(target: Location) -> Iterator[IO[bytes]]:
    """A file without a name on the disk of ``target`` (of temporary files, if that is remote), to write and read; nothing is left of it after a kill.

    Raises:
        InputError: it cannot be written; names ``target``.
    """
    try:
        with tempfile.TemporaryFile(dir=None if is_remote(target) else target.parent) as file:
            yield file
    except OSError as error:
        raise InputError(cannot_write(target, error)) from None
