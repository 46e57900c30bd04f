"""The lit scene seen from the person's left: the front camera, turned 90 degrees about the vertical."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from motion_rep.drawing.mbench_scene import FIELD_OF_VIEW, Bounds, MbenchScene, close_views, front_view
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


def close_side_views(scene: MbenchScene, width: int, height: int) -> Sequence[View]:
    """The close cameras of :func:`motion_rep.drawing.mbench_scene.close_views` from the side; a ViewOfScene."""
    turn = FRONT_FROM_SIDE[:3, :3]
    boxes = np.sort(scene.boxes @ turn.T, axis=1)
    views = close_views(MbenchScene(scene.offset, scene.bounds.turned(turn), boxes, scene.path @ turn.T), width, height)
    turned = {id(view): replace(view, world_to_camera=view.world_to_camera @ FRONT_FROM_SIDE) for view in views}
    return [turned[id(view)] for view in views]
