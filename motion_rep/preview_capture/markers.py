"""Points of the body that correspond to landmarks, attached to the 22 joints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from motion_rep.kinematics.array_chain import ChainPose, transform
from motion_rep.kinematics.joints import JOINT_NAMES
from motion_rep.preview_capture import landmarks as lm


@dataclass(frozen=True)
class Markers:
    """M points that move with joints of the body.

    landmark: (M,) int64 which landmark it is. joint: (M,) int64. offset: (M, 3) metres in the joint's axes. trust: (M,)
        weight.
    """

    landmark: np.ndarray
    joint: np.ndarray
    offset: np.ndarray
    trust: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[tuple[int, str, tuple[float, float, float], float]], dtype: type) -> Markers:
        """Make markers from rows of landmark, joint's name, offset and trust."""
        landmark, joint, offset, trust = zip(*rows, strict=True)
        return cls(
            landmark=np.array(landmark),
            joint=np.array([JOINT_NAMES.index(name) for name in joint]),
            offset=np.array(offset, dtype),
            trust=np.array(trust, dtype),
        )

    def arms(self, pose: ChainPose) -> np.ndarray:
        """(3, M, T) directions from the joints to the markers."""
        return transform(pose.rotations[:, :, self.joint], self.offset.T[..., None])

    def place(self, pose: ChainPose) -> np.ndarray:
        """(3, M, T) positions of the markers."""
        return pose.positions[:, self.joint] + self.arms(pose)


# Landmark, joint, offset (metres; x left, y up, z forward), trust; the right side mirrors the left.
_MIDDLE = ((lm.NOSE, "head", (0.0, 0.003, 0.103), 0.8),)
_LEFT = (
    (lm.LEFT_EAR, "head", (0.044, 0.014, 0.041), 0.5),
    (lm.LEFT_SHOULDER, "left_shoulder", (0.008, -0.004, 0.003), 1.0),
    (lm.LEFT_ELBOW, "left_elbow", (0.008, 0.0, 0.004), 1.0),
    (lm.LEFT_WRIST, "left_wrist", (0.006, -0.007, -0.002), 1.0),
    (lm.LEFT_PINKY, "left_wrist", (0.08, -0.017, -0.02), 0.2),
    (lm.LEFT_INDEX, "left_wrist", (0.09, -0.015, 0.012), 0.3),
    (lm.LEFT_HIP, "left_hip", (0.035, 0.037, 0.01), 1.0),
    (lm.LEFT_KNEE, "left_knee", (0.02, 0.005, -0.005), 1.0),
    (lm.LEFT_ANKLE, "left_ankle", (0.02, 0.012, -0.004), 1.0),
    (lm.LEFT_HEEL, "left_ankle", (0.018, -0.035, -0.045), 0.5),
    (lm.LEFT_TOE, "left_foot", (0.008, 0.005, 0.045), 0.5),
)


def blazepose_markers(dtype: type = np.float32) -> Markers:
    """The landmarks of BlazePose that are informative about the 22 joints."""
    right = tuple(
        (number + 1, joint.replace("left", "right"), (-x, y, z), trust) for number, joint, (x, y, z), trust in _LEFT
    )
    rows = _MIDDLE + _LEFT + right
    return Markers.of(rows, dtype)
