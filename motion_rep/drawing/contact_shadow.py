"""A shadow vertically below the body, darker the closer a part is to the ground: it shows where the feet are."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from motion_rep.drawing.scene import Mesh
from motion_rep.drawing.shading import GROUND_COLOR, SHADOW_COLOR

# Height in metres at which a part's shadow has faded to about a third.
FADE_HEIGHT = 0.25
LIFT = 0.001
# Every fourth vertex is enough for the outline of a part.
STRIDE = 4


class PartOutlines:
    """Casts shadows for one body.

    Args:
        parts: (V,) int, the joint with the largest weight at each vertex.
    """

    def __init__(self, parts: np.ndarray) -> None:
        self._members = [np.flatnonzero(parts == part)[::STRIDE] for part in np.unique(parts)]

    def shadow(self, vertices: np.ndarray, floor: float) -> Mesh:
        """The outlines of all parts seen from above, lying on the ground.

        Args:
            vertices: (V, 3) float32, y up, metres.
            floor: height of the ground.
        """
        corners, faces, closenesses, start = [], [], [], 0
        for members in self._members:
            part = vertices[members]
            outline = cv2.convexHull(np.ascontiguousarray(part[:, (0, 2)])).reshape(-1, 2)
            closeness = float(np.exp(-max(0.0, float(part[:, 1].min()) - floor) / FADE_HEIGHT))
            # Darker shadows lie a little higher, so that they cover lighter ones.
            lying = np.empty((len(outline), 3), np.float32)
            lying[:, ::2], lying[:, 1] = outline, floor + LIFT * (1.0 + closeness)
            corners.append(lying)
            faces.append(_fan(len(outline)) + np.int32(start))
            closenesses.append(closeness)
            start += len(outline)
        colors = np.array([_mixed(closeness) for closeness in closenesses], np.float32)
        return Mesh(
            np.concatenate(corners),
            np.concatenate(faces),
            np.repeat(colors, [len(lying) for lying in corners], axis=0),
        )


@functools.cache
def _fan(count: int) -> np.ndarray:
    """(2 (count - 2), 3) int32 triangles of a convex outline, in both windings: the axes decide which faces up."""
    ring = np.arange(1, count - 1)
    fan = np.stack((np.zeros_like(ring), ring, ring + 1), axis=1)
    return np.concatenate((fan, fan[:, ::-1])).astype(np.int32)


def _mixed(closeness: float) -> np.ndarray:
    return closeness * np.asarray(SHADOW_COLOR) + (1.0 - closeness) * np.asarray(GROUND_COLOR)
