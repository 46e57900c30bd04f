"""The errors of a capture relative to the truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.measures.benchmark import jitter_per_frame

_INDEX = {name: number for number, name in enumerate(JOINT_NAMES)}
# An angle lies between two bones, each from joint to joint; the trunk replaces the bone above hips and shoulders.
_TRUNK = ("neck", "pelvis")
ANGLES = {
    "hip": [(_TRUNK, (f"{s}_hip", f"{s}_knee")) for s in ("left", "right")],
    "knee": [((f"{s}_hip", f"{s}_knee"), (f"{s}_knee", f"{s}_ankle")) for s in ("left", "right")],
    "shoulder": [(_TRUNK, (f"{s}_shoulder", f"{s}_elbow")) for s in ("left", "right")],
    "elbow": [((f"{s}_shoulder", f"{s}_elbow"), (f"{s}_elbow", f"{s}_wrist")) for s in ("left", "right")],
}


@dataclass(frozen=True)
class Scores:
    """Errors of one clip.

    mpjpe: mm, mean over frames and 22 joints with aligned pelvises.
    procrustes: mm, after the best similarity of each frame.
    hip, knee, shoulder, elbow: degrees between the bones' angle and the true one. limbs: their mean.
    root: mm, the pelvis' path after the best scale (depth is known only up to scale) and shift.
    jitter, true_jitter: the gate's jitter degree.
    detected: share of frames. seconds: CPU time per 100 frames.
    """

    mpjpe: float
    procrustes: float
    hip: float
    knee: float
    shoulder: float
    elbow: float
    limbs: float
    root: float
    jitter: float
    true_jitter: float
    detected: float
    seconds: float

    @property
    def jitter_ratio(self) -> float:
        """Jitter relative to that of the truth."""
        return self.jitter / max(self.true_jitter, 1e-9)

    def to_dict(self) -> dict[str, float]:
        """All numbers, for JSON."""
        return asdict(self) | {"jitter_ratio": self.jitter_ratio}


def score(found: np.ndarray, truth: np.ndarray, detected: float, seconds: float) -> Scores:
    """Compare (T, 22, 3) joints in camera axes, metres, frame by frame."""
    error = np.linalg.norm(_from_pelvis(found) - _from_pelvis(truth), axis=-1).mean() * 1000
    angles = {
        name: float(np.mean([np.abs(_angle(found, *pair) - _angle(truth, *pair)).mean() for pair in pairs]))
        for name, pairs in ANGLES.items()
    }
    return Scores(
        mpjpe=float(error),
        procrustes=float(np.linalg.norm(_aligned(found, truth) - truth, axis=-1).mean() * 1000),
        **angles,
        limbs=float(np.mean(list(angles.values()))),
        root=_path_error(found[:, 0], truth[:, 0]),
        jitter=float(jitter_per_frame(found).mean()),
        true_jitter=float(jitter_per_frame(truth).mean()),
        detected=detected,
        seconds=seconds,
    )


def mean(scores: list[Scores]) -> dict[str, float]:
    """The mean of every number over clips."""
    return {key: float(np.mean([s.to_dict()[key] for s in scores])) for key in scores[0].to_dict()}


def _from_pelvis(joints: np.ndarray) -> np.ndarray:
    return joints - joints[:, :1]


def _angle(joints: np.ndarray, first: tuple[str, str], second: tuple[str, str]) -> np.ndarray:
    """(T,) degrees between two bones."""
    a, b = (joints[:, _INDEX[end]] - joints[:, _INDEX[start]] for start, end in (first, second))
    cosine = (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    return np.degrees(np.arccos(cosine.clip(-1, 1)))


def _aligned(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Each frame moved, turned and scaled onto the truth (Umeyama, 1991, https://doi.org/10.1109/34.88573)."""
    centre, target = found.mean(1, keepdims=True), truth.mean(1, keepdims=True)
    a, b = found - centre, truth - target
    u, s, vh = np.linalg.svd(a.transpose(0, 2, 1) @ b)
    flip = np.ones_like(s)
    flip[:, 2] = np.sign(np.linalg.det(u @ vh))
    scale = (s * flip).sum(1) / (a * a).sum((1, 2))
    return scale[:, None, None] * a @ (u * flip[:, None]) @ vh + target


def _path_error(found: np.ndarray, truth: np.ndarray) -> float:
    scaled = found * (truth[:, 2].mean() / found[:, 2].mean())
    return float(np.linalg.norm((scaled - scaled.mean(0)) - (truth - truth.mean(0)), axis=-1).mean() * 1000)
