"""The motion files that paths name."""

from __future__ import annotations

import os
from pathlib import Path

from motion_rep.files.locations import Location, RemotePath
from motion_rep.files.remote_files import remote_files_below

MOTION_SUFFIX = ".pt"


def is_one_motion(path: Location) -> bool:
    """Whether a path is a file, not a folder of motions."""
    return not path.is_dir()


def motions_in(folder: Location) -> list[Location]:
    """The motion files within a folder, in order, without hidden ones."""
    if isinstance(folder, RemotePath):
        found = [name for name in remote_files_below(folder) if name.suffix == MOTION_SUFFIX]
        return [folder / name for name in sorted(found) if not any(part.startswith(".") for part in name.parts)]
    motions = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        motions += [Path(parent) / name for name in names if name.endswith(MOTION_SUFFIX) and name[0] != "."]
    return sorted(motions)
