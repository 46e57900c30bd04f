"""From a path to its contents, by what the bytes are and not by what the name ends in; nothing in a file is ever run unless trusted explicitly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from motion_rep.safe_files import read_torch


@dataclass(frozen=True)
class Document:
    """A file's contents (``value``; None for a folder) with what its adapter may need besides.

    image_size: (width, height) in pixels as given by the user, for systems that do not store it; None where not given.
    """

    path: Path
    value: object
    image_size: tuple[int, int] | None = None
    trust_pickle: bool = False


def open_document(path: Path, image_size: tuple[int, int] | None = None, trust_pickle: bool = False) -> Document:
    """Read a file.

    Raises:
        InputError: the message starts with the path.
    """
    return Document(path, read_torch(path), image_size, trust_pickle)
