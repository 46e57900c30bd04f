"""What is written is checked as it will be read: in float32, finite, within the limits of the readers."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from sample_motions import smooth_clip

from motion_gating.metrics.joint_clip import FARTHEST_JOINT, read_joint_clip
from motion_rep.common.errors import InputError
from motion_rep.common.rates import SLOWEST_RATE
from motion_rep.files.limits import MOST_FRAMES
from motion_rep.kinematics.camera import Camera
from motion_rep.motions.motion_file import MotionClip, motion_clip, read_motion, write_motion
from motion_rep.safe_loading.torch_files import write_torch


def with_camera(**changes: float) -> MotionClip:
    """A clip whose camera is right in float64 and not after rounding."""
    intrinsic, pose = torch.eye(3, dtype=torch.float64) * 500, torch.eye(4, dtype=torch.float64)
    intrinsic[:2, 2], intrinsic[2, 2] = 200.0, 1.0
    pose[0, 3] = changes.get("far", 0.0)
    return dataclasses.replace(smooth_clip(), camera=Camera(intrinsic, pose))


@pytest.mark.parametrize("form", ["matrix", "rows"])
def test_a_camera_that_float32_cannot_hold(tmp_path, form):
    path = tmp_path / "a.pt"
    with pytest.raises(InputError, match="finite"):
        write_motion(path, with_camera(far=1e39), form)
    assert not path.exists()
    write_motion(path, with_camera(), form)
    assert read_motion(path).camera is not None


def test_a_motion_that_float32_cannot_hold(tmp_path):
    clip = smooth_clip()
    motion = clip.motion.double()
    motion[0, 270] = 1e39
    with pytest.raises(InputError):
        write_motion(tmp_path / "a.pt", MotionClip(motion, fps=16.0))
    assert not (tmp_path / "a.pt").exists()


def test_more_rows_than_the_limit():
    motion = torch.zeros(1, 276).expand(MOST_FRAMES + 1, 276)
    for read in (MotionClip, motion_clip, lambda value: motion_clip({"motion": value})):
        with pytest.raises(InputError, match=f"{MOST_FRAMES + 1:,} frames, expected at most"):
            read(motion)


@pytest.mark.parametrize(
    ("joints", "words"),
    [
        (torch.zeros(1, 22, 3).expand(MOST_FRAMES + 1, 22, 3).clone(), "frames, expected at most"),
        (torch.full((4, 22, 3), 2 * FARTHEST_JOINT), "metres away"),
        (torch.full((4, 22, 3), 1e200, dtype=torch.float64), "metres away"),
    ],
)
def test_joints_that_no_renderer_writes(tmp_path, joints, words):
    write_torch(tmp_path / "a.pt", {"joints": joints})
    with pytest.raises(InputError, match=words):
        read_joint_clip(tmp_path / "a.pt")


def test_a_rate_that_the_renderer_writes_is_read(tmp_path):
    write_torch(tmp_path / "a.pt", {"joints": torch.zeros(4, 22, 3), "fps": SLOWEST_RATE})
    assert read_joint_clip(tmp_path / "a.pt").fps == SLOWEST_RATE
