"""The lit scene seen from the person's left: the front camera, turned 90 degrees about the vertical."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from motion_rep.drawing.mbench_scene import FIELD_OF_VIEW, Bounds, MbenchScene, front_view
from motion_rep.drawing.scene import View

# (x, y, z) -> (-z, y, x): what lies at +x comes to the front.
FRONT_FROM_SIDE = np.array([[0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
ROOM = 1.05


def side_view(scene: MbenchScene, width: int, height: int) -> View:
    """A :data:`motion_rep.drawing.lit_clip.ViewOfScene` that keeps the whole clip in a square picture.

    The front camera would stand too near if a person walks far (sideways in this view), so this one moves back.
    """
    corners = np.array(list(product(*zip(scene.bounds.low, scene.bounds.high, strict=True))))
    turned = corners @ FRONT_FROM_SIDE[:3, :3].T
    view = front_view(MbenchScene(scene.offset, Bounds(turned.min(0), turned.max(0))), width, height)
    pose = view.world_to_camera @ FRONT_FROM_SIDE
    seen = replace(view, world_to_camera=pose).to_camera(corners.astype(np.float32))
    pose[2, 3] += max(0.0, float((np.abs(seen[:, :2]).max(1) * ROOM / np.tan(FIELD_OF_VIEW / 2) - seen[:, 2]).max()))
    return replace(view, world_to_camera=pose)
