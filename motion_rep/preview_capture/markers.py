"""Points of the body that a landmark network marks, tied to the 22 joints."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from motion_rep.preview_capture import landmarks as lm
from motion_rep.skeleton import JOINT_NAMES, JointPoses


@dataclass(frozen=True)
class Markers:
    """M points that move with joints of the body.

    landmark: (M,) int64 which landmark it is. joint: (M,) int64. offset: (M, 3) metres in the joint's axes. trust: (M,) weight.
    """

    landmark: Tensor
    joint: Tensor
    offset: Tensor
    trust: Tensor

    def place(self, pose: JointPoses) -> Tensor:
        """(T, M, 3) where the markers are."""
        return pose.positions[:, self.joint] + (pose.rotations[:, self.joint] @ self.offset[..., None]).squeeze(-1)


# Landmark, joint, offset (metres; x left, y up, z forward), trust; the right side mirrors the left.
_MIDDLE = ((lm.NOSE, "head", (0.0, 0.03, 0.115), 0.6),)
_LEFT = (
    (lm.LEFT_EAR, "head", (0.075, 0.03, 0.0), 0.5),
    (lm.LEFT_SHOULDER, "left_shoulder", (0.0, 0.0, 0.0), 1.0),
    (lm.LEFT_ELBOW, "left_elbow", (0.0, 0.0, 0.0), 1.0),
    (lm.LEFT_WRIST, "left_wrist", (0.0, 0.0, 0.0), 1.0),
    (lm.LEFT_PINKY, "left_wrist", (0.085, -0.015, -0.044), 0.2),
    (lm.LEFT_INDEX, "left_wrist", (0.10, -0.01, 0.02), 0.3),
    (lm.LEFT_HIP, "left_hip", (0.035, 0.04, 0.0), 1.0),
    (lm.LEFT_KNEE, "left_knee", (0.0, 0.0, 0.0), 1.0),
    (lm.LEFT_ANKLE, "left_ankle", (0.0, 0.0, 0.0), 1.0),
    (lm.LEFT_HEEL, "left_ankle", (0.0, -0.045, -0.045), 0.5),
    (lm.LEFT_TOE, "left_foot", (0.0, -0.015, 0.07), 0.5),
)


def blazepose_markers(dtype: torch.dtype = torch.float32) -> Markers:
    """The landmarks of BlazePose that say something about the 22 joints."""
    right = tuple((number + 1, joint.replace("left", "right"), (-x, y, z), trust) for number, joint, (x, y, z), trust in _LEFT)
    rows = _MIDDLE + _LEFT + right
    return Markers(
        landmark=torch.tensor([row[0] for row in rows]),
        joint=torch.tensor([JOINT_NAMES.index(row[1]) for row in rows]),
        offset=torch.tensor([row[2] for row in rows], dtype=dtype),
        trust=torch.tensor([row[3] for row in rows], dtype=dtype),
    )
