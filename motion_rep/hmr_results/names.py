"""Systems, spaces and file patterns of the readers, for command lines. Imports no numpy."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from motion_rep.common.errors import InputError
from motion_rep.files.local_files import open_file
from motion_rep.safe_loading.bounded_stream import open_zip


class System(NamedTuple):
    """A line of the registry: the name for ``--format``, its adapter's file, and the result files in its folders.

    results: patterns within a folder that is one capture. One without ``*`` contains everything; SMPLer-X writes a file
    for each frame, TRAM one for each person.
    """

    name: str
    module: str
    results: tuple[str, ...] = ()


# In the order in which adapters are asked whether they recognise a file.
SYSTEMS = (
    System("smpler-x", "smpler_x", ("smplx/*.npz",)),
    System("tram", "tram", ("hps/hps_track_*.npy", "hps_track_*.npy")),
    System("gvhmr", "gvhmr", ("hmr4d_results.pt",)),
    System("gem-smpl", "gem_smpl", ("smpl_params.pt",)),
    System("prompthmr", "prompthmr", ("results.pkl",)),
    System("sam-3d-body", "sam_3d_body"),
    System("amass", "amass"),
    System("camerahmr", "camerahmr"),
    System("smplest-x", "smplest_x"),
    System("standard", "standard"),
    System("4dhumans", "phalp"),
    System("tokenhmr", "tokenhmr"),
    System("wham", "wham", ("wham_output.pkl",)),
)
FORMATS = ("auto", *(system.name for system in SYSTEMS))
SPACES = ("camera", "world")
LONGEST = "longest"

FOLDER_PATTERNS = tuple(pattern for system in SYSTEMS for pattern in system.results)
RESULT_FILES = tuple(pattern for pattern in FOLDER_PATTERNS if "*" not in pattern)

# Arrays of a frame of SAM 3D Body; a whole clip has its frames' numbers, too.
SAM_ARRAYS = ("pred_keypoints_3d.npy", "pred_cam_t.npy")

# Extensions of captures in a folder.
CAPTURE_SUFFIXES = (".pt", ".pth", ".pkl", ".npz", ".npy")


def result_files(name: str) -> tuple[str, ...]:
    """The patterns of a system's result files within a folder."""
    return next(system.results for system in SYSTEMS if system.name == name)


def may_be_capture(name: str) -> bool:
    """Whether a search through a folder looks at a file of this name."""
    return name.lower().endswith(CAPTURE_SUFFIXES) and not name.startswith(".")


def is_capture_folder(path: Path) -> bool:
    """Whether a folder is one capture (the output of SMPLer-X, TRAM, WHAM, GVHMR or PromptHMR for one video)."""
    return path.is_dir() and (
        any(next(path.glob(pattern), None) is not None for pattern in FOLDER_PATTERNS) or holds_sam_frames(path)
    )


def holds_sam_frames(path: Path) -> bool:
    """Whether a folder contains SAM 3D Body's files of single frames, by the arrays in the first npz, because the names
    are arbitrary.
    """
    first = min(path.glob("*.npz"), default=None) if path.is_dir() else None
    if first is None:
        return False
    try:
        with open_file(first) as file:
            arrays = set(open_zip(file).namelist())
    except (InputError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
    return set(SAM_ARRAYS) <= arrays and "frame_index.npy" not in arrays


def captures_among(files: Iterable[PurePosixPath]) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    """The captures among the files below a folder: files, and folders that are one capture; hidden ones are omitted."""
    seen = [file for file in files if not any(part.startswith(".") for part in file.parts)]
    folders = {file.parents[pattern.count("/")] for file in seen for pattern in FOLDER_PATTERNS if file.match(pattern)}
    outermost = {folder for folder in folders if not folders.intersection(folder.parents)}
    files = [file for file in seen if may_be_capture(file.name) and not outermost.intersection(file.parents)]
    return files, sorted(outermost)
