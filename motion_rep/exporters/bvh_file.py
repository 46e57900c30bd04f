"""A BVH file: the skeleton at rest, then Euler angles over time."""

from __future__ import annotations

import os

import numpy as np
import torch
from torch import Tensor

from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS, rest_joints

UNITS = {"m": 1.0, "cm": 100.0}
# Metres beyond the last joint of a limb along its bone: BVH requires an end site, to which editors draw the last bone.
END_LENGTH = 0.1


def write_bvh(path: str | os.PathLike, motion: PosedMotion, unit: str = "m") -> None:
    """Write joint names, degrees (Z, then X, then Y), lengths in ``unit`` and the frame time."""
    write_bytes(path, bvh_text(motion, unit).encode("ascii"))


def bvh_text(motion: PosedMotion, unit: str = "m") -> str:
    """The text of the file. The root's offset is zero, so its position channels are the pelvis position."""
    scale = UNITS[unit]
    header = [
        "HIERARCHY",
        *_joint_lines(0, 0, scale),
        "MOTION",
        f"Frames: {len(motion)}",
        f"Frame Time: {1.0 / motion.fps:.10f}",
    ]
    rows = [" ".join(f"{value:.6f}" for value in row) for row in _channels(motion, scale)]
    return "\n".join([*header, *rows]) + "\n"


def euler_zxy(rotations: Tensor) -> Tensor:
    """Angles (z, x, y) with R = Rz(z) Rx(x) Ry(y), x within 90 degrees.

    The last angle is computed after the first is undone. Near x = 90 degrees only their sum is defined; together they
    still give the rotation.

    Args:
        rotations: (..., 3, 3)
    Returns:
        (..., 3) radians.
    """
    z = torch.atan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    cosine, sine = z.cos()[..., None], z.sin()[..., None]
    first = cosine * rotations[..., 0, :] + sine * rotations[..., 1, :]
    second = cosine * rotations[..., 1, :] - sine * rotations[..., 0, :]
    return torch.stack(
        (z, torch.atan2(rotations[..., 2, 1], second[..., 1]), torch.atan2(first[..., 2], first[..., 0])), dim=-1
    )


def continuous_euler_zxy(rotations: Tensor) -> np.ndarray:
    """Angles over time without jumps: of both solutions and their full turns the one closest to the previous frame.

    The other solution of (z, x, y) is (z + 180, 180 - x, y + 180) degrees; a knee that bends past 90 degrees changes to
    it. Players interpolate each angle separately, so a jump would misplace the joint between two frames.

    Args:
        rotations: (N, J, 3, 3)
    Returns:
        (N, J, 3) float64 radians; the first frame is the solution closest to zero.
    """
    one = euler_zxy(rotations).numpy()
    other = one * (1.0, -1.0, 1.0) + np.pi
    angles = np.empty_like(one)
    before = np.zeros_like(one[0])
    for frame, candidates in enumerate(np.stack((one, other), axis=1)):
        near = candidates - 2 * np.pi * np.round((candidates - before) / (2 * np.pi))
        step = np.abs(near - before).sum(-1, keepdims=True)
        before = angles[frame] = np.where(step[0] <= step[1], near[0], near[1])
    return angles


def _joint_lines(joint: int, depth: int, scale: float) -> list[str]:
    rest = rest_joints().numpy() * scale
    offset = rest[joint] - rest[PARENTS[joint]] if joint else np.zeros(3)
    position = "Xposition Yposition Zposition " if joint == 0 else ""
    lines = [
        f"{'ROOT' if joint == 0 else 'JOINT'} {JOINT_NAMES[joint]}",
        "{",
        f"  OFFSET {_numbers(offset)}",
        f"  CHANNELS {6 if joint == 0 else 3} {position}Zrotation Xrotation Yrotation",
    ]
    children = [child for child, parent in enumerate(PARENTS) if parent == joint]
    for child in children:
        lines += _joint_lines(child, 1, scale)
    if not children:
        lines += [
            "  End Site",
            "  {",
            f"    OFFSET {_numbers(offset / np.linalg.norm(offset) * END_LENGTH * scale)}",
            "  }",
        ]
    return ["  " * depth + line for line in (*lines, "}")]


def _channels(motion: PosedMotion, scale: float) -> np.ndarray:
    """(N, 3 + 22 * 3): the pelvis, then degrees joint by joint in the order of the hierarchy, without jumps."""
    rotations = torch.cat((motion.parameters.root[:, None], motion.parameters.body), dim=1)[:, _depth_first()]
    angles = np.rad2deg(continuous_euler_zxy(rotations))
    return np.concatenate((motion.parameters.pelvis().numpy() * scale, angles.reshape(len(motion), -1)), axis=1)


def _depth_first(joint: int = 0) -> list[int]:
    return [joint, *(found for child, parent in enumerate(PARENTS) if parent == joint for found in _depth_first(child))]


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)
