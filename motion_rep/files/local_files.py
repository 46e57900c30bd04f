"""Read local files, and name them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from motion_rep.common.errors import InputError, one_line


def require_file(path: str | os.PathLike) -> Path:
    """The path, if a file is there that is not empty.

    Raises:
        InputError: nothing there, a folder, or no bytes.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, expected a file.")
        if path.stat().st_size == 0:
            raise InputError(
                f"{path}: is empty (0 bytes). The program that wrote it was probably interrupted; run it again."
            )
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: characters that no path can have
        raise InputError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or one_line(error)}. Check the path."
        ) from None
    return path


def read_bytes(path: str | os.PathLike) -> bytes:
    """The bytes of a file that is there and not empty."""
    path = require_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None


def text_at_start(path: str | os.PathLike) -> str | None:
    """The beginning of a file's first line, in quotes, where it is readable text; None where it is not, as in torch files and most pickles."""
    with open(path, "rb") as file:
        line = file.read(80).decode("utf-8", "replace").lstrip("\ufeff \t\r\n").partition("\n")[0].rstrip()
    # ascii(): text of a file must not steer a terminal.
    return ascii(line[:24]) if len(line) > 1 and line[:24].isprintable() and "\ufffd" not in line[:24] else None


def file_sha256(path: str | os.PathLike) -> str:
    """Hex digest of a file's bytes, read in pieces."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None


def safe_name(identifier: object) -> str:
    """A file name for an id: its own text where that is harmless, else a cleaned text and a short digest.

    ``7`` and ``"7"`` give ``7``; ``"../a b"`` gives ``a_b-`` and eight hex digits. Never a path, never hidden, at most 110 characters.
    """
    text = str(identifier)
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", text):
        return text
    clean = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-")[:80] or "id"
    return f"{clean}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
