"""Kimodo's npz of a motion (export only): y up, initially facing +z, the 22 joints of SMPL-X."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.measures.benchmark import CONTACT_HEIGHT, CONTACT_SPEED, METRIC_FPS

# SMPL-X has no heel: the ankle replaces it, minus its height above the floor for a standing person.
FEET = tuple(JOINT_NAMES.index(name) for name in ("left_ankle", "left_foot", "right_ankle", "right_foot"))
HEIGHTS = (0.08, 0.0, 0.08, 0.0)
SMOOTH_SECONDS = 0.2


def kimodo_arrays(body: BodyParameters, fps: float) -> dict[str, np.ndarray]:
    """The arrays of the file.

    Args:
        body: T frames with y up.
        fps: frames per second.
    """
    poses = body.joint_poses()
    facing = torch.atan2(body.root[:, 0, 2], body.root[:, 2, 2])
    pelvis = body.pelvis()
    arrays = {
        "posed_joints": poses.positions,
        "global_rot_mats": poses.rotations,
        "local_rot_mats": torch.cat((body.root[:, None], body.body), dim=1),
        "root_positions": pelvis,
        "smooth_root_pos": smoothed(pelvis, SMOOTH_SECONDS * fps),
        "global_root_heading": torch.stack((facing.cos(), facing.sin()), dim=-1),
        "foot_contacts": _contacts(poses.positions, fps).to(pelvis.dtype),
    }
    return {name: value.float().numpy() for name, value in arrays.items()}


def smoothed(values: Tensor, spread: float) -> Tensor:
    """A Gaussian filter over the frames of (T, C), edges repeated; spread in frames."""
    radius = max(1, round(4 * spread))
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=values.dtype) / spread) ** 2)
    padded = torch.cat((values[:1].expand(radius, -1), values, values[-1:].expand(radius, -1)))
    return (padded.unfold(0, 2 * radius + 1, 1) * weights).sum(-1) / weights.sum()


def _contacts(joints: Tensor, fps: float) -> Tensor:
    """(T, 4) bool: left heel, left toe, right heel, right toe; low or slow, as in the toolkit's metrics."""
    feet = joints[:, FEET]
    floor = joints[..., 1].min() + feet.new_tensor(HEIGHTS)
    speed = torch.cat((feet.diff(dim=0), feet[-1:] - feet[-2:-1])).norm(dim=-1) * fps
    return (feet[..., 1] - floor < CONTACT_HEIGHT) | (speed < CONTACT_SPEED * METRIC_FPS)
