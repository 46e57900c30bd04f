"""Names, folder and checksums of the landmark networks. Imports only the standard library."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from motion_rep.common.errors import UsageError
from motion_rep.files.local_files import file_sha256

FETCH_COMMAND = "python scripts/fetch_capture_weights.py"
DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "data" / "preview_capture"
WHEEL_REQUIREMENT = "mediapipe==0.10.21"
# One fixed build: only data is extracted, so it does not have to match this machine.
WHEEL_TAGS = ("--platform", "manylinux_2_28_x86_64", "--python-version", "311", "--implementation", "cp")


@dataclass(frozen=True)
class WeightFile:
    """A file: its name, its path in the wheel, and the sha256 of its bytes."""

    name: str
    member: str
    sha256: str

    def matches(self, data: bytes) -> bool:
        """Whether these are the file's bytes."""
        return hashlib.sha256(data).hexdigest() == self.sha256


DETECTOR = WeightFile(
    "pose_detection.tflite",
    "mediapipe/modules/pose_detection/pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)
LANDMARKS = WeightFile(
    "pose_landmark_full.tflite",
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)
LICENCE = WeightFile(
    "LICENSE",
    "mediapipe-0.10.21.dist-info/LICENSE",
    "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
)
WEIGHT_FILES = (DETECTOR, LANDMARKS)


def is_intact(file: WeightFile, folder: Path = DEFAULT_FOLDER) -> bool:
    """Whether the file is in the folder and unaltered."""
    path = Path(folder) / file.name
    return path.is_file() and file_sha256(path) == file.sha256


def require_weights(file: WeightFile, folder: Path = DEFAULT_FOLDER) -> Path:
    """The path of a weight file, after checking that it exists and is unaltered.

    Raises:
        UsageError: missing, or its sha256 differs.
    """
    path = Path(folder) / file.name
    fetch = FETCH_COMMAND if Path(folder) == DEFAULT_FOLDER else f"{FETCH_COMMAND} --folder {folder}"
    if not path.is_file():
        raise UsageError(f"{path}: a network of the preview capture is missing. Fetch it with: {fetch}")
    if not is_intact(file, folder):
        raise UsageError(f"{path}: is not the file that was fetched (its sha256 differs). Delete it and run: {fetch}")
    return path
