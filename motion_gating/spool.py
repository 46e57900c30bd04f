"""A file in which what a run finds out waits to be written, instead of in memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from motion_rep.errors import InputError
from motion_rep.safe_files import cannot_write


@contextlib.contextmanager
def spool(target: Path) -> Iterator[IO[bytes]]:
    """A file without a name on the disk of ``target``, open to write and read; nothing is left of it after a kill.

    Raises:
        InputError: it cannot be written; names ``target``.
    """
    try:
        with tempfile.TemporaryFile(dir=target.parent) as file:
            yield file
    except OSError as error:
        raise InputError(cannot_write(target, error)) from None
