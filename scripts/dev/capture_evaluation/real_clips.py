"""Score captures of real clips: ``NAME.mp4``, with ``NAME_truth.npz`` if triangulated landmarks are known.

A truth file contains ``landmarks`` (T, 33, 3) in metres, OpenCV camera axes, BlazePose's order, and ``up`` (3,).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import read_standard_capture
from motion_rep.captures.image_fit import ImageFit, stored_image_fit
from motion_rep.common.errors import UsageError
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.measures.benchmark import jitter_per_frame
from motion_rep.safe_loading.torch_files import read_torch

# Shoulder, elbow, wrist, hip, knee, ankle of the left, then of the right: joints of the body, and landmarks.
JOINTS = np.array([16, 18, 20, 1, 4, 7, 17, 19, 21, 2, 5, 8])
LANDMARKS = np.array([11, 13, 15, 23, 25, 27, 12, 14, 16, 24, 26, 28])
OTHER_SIDE = np.array([*range(6, 12), *range(6)])
HIPS = [3, 9]
LIMBS = np.array([(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (9, 10), (10, 11)])
# Degrees by which exchanged sides must fit better to count as exchanged.
EXCHANGED = 15.0
LEVEL = np.array([0.0, -1.0, 0.0])
COLUMNS = {
    "mpjpe": "MPJPE mm",
    "depth": "depth mm",
    "across": "across mm",
    "limbs": "limbs deg",
    "exchanged": "exchanged",
    "up": "up deg off",
    "jitter_ratio": "jitter/true",
    "image_fit": "image fit",
    "image_miss_95": "miss 95 %",
    "seconds": "s/100 fr.",
}


@dataclass(frozen=True)
class RealScores:
    """Errors of one real clip; those against the truth are None if it is unknown.

    mpjpe, depth, across: mm, 12 limb joints, aligned at the middle of the hips; along and across the view.
    limbs: degrees between directions of upper arms, forearms, thighs and shins.
    exchanged: share of frames that fit better by 15 degrees with left and right exchanged.
    up: degrees between the capture's up direction and the true one.
    jitter_ratio: jitter degree of the 12 joints over that of the landmarks.
    image_fit, image_miss_95: see :class:`motion_rep.captures.image_fit.ImageFit`.
    seconds: CPU time per 100 frames, including the start.
    """

    image_fit: float
    image_miss_95: float
    seconds: float
    mpjpe: float | None = None
    depth: float | None = None
    across: float | None = None
    limbs: float | None = None
    exchanged: float | None = None
    up: float | None = None
    jitter_ratio: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """All numbers, for JSON."""
        return asdict(self)


def real_clips(folder: Path) -> list[Path]:
    """The videos of a folder, by name.

    Raises:
        UsageError: there is none.
    """
    videos = sorted(folder.glob("*.mp4"))
    if not videos:
        raise UsageError(f"--real {folder}: contains no .mp4 file, expected clips and their NAME_truth.npz.")
    return videos


def score_real(output: Path, video: Path, seconds: float) -> RealScores:
    """Score the capture file of a clip; ``seconds`` is the CPU time of the whole clip."""
    capture, fit = read_standard_capture(output), stored_image_fit(read_torch(output)) or ImageFit(np.ones(0), 1.0, 0.0)
    truth = video.with_name(f"{video.stem}_truth.npz")
    errors = against_truth(capture, dict(np.load(truth))) if truth.is_file() else {}
    return RealScores(fit.share, fit.miss_95, 100 * seconds / max(len(capture), 1), **errors)


def against_truth(capture: Capture, truth: dict[str, np.ndarray]) -> dict[str, float]:
    """The errors of the frames with known truth."""
    rows = np.arange(len(capture)) if capture.frame_index is None else capture.frame_index.numpy()
    known = rows < len(truth["landmarks"])
    joints = forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions.numpy()
    found = joints[known][:, JOINTS]
    true = truth["landmarks"][rows[known]][:, LANDMARKS].astype(float)
    off = _angles(_directions(found), _directions(true)).mean(1)
    other = _angles(_directions(found[:, OTHER_SIDE]), _directions(true)).mean(1)
    miss = 1000 * (_from_hips(found) - _from_hips(true))
    up = LEVEL if capture.up is None else capture.up.numpy()
    return {
        "mpjpe": float(np.linalg.norm(miss, axis=-1).mean()),
        "depth": float(np.abs(miss[..., 2]).mean()),
        "across": float(np.linalg.norm(miss[..., :2], axis=-1).mean()),
        "limbs": float(off.mean()),
        "exchanged": float((other < off - EXCHANGED).mean()),
        "up": float(_angles(truth["up"].astype(float), up)),
        "jitter_ratio": float(jitter_per_frame(found).mean() / max(jitter_per_frame(true).mean(), 1e-9)),
    }


def real_row(name: str, values: dict[str, float | None], header: bool) -> str:
    """A row of the table of real clips."""
    cells = (f"{'-' if (v := values[key]) is None else f'{v:.3g}':>{len(t) + 2}}" for key, t in COLUMNS.items())
    titles = f"{'real clip':28}" + "".join(f"  {title}" for title in COLUMNS.values()) + "\n" if header else ""
    return titles + f"{name:28}" + "".join(cells)


def _directions(points: np.ndarray) -> np.ndarray:
    bones = points[:, LIMBS[:, 1]] - points[:, LIMBS[:, 0]]
    return bones / np.linalg.norm(bones, axis=-1, keepdims=True)


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((first * second).sum(-1), -1, 1)))


def _from_hips(points: np.ndarray) -> np.ndarray:
    return points - points[:, HIPS].mean(1, keepdims=True)
