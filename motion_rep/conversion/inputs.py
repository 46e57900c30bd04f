"""Find captures: a file, a folder that is one capture, or a folder of captures, local or remote."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from motion_rep.files.locations import Location, RemotePath
from motion_rep.files.remote_files import remote_files_below
from motion_rep.hmr_results.names import captures_among, is_capture_folder, may_be_capture


def captures_at(paths: Iterable[Location], empty_too: bool = False) -> list[Location]:
    """All captures at these paths, in order; folders of captures are searched.

    Args:
        empty_too: list a folder without captures itself.
    """
    groups = ([path] if is_one_capture(path) else captures_in(path) or [path] * empty_too for path in paths)
    return [found for group in groups for found in group]


def is_one_capture(path: Location) -> bool:
    """Whether a path is one capture: a file, or the output folder of a system for one video."""
    if isinstance(path, RemotePath):
        return not path.is_dir() or PurePosixPath(".") in _remote_captures(path)[1]
    return not path.is_dir() or is_capture_folder(path)


def captures_in(folder: Location) -> list[Location]:
    """The captures within a folder, in order, without hidden ones; a folder that is one capture is not searched."""
    if isinstance(folder, RemotePath):
        files, folders = _remote_captures(folder)
        return sorted([*(folder / name for name in files), *((folder / name).as_folder() for name in folders)])
    found: list[Path] = []
    for parent, folders_here, names in os.walk(folder):
        here = Path(parent)
        ones = {name for name in folders_here if is_capture_folder(here / name)}
        found += [here / name for name in ones]
        found += [here / name for name in names if may_be_capture(name)]
        folders_here[:] = [name for name in folders_here if name not in ones and not name.startswith(".")]
    return sorted(found)


# A bucket is listed once per run: hundreds of thousands of files take minutes.
@functools.cache
def _remote_captures(folder: RemotePath) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    return captures_among(remote_files_below(folder))


def forget_listings() -> None:
    """Clear the cached listings of buckets, which may have changed since an earlier run in this process."""
    _remote_captures.cache_clear()
