"""When the feet stand, by the benchmark's definition: the foot's joint is slow, or low."""

from __future__ import annotations

import torch
from torch import Tensor

from motion_rep.kinematics.skeleton import JOINT_NAMES

FEET = (JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot"))
FOOT_NAMES = ("left foot", "right foot")
CONTACT_HEIGHT = 0.02  # metres
CONTACT_SPEED = 0.16  # metres per second: the benchmark's 0.01 m a frame at 16 fps


def foot_contacts(joints: Tensor, fps: float) -> Tensor:
    """(N, 2) bool: left and right foot on the ground.

    Args:
        joints: (N, 22, 3) positions, z up, floor at 0, metres.
    """
    feet = joints[:, FEET]
    low = feet[..., 2] < CONTACT_HEIGHT
    if len(feet) < 2:
        return low
    speed = feet.diff(dim=0).norm(dim=-1) * fps
    return low | (torch.cat((speed, speed[-1:])) < CONTACT_SPEED)
