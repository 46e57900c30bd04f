"""The motion files that paths name."""

from __future__ import annotations

from motion_rep.files.locations import Location
from motion_rep.files.remote_files import files_in

MOTION_SUFFIX = ".pt"


def is_one_motion(path: Location) -> bool:
    """Whether a path is a file, not a folder of motions."""
    return not path.is_dir()


def motions_in(folder: Location) -> list[Location]:
    """The motion files within a folder, in order, without hidden ones."""
    return files_in(folder, (MOTION_SUFFIX,))
