"""Mark feet that stand or slide: discs on the ground under toes and heels, and the colour of these parts of the
body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion_rep.drawing.scene import Mesh
from motion_rep.drawing.shading import BODY_COLOR
from motion_rep.kinematics.foot_contact import ANKLES, FEET
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.measures.sliding import FootPoints, foot_points

# Increase it whenever the marks change, so that older files with marks are redrawn.
MARKS_VERSION = 2
# Colours of standing and of sliding points.
COLOR, SLIDING_COLOR = (0.18, 0.80, 0.44), (0.90, 0.10, 0.10)
# Metres. Above the shadow, so that it does not cover the mark; wide enough to be visible next to the foot.
RADIUS, LIFT = 0.10, 0.004
CORNERS = 24
# The part of the body at each point, in the order of the points.
PARTS = (*FEET, *ANKLES)


@dataclass(frozen=True)
class ContactMarks:
    """The marks of a clip."""

    points: FootPoints

    def discs(self, frame: int, offset: np.ndarray, floor: float) -> Mesh | None:
        """The discs on the ground in a frame, y-up; None if nothing stands.

        Args:
            offset: (3,) of the scene. floor: height of its ground.
        """
        standing = self.points.standing[frame]
        if not standing.any():
            return None
        centres = self.points.places[frame, standing] @ np.asarray(Y_UP_FROM_Z_UP).T + offset
        colors = np.where(self.points.sliding[frame, standing, None], SLIDING_COLOR, COLOR)
        return _discs(centres, floor + LIFT, colors.astype(np.float32))

    def body_colors(self, frame: int, parts: np.ndarray) -> np.ndarray:
        """(V, 3) float32 colours of a body; its standing and sliding feet have the colours of the marks.

        Args:
            parts: (V,) the joint of each vertex.
        """
        colors = np.tile(np.array(BODY_COLOR, np.float32), (len(parts), 1))
        for point, part in enumerate(PARTS):
            if self.points.standing[frame, point]:
                colors[parts == part] = SLIDING_COLOR if self.points.sliding[frame, point] else COLOR
        return colors


def contact_marks(parameters: BodyParameters, fps: float) -> ContactMarks:
    """The marks of a clip, z-up."""
    return ContactMarks(foot_points(parameters.joints().numpy(), fps))


def _discs(centres: np.ndarray, height: float, colors: np.ndarray) -> Mesh:
    """Discs around points (n, 3), y up, at one height, with colours (n, 3)."""
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
        np.repeat(colors, CORNERS, axis=0),
    )
