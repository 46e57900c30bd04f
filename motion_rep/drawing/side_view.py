"""Close cameras from the person's left, which follow the person like those from the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motion_rep.drawing.mbench_scene import MbenchScene, close_views
from motion_rep.drawing.scene import View

# (x, y, z) -> (-z, y, x): +x turns to the front.
FRONT_FROM_SIDE = np.array([[0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def close_side_views(scene: MbenchScene, width: int, height: int) -> Sequence[View]:
    """The close cameras of :func:`motion_rep.drawing.mbench_scene.close_views` from the side; a ViewOfScene."""
    turn = FRONT_FROM_SIDE[:3, :3]
    boxes = np.sort(scene.boxes @ turn.T, axis=1)
    views = close_views(MbenchScene(scene.offset, scene.bounds.turned(turn), boxes, scene.path @ turn.T), width, height)
    turned = {id(view): replace(view, world_to_camera=view.world_to_camera @ FRONT_FROM_SIDE) for view in views}
    return [turned[id(view)] for view in views]
