"""The common input of all exports: body parameters over time, in the axes of the file."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from motion_rep.kinematics.camera import Camera
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP, basis
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.motions.closing_frame import with_closing_frame
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip

Z_UP, Y_UP = "zup", "yup"


@dataclass(frozen=True)
class PosedMotion:
    """SMPL-X parameters of N frames, float64.

    parameters: root (N, 3, 3), body (N, 21, 3, 3), transl (N, 3) metres, in the axes of ``frame``.
    fps: frames per second.
    frame: ``zup`` (the person faces +y first) or ``yup`` (faces +z).
    camera: in the z-up axes, None if unknown.
    start_time: time of the first frame in the source video, seconds.
    """

    parameters: BodyParameters
    fps: float
    frame: str = Z_UP
    camera: Camera | None = None
    start_time: float = 0.0

    def __len__(self) -> int:
        return len(self.parameters.transl)

    def joints(self) -> Tensor:
        """(N, 22, 3) joint positions by forward kinematics, metres."""
        return self.parameters.joints()


def posed_motion(clip: MotionClip, fps: float, frame: str, closing: bool = False) -> PosedMotion:
    """Body parameters of a motion, read from its columns.

    Args:
        fps: frames per second.
        frame: axes of the result.
        closing: add the frame after the last row, so that converting the result restores every row.
    """
    motion = clip.motion.double()
    parameters = with_closing_frame(motion) if closing else body_parameters(motion)
    if frame != Z_UP:
        parameters = parameters.turned(basis(Y_UP_FROM_Z_UP, parameters.transl))
    return PosedMotion(parameters, fps, frame, clip.camera, clip.start_time)
