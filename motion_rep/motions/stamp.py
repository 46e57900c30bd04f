"""What a motion file was made from, noted inside it, so that a run that is started again knows what it need not do."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from motion_rep.files.local_files import file_sha256

KEY = "made_from"
# What a folder that is one capture is told by; pictures and videos beside it are not read.
DATA_SUFFIXES = (".pt", ".pth", ".pkl", ".npz", ".npy", ".json")


def stamped(value: dict, made_from: str) -> dict:
    """The contents of a motion file with a note: the digest of what it was made from, and that of the motion."""
    return {**value, KEY: f"{made_from} {motion_digest(value['motion'])}"}


def is_foreign(value: object) -> bool:
    """Whether a file's contents are not, or no longer, what a folder run wrote: made elsewhere, or changed."""
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


def content_digest(path: Path, settings: str) -> str:
    """Hex digest of a capture (a file, or a folder that is one) and of the settings."""
    if path.is_dir():
        files = {
            os.path.relpath(found, path): found
            for found in sorted(path.rglob("*"))
            if found.suffix in DATA_SUFFIXES and found.is_file()
        }
    else:
        files = {".": path}
    parts = [settings, *(f"{name} {file_sha256(file)}" for name, file in files.items())]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def motion_digest(motion: Tensor) -> str:
    """Hex digest of a motion's numbers."""
    return hashlib.sha256(motion.detach().cpu().contiguous().numpy().data).hexdigest()
