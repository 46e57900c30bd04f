"""Recognise the kind of a file from its first bytes."""

from __future__ import annotations

import re
from typing import BinaryIO

VIDEO = "video"
# First bytes of common kinds of files; a dot matches any byte.
KINDS = (
    (rb"....ftyp(heic|heix|mif1|avif)", "a HEIF picture"),
    (rb"....(ftyp|moov|mdat|wide)", f"an mp4 or mov {VIDEO}"),
    (rb"\x1aE\xdf\xa3", f"an mkv or webm {VIDEO}"),
    (rb"RIFF....AVI ", f"an avi {VIDEO}"),
    (rb"RIFF....WEBP", "a webp picture"),
    (rb"GIF8", "a gif picture"),
    (rb"\x89PNG", "a png picture"),
    (rb"\xff\xd8\xff", "a jpeg picture"),
    (rb"\x89HDF", "an HDF5 file"),
    (rb"%PDF", "a PDF"),
    (rb"glTF", "a glb model"),
    (rb"Kaydara FBX", "an fbx model"),
    (rb"HIERARCHY\b", "a BVH file"),
    (rb"MATLAB 5", "a MATLAB file"),
    (rb"\x93NUMPY", "a numpy file"),
    (rb"PK\x03\x04", "a zip file"),
    (rb"SQLite format 3", "an SQLite database"),
    (rb"\x7fELF", "a program"),
)
PATTERNS = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in KINDS)


def kind_at_start(file: BinaryIO) -> str | None:
    """The kind of an open file by its first bytes, such as ``an avi video``; None if unknown."""
    file.seek(0)
    start = file.read(80)
    return next((kind for pattern, kind in PATTERNS if pattern.match(start)), None)


def text_at_start(file: BinaryIO) -> str | None:
    """The start of an open file's first line in quotes if it is text, else None (torch files, most pickles)."""
    file.seek(0)
    line = file.read(80).decode("utf-8", "replace").lstrip("\ufeff \t\r\n").partition("\n")[0].rstrip()
    # ascii(): text of a file must not steer a terminal.
    return ascii(line[:24]) if len(line) > 1 and line[:24].isprintable() and "\ufffd" not in line[:24] else None


def found_at_start(file: BinaryIO) -> str | None:
    """A clause with the kind of an open file or else its first text; None if its bytes show neither."""
    if (kind := kind_at_start(file)) is not None:
        return f"it is {kind}"
    text = text_at_start(file)
    return None if text is None else f"it starts with {text}"
