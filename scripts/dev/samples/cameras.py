"""The level cameras of the sample movements, and the capture that a system would write for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from motion_rep.kinematics.frames import OPENCV_FROM_Y_UP, basis
from motion_rep.kinematics.rotations import matrix_to_rotvec
from motion_rep.kinematics.skeleton import pelvis_at_rest
from scripts.dev.samples.figure import Figure, about_y
from scripts.dev.samples.motions import FPS, FRAMES

# The soles are this far below the joints on which a figure stands.
SOLE = 0.018


@dataclass(frozen=True)
class LevelCamera:
    """A level camera that looks at the place of the movement.

    bearing: degrees from the person's front to the camera, counter-clockwise seen from above.
    distance: metres from the camera to the middle of the movement. aside: metres by which the camera aims to the right
    of it.
    height: metres above the joints of the feet.
    """

    bearing: float
    distance: float
    aside: float = 0.0
    height: float = 1.03
    focal_length: float = 1100.0
    picture: tuple[int, int] = (1280, 720)

    @property
    def height_above_floor(self) -> float:
        """Metres."""
        return self.height + SOLE


CAMERAS = {
    "jumping_jack": LevelCamera(12.0, 4.4),
    "squat": LevelCamera(38.0, 4.0, aside=0.15),
    "circle_walk": LevelCamera(0.0, 4.6, height=1.15, focal_length=550.0, picture=(640, 360)),
    "wave": LevelCamera(-14.0, 3.7, aside=-0.2, height=1.10),
    "arm_raise_jittery": LevelCamera(8.0, 4.3),
    "wave_cartwheel_text": LevelCamera(20.0, 3.9),
}


def seen_by(camera: LevelCamera, figure: Figure) -> dict:
    """The documented capture dict: SMPL-X parameters in OpenCV camera axes, float32.

    The camera stands on the person's z axis after the person is turned by the bearing.
    """
    turn = about_y(torch.tensor([math.radians(-camera.bearing)], dtype=torch.float64))
    rotation = basis(OPENCV_FROM_Y_UP, turn) @ turn
    pelvis = _moved(rotation, figure.transl + pelvis_at_rest(figure.transl))
    pelvis = pelvis + torch.tensor([-camera.aside, camera.height, camera.distance], dtype=torch.float64)
    return {
        "global_orient": matrix_to_rotvec(rotation @ figure.root).float(),
        "body_pose": matrix_to_rotvec(figure.body).flatten(1).float(),
        "transl": (pelvis - pelvis_at_rest(pelvis)).float(),
        "focal_length": camera.focal_length,
        "width": camera.picture[0],
        "height": camera.picture[1],
        "fps": float(FPS),
        "frame_index": torch.arange(FRAMES),
    }


def _moved(rotation: Tensor, points: Tensor) -> Tensor:
    return (rotation @ points[..., None]).squeeze(-1)
