"""What may be asked of the readers, for command lines: only the standard library is imported here."""

from __future__ import annotations

from pathlib import Path

# The order of the help text; "auto" looks at the file.
FORMATS = ("auto", "standard", "smplest-x", "smpler-x", "camerahmr", "4dhumans", "wham", "gvhmr", "tram", "prompthmr", "amass")
SPACES = ("camera", "world")
LONGEST = "longest"

# Where a folder holds a single capture: any of these within it. SMPLer-X writes a file per frame, TRAM one per person.
SMPLER_X_FILES = "smplx/*.npz"
TRAM_FILES = ("hps/hps_track_*.npy", "hps_track_*.npy")
RESULT_FILES = ("wham_output.pkl", "hmr4d_results.pt", "results.pkl")

# What a search through a folder of captures should look at.
CAPTURE_SUFFIXES = (".pt", ".pth", ".pkl", ".npz", ".npy")


def is_capture_folder(path: Path) -> bool:
    """Whether a folder is one capture (the output of SMPLer-X, TRAM, WHAM, GVHMR or PromptHMR for one video)."""
    patterns = (SMPLER_X_FILES, *TRAM_FILES, *RESULT_FILES)
    return path.is_dir() and any(next(path.glob(pattern), None) is not None for pattern in patterns)
