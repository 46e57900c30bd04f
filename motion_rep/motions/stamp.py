"""A stamp in motion files that identifies their input and settings, so that a resumed run skips finished work."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

from motion_rep.files.local_files import file_sha256, unchanged

KEY = "made_from"
# Files that make up a capture folder; its pictures and videos do not count.
DATA_SUFFIXES = (".pt", ".pth", ".pkl", ".npz", ".npy", ".json")


def stamped(value: dict, made_from: str) -> dict:
    """The contents of a motion file with a stamp: the digests of its origin and of the motion."""
    return {**value, KEY: f"{made_from} {motion_digest(value['motion'])}"}


def is_foreign(value: object) -> bool:
    """Whether a file was not written by a folder run, or has been edited since."""
    stamp = value.get(KEY) if isinstance(value, Mapping) else None
    motion = value.get("motion") if isinstance(value, Mapping) else None
    return (
        not isinstance(stamp, str)
        or not isinstance(motion, Tensor)
        or stamp.rpartition(" ")[2] != motion_digest(motion)
    )


def is_made_from(value: object, made_from: str) -> bool:
    """Whether a stamped file was made from this input with these settings."""
    return isinstance(value, Mapping) and value[KEY].rpartition(" ")[0] == made_from


@contextlib.contextmanager
def content_digest(path: Path, settings: str) -> Iterator[str]:
    """Hex digest of a capture (a file or a capture folder), which the block reads, and of the settings.

    Raises:
        InputError: a file cannot be read, or was changed before the block ended.
    """
    if path.is_dir():
        files = {
            os.path.relpath(found, path): found
            for found in sorted(path.rglob("*"))
            if found.suffix in DATA_SUFFIXES and found.is_file()
        }
    else:
        files = {".": path}
    with unchanged(*files.values()):
        parts = [settings, *(f"{name} {file_sha256(file)}" for name, file in files.items())]
        yield hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def motion_digest(motion: Tensor) -> str:
    """Hex digest of a motion's numbers."""
    return hashlib.sha256(motion.detach().cpu().contiguous().numpy().data).hexdigest()
