"""An anonymous temporary file that buffers results to save memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import IO

from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import cannot_write
from motion_rep.files.locations import Location, RemotePath


@contextlib.contextmanager
def scratch_file(target: Location) -> Iterator[IO[bytes]]:
    """An anonymous file on the disk of ``target`` (in the system's temporary folder if that is remote); it disappears
    with the process. The folder of ``target`` is created if missing.

    Raises:
        InputError: it cannot be written; the message contains ``target``.
    """
    try:
        folder = None if isinstance(target, RemotePath) else target.parent
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        raise InputError(cannot_write(str(target), error)) from None
