"""Made-up motions for tests: smooth, reproducible, and wild enough to reach every corner of a rotation."""

from __future__ import annotations

import torch

from motion_rep.captures.capture import Capture
from motion_rep.kinematics.camera import Camera, intrinsic_matrix, rigid_transform
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.motions.encoding import encode_capture
from motion_rep.motions.motion_file import MotionClip


def smooth_capture(frames: int = 41, seed: int = 0, reach: float = 0.8) -> Capture:
    """A person in a camera's view who sways, turns and walks; ``reach`` is the largest angle of a joint in radians,
    about.
    """
    generator = torch.Generator().manual_seed(seed)

    def wave(size: int, amplitude: float) -> torch.Tensor:
        time = torch.linspace(0, 1, frames, dtype=torch.float64)[:, None]
        rate, phase = (torch.rand(size, generator=generator, dtype=torch.float64) for _ in range(2))
        return amplitude * torch.sin(6.3 * (time * (0.5 + 2 * rate) + phase))

    upright = torch.tensor([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=torch.float64)  # faces the camera
    root = rotvec_to_matrix(wave(3, reach) * torch.tensor([0.3, 1.5, 0.3])) @ upright
    body = rotvec_to_matrix(wave(63, reach).reshape(frames, 21, 3))
    return Capture(root, body, wave(3, 0.5) + torch.tensor([0.1, 0.2, 4.0]), fps=16.0)


def smooth_clip(frames: int = 41, seed: int = 0, reach: float = 0.8, fps: float | None = 16.0) -> MotionClip:
    """The same as a motion file's content: ``frames`` - 1 rows, and a camera."""
    encoded = encode_capture(smooth_capture(frames, seed, reach))
    ahead = rigid_transform(
        torch.tensor([[-1.0, 0, 0], [0, 0, -1], [0, -1, 0]], dtype=torch.float64),
        torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64),
    )
    return MotionClip(encoded.motion.float(), Camera(intrinsic_matrix(500, 320, 240), ahead), fps)
