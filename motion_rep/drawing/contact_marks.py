"""Marks on the ground under toes and heels that are in contact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from motion_rep.drawing.scene import Mesh
from motion_rep.kinematics.foot_contact import FEET, heels, point_contacts
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP
from motion_rep.kinematics.parameters import BodyParameters

COLOR = (0.18, 0.80, 0.44)
# Metres. Above the shadow, so that it does not cover the mark; wide enough to be seen beside the foot.
RADIUS, LIFT = 0.10, 0.004
CORNERS = 24

# A frame's number, the offset of the scene (3,) and the height of its ground to a mesh; None where nothing stands.
Marks = Callable[[int, np.ndarray, float], Mesh | None]


def contact_marks(parameters: BodyParameters, fps: float) -> Marks:
    """The marks of a clip, z up."""
    joints = parameters.joints()
    contacts = point_contacts(joints, fps)
    flags = np.concatenate((contacts.toes.numpy(), contacts.heels.numpy()), axis=1)
    places = joints.numpy()
    points = np.concatenate((places[:, FEET], heels(places)), axis=1) @ np.asarray(Y_UP_FROM_Z_UP).T

    def marks(frame: int, offset: np.ndarray, floor: float) -> Mesh | None:
        standing = points[frame, flags[frame]] + offset
        return _discs(standing, floor + LIFT) if len(standing) else None

    return marks


def _discs(centres: np.ndarray, height: float) -> Mesh:
    """Discs around points (n, 3), y up, at one height."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    ring = RADIUS * np.stack((np.cos(angles), 0 * angles, np.sin(angles)), axis=1)
    corners = centres[:, None] * (1.0, 0.0, 1.0) + ring + (0.0, height, 0.0)
    steps = np.arange(1, CORNERS - 1)
    fan = np.stack((0 * steps, steps, steps + 1), axis=1)
    faces = np.concatenate([fan + CORNERS * number for number in range(len(centres))])
    return Mesh(
        corners.reshape(-1, 3).astype(np.float32),
        # Both windings: which one faces up depends on the axes.
        np.concatenate((faces, faces[:, ::-1])).astype(np.int32),
        np.tile(np.array(COLOR, np.float32), (CORNERS * len(centres), 1)),
    )
