"""Clean bodies, and the faults that captures add to them: noise, a tilted camera, a root that drifts."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from motion_rep.kinematics.camera import Camera, intrinsic_matrix, rigid_transform
from motion_rep.kinematics.frames import Z_UP_FROM_OPENCV, basis
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.motions.encoding import encode_parameters
from motion_rep.motions.motion_file import MotionClip
from motion_rep.refining.moving_body import MovingBody, in_canonical_frame, motion_clip_of
from scripts.dev.refining_evaluation.steps import Z_UP_FROM_FIGURE
from scripts.dev.samples.figure import Figure
from scripts.dev.samples.motions import FPS, arm_raise, circle_walk, jumping_jack, squat, wave

SAMPLES: dict[str, Callable[[], Figure]] = {
    "jumping_jack": lambda: jumping_jack(1),
    "squat": lambda: squat(2),
    "circle_walk": lambda: circle_walk(3),
    "wave": lambda: wave(4),
    "arm_raise": lambda: arm_raise(5),
    "wave_left": lambda: wave(6, "left"),
}
IN_PLACE = tuple(name for name in SAMPLES if name != "circle_walk")


def sample(name: str) -> BodyParameters:
    """A clean sample in z-up axes, floor at 0."""
    figure = SAMPLES[name]()
    body = BodyParameters(figure.root, figure.body, figure.transl)
    return body.turned(torch.tensor(Z_UP_FROM_FIGURE, dtype=torch.float64))


def noisy(parameters: BodyParameters, degrees: float = 1.3, metres: float = 0.005, seed: int = 0) -> BodyParameters:
    """White noise on every joint's rotation and on the place of the root."""
    random = torch.Generator().manual_seed(seed)
    frames = len(parameters.transl)
    angles = math.radians(degrees) * torch.randn(frames, 22, 3, generator=random, dtype=torch.float64)
    shift = metres * torch.randn(frames, 3, generator=random, dtype=torch.float64)
    noise = rotvec_to_matrix(angles)
    return BodyParameters(parameters.root @ noise[:, 0], parameters.body @ noise[:, 1:], parameters.transl + shift)


def tilt(pitch: float, roll: float) -> Tensor:
    """(3, 3) the rotation of a motion that assumes a level camera, if the camera in front of the person is tilted
    (degrees).
    """
    forward, aside = math.radians(pitch), math.radians(roll)
    about_x = rotvec_to_matrix(torch.tensor((forward, 0.0, 0.0), dtype=torch.float64))
    return about_x @ rotvec_to_matrix(torch.tensor((0.0, aside, 0.0), dtype=torch.float64))


def clip_of(parameters: BodyParameters, fps: float = FPS, with_camera: bool = False) -> MotionClip:
    """A canonical motion of a body; the camera stands 4 m in front of the first frame."""
    camera = None
    if with_camera:
        rotation = basis(Z_UP_FROM_OPENCV, parameters.transl).T
        at = parameters.pelvis()[0] + parameters.transl.new_tensor((0.0, 4.0, 0.1))
        camera = Camera(intrinsic_matrix(800, 640, 480), rigid_transform(rotation, -rotation @ at))
    raw = MotionClip(encode_parameters(parameters).float(), camera, fps)
    pose = None if camera is None else camera.world_to_camera
    return motion_clip_of(in_canonical_frame(MovingBody(parameters, parameters.joints(), pose, fps)), raw)
