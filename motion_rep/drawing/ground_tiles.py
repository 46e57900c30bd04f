"""A tiled ground for cameras that follow a person: the tiles show how far the person moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from motion_rep.drawing.mbench_scene import GROUND_MARGIN, MbenchScene
from motion_rep.drawing.scene import View
from motion_rep.drawing.shading import BACKGROUND_COLOR, GROUND_COLOR

TILE = 0.5  # metres
DARKER = 0.94  # every second tile
PIXELS_PER_METRE, MOST_PIXELS = 64, 2048
WHITE = tuple(round(255 * value) for value in BACKGROUND_COLOR)


@dataclass(frozen=True)
class GroundTiles:
    """The ground of a scene as a picture from above.

    picture: (H, W, 3) uint8 RGB; columns go along x, rows along z.
    to_ground: (4, 3), homogeneous pixels of the picture to homogeneous points of the scene.
    """

    picture: np.ndarray
    to_ground: np.ndarray

    @classmethod
    def below(cls, scene: MbenchScene) -> GroundTiles:
        """The ground under a clip, as large as in the published renderer; a tile begins at x = z = 0."""
        low, high = (scene.bounds.low - GROUND_MARGIN)[[0, 2]], (scene.bounds.high + GROUND_MARGIN)[[0, 2]]
        scale = min(PIXELS_PER_METRE, MOST_PIXELS / float((high - low).max()))
        width, depth = np.ceil((high - low) * scale).astype(int)
        x, z = (
            np.floor((start + (np.arange(n) + 0.5) / scale) / TILE)
            for start, n in zip(low, (width, depth), strict=True)
        )
        shade = np.where((x[None, :] + z[:, None]) % 2 == 0, 1.0, DARKER)
        picture = np.round(255 * shade[..., None] * np.asarray(GROUND_COLOR)).astype(np.uint8)
        step, first = 1 / scale, low + 0.5 / scale
        floor = float(scene.bounds.low[1])
        to_ground = np.array([[step, 0.0, first[0]], [0.0, 0.0, floor], [0.0, step, first[1]], [0.0, 0.0, 1.0]])
        return cls(picture, to_ground)

    def seen_by(self, view: View) -> np.ndarray:
        """(H, W, 3) uint8 RGB picture of the empty ground; the camera must be above it, without roll."""
        # Above the horizon, the same lines of sight would meet the ground behind the camera.
        forward = view.world_to_camera[2, :3]
        horizon = view.intrinsic[1, 2] + view.intrinsic[1, 1] * forward[1] / np.hypot(forward[0], forward[2])
        top = int(np.clip(np.ceil(horizon), 0, view.height))
        drawn = cv2.rectangle(_empty(view), (0, 0), (view.width, top - 1), WHITE, cv2.FILLED) if top else _empty(view)
        below = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5 - top], [0.0, 0.0, 1.0]])
        to_picture = below @ view.intrinsic @ view.world_to_camera[:3] @ self.to_ground
        if top < view.height:
            size = (view.width, view.height - top)
            cv2.warpPerspective(self.picture, to_picture, size, dst=drawn[top:], borderValue=WHITE)
        return drawn


def _empty(view: View) -> np.ndarray:
    return np.empty((view.height, view.width, 3), np.uint8)
