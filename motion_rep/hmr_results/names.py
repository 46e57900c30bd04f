"""What may be asked of the readers, for command lines: only the standard library is imported here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

# The order of the help text; "auto" looks at the file.
FORMATS = (
    "auto",
    "standard",
    "smplest-x",
    "smpler-x",
    "camerahmr",
    "4dhumans",
    "wham",
    "gvhmr",
    "tram",
    "prompthmr",
    "amass",
)
SPACES = ("camera", "world")
LONGEST = "longest"

# Where a folder holds a single capture: any of these within it. SMPLer-X writes a file per frame, TRAM one per person.
SMPLER_X_FILES = "smplx/*.npz"
TRAM_FILES = ("hps/hps_track_*.npy", "hps_track_*.npy")
RESULT_FILES = ("wham_output.pkl", "hmr4d_results.pt", "results.pkl")
FOLDER_PATTERNS = (SMPLER_X_FILES, *TRAM_FILES, *RESULT_FILES)

# What a search through a folder of captures should look at.
CAPTURE_SUFFIXES = (".pt", ".pth", ".pkl", ".npz", ".npy")


def is_capture_folder(path: Path) -> bool:
    """Whether a folder is one capture (the output of SMPLer-X, TRAM, WHAM, GVHMR or PromptHMR for one video)."""
    return path.is_dir() and any(next(path.glob(pattern), None) is not None for pattern in FOLDER_PATTERNS)


def captures_among(files: Iterable[PurePosixPath]) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    """The captures among the files below a folder: those that are files, and the folders that are one capture; what is hidden is left out."""
    seen = [file for file in files if not any(part.startswith(".") for part in file.parts)]
    folders = {file.parents[pattern.count("/")] for file in seen for pattern in FOLDER_PATTERNS if file.match(pattern)}
    outermost = {folder for folder in folders if not folders.intersection(folder.parents)}
    return [
        file for file in seen if file.name.endswith(CAPTURE_SUFFIXES) and not outermost.intersection(file.parents)
    ], sorted(outermost)
