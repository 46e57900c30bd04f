"""Motion-captured clips of PyPI's pybullet (zlib licence), transferred to the neutral body.

The files are those of DeepMimic (https://github.com/xbpeng/DeepMimic): a humanoid of 13 joints whose arms and legs hang
down at rest, in axes x forward, y up, z right; quaternions are w, x, y, z.
"""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from motion_rep.common.errors import UsageError
from motion_rep.kinematics.rotations import quaternion_to_matrix, rotvec_to_matrix, slerp
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics, pelvis_at_rest
from scripts.dev.capture_evaluation.motions import BodyMotion, sole_points

# Clips that are excluded from training.
HELD_OUT = ("dance_b", "punch", "jump", "cartwheel")
OURS_FROM_THEIRS = torch.tensor([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
# DeepMimic's joint, its numbers in a frame (a quaternion, or the angle of a hinge about its z axis), our joints.
JOINTS = (
    ("chest", 8, 4, ("spine1", "spine2", "spine3")),
    ("neck", 12, 4, ("neck", "head")),
    ("right_hip", 16, 4, ("right_hip",)),
    ("right_knee", 20, 1, ("right_knee",)),
    ("right_ankle", 21, 4, ("right_ankle",)),
    ("right_shoulder", 25, 4, ("right_shoulder",)),
    ("right_elbow", 29, 1, ("right_elbow",)),
    ("left_hip", 30, 4, ("left_hip",)),
    ("left_knee", 34, 1, ("left_knee",)),
    ("left_ankle", 35, 4, ("left_ankle",)),
    ("left_shoulder", 39, 4, ("left_shoulder",)),
    ("left_elbow", 43, 1, ("left_elbow",)),
)


def clip_files() -> dict[str, Path]:
    """The clips of people, by name.

    Raises:
        UsageError: pybullet is not installed.
    """
    found = find_spec("pybullet_data")
    if found is None or not found.submodule_search_locations:
        raise UsageError("the motion-captured clips need pybullet. Install it with: pip install pybullet==3.2.7")
    folder = Path(next(iter(found.submodule_search_locations))) / "data" / "motions"
    paths = sorted(folder.glob("humanoid3d_*.txt")) + sorted((folder / "walker").glob("*.txt"))
    return {path.stem.removeprefix("humanoid3d_"): path for path in paths}


def read_clip(path: Path) -> tuple[BodyMotion, float]:
    """A clip at its own rate, on the floor, and the rate."""
    rows = torch.tensor(json.loads(path.read_text())["Frames"], dtype=torch.float64)
    fps = 1 / float(rows[:, 0].median())
    local = torch.eye(3, dtype=torch.float64).repeat(len(rows), 22, 1, 1)
    local[:, 0] = _turn(rows[:, 4:8])
    for name, start, numbers, ours in JOINTS:
        turn = _hinge(rows[:, start]) if numbers == 1 else _turn(rows[:, start : start + 4])
        rest = _rest_of(name)
        bend = rest.mT @ turn @ rest if "elbow" in name else turn @ rest
        still = torch.eye(3, dtype=torch.float64).expand_as(bend)
        share = slerp(still, bend, torch.full_like(rows[:, 0], 1 / len(ours)))
        for joint in ours:
            local[:, JOINT_NAMES.index(joint)] = share
    transl = rows[:, 1:4] @ OURS_FROM_THEIRS.T - pelvis_at_rest(rows)
    pose = forward_kinematics(local[:, 0], local[:, 1:], transl)
    transl[:, 1] -= sole_points(pose)[..., 1].min()
    return BodyMotion(path.stem.removeprefix("humanoid3d_"), local[:, 0], local[:, 1:], transl), fps


def mocap_motion(name: str, frames: int, heading_degrees: float, fps: float) -> BodyMotion:
    """A clip at another rate, above the middle of the floor; at most ``frames`` frames.

    Args:
        heading_degrees: turns the whole clip about the vertical axis.
    """
    motion, own = read_clip(clip_files()[name])
    count = min(frames, int((len(motion.transl) - 1) / own * fps) + 1)
    where = torch.arange(count, dtype=torch.float64) * own / fps
    low = where.long().clamp(max=len(motion.transl) - 2)
    share = where - low
    local = torch.cat((motion.root[:, None], motion.body), 1)
    local = slerp(local[low], local[low + 1], share[:, None].expand(count, 22))
    transl = torch.lerp(motion.transl[low], motion.transl[low + 1], share[:, None])
    angle = torch.tensor([0.0, math.radians(heading_degrees), 0.0], dtype=torch.float64)
    turn = rotvec_to_matrix(angle)
    pelvis = (transl + pelvis_at_rest(transl)) @ turn.T
    middle = pelvis.mean(0) * torch.tensor([1.0, 0.0, 1.0])
    return BodyMotion(name, turn @ local[:, 0], local[:, 1:], pelvis - middle - pelvis_at_rest(transl))


def _turn(quaternion: Tensor) -> Tensor:
    """(T, 4) in DeepMimic's axes to (T, 3, 3) in ours."""
    return (
        OURS_FROM_THEIRS @ quaternion_to_matrix(quaternion / quaternion.norm(dim=-1, keepdim=True)) @ OURS_FROM_THEIRS.T
    )


def _hinge(angle: Tensor) -> Tensor:
    """A hinge; DeepMimic's z is our -x."""
    return rotvec_to_matrix(torch.stack((-angle, 0 * angle, 0 * angle), -1))


def _rest_of(name: str) -> Tensor:
    """From our arm, which points sideways at rest, to DeepMimic's, which hangs down."""
    if "shoulder" not in name and "elbow" not in name:
        return torch.eye(3, dtype=torch.float64)
    sign = -1.0 if name.startswith("left") else 1.0
    return rotvec_to_matrix(torch.tensor([0.0, 0.0, sign * math.pi / 2], dtype=torch.float64))
