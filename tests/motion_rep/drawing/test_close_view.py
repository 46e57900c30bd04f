"""The closer camera: the whole clip is in the picture, and fills it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from motion_rep.drawing.mbench_scene import CLOSE, MBENCH, VIEWS, Bounds, close_view, front_view, mbench_scene

PERSON = np.array([[-0.5, 0.0, -0.3], [0.5, 1.75, 0.3]])
WALK = np.array([[-0.5, 0.0, -0.3], [0.5, 1.75, 4.0]])
ASIDE = np.array([[-3.0, 0.0, -0.3], [3.0, 1.75, 0.3]])


def pictured(view, bounds):
    """(8, 2) pixels of the corners, and their depths."""
    corners = np.array(list(itertools.product(*bounds.T)))
    seen = view.to_camera(corners.astype(np.float32))
    pixels = seen @ view.intrinsic.T
    return pixels[:, :2] / pixels[:, 2:], seen[:, 2]


@pytest.mark.parametrize("size", ((960, 960), (512, 512), (832, 480), (480, 832)))
@pytest.mark.parametrize("bounds", (PERSON, WALK, ASIDE))
def test_the_whole_clip_is_in_the_picture_and_reaches_an_edge(bounds, size):
    scene = mbench_scene(Bounds(*bounds), np.zeros(3))
    pixels, depths = pictured(close_view(scene, *size), np.stack((scene.bounds.low, scene.bounds.high)))
    assert depths.min() > 0.2
    from_centre = np.abs(pixels / np.array(size) - 0.5) * 2
    assert from_centre.max() == pytest.approx(0.92, abs=0.01)


def test_a_person_in_place_is_at_least_half_as_high_as_the_picture():
    scene = mbench_scene(Bounds(*PERSON), np.zeros(3))
    feet_and_head = np.array([[0, scene.bounds.low[1], 0], [0, scene.bounds.high[1], 0]], np.float32)
    heights = {}
    for name, view_of in VIEWS.items():
        view = view_of(scene, 512, 512)
        pixels = view.to_camera(feet_and_head) @ view.intrinsic.T
        heights[name] = abs(float(np.diff(pixels[:, 1] / pixels[:, 2])[0])) / 512
    assert heights[CLOSE] > 0.5 > heights[MBENCH]


def test_people_see_the_published_camera_unless_they_ask():
    assert {MBENCH: front_view, CLOSE: close_view} == VIEWS
