"""The closer camera: the whole clip is in the picture, and fills it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.drawing.ground_tiles import DARKER, TILE, GroundTiles
from motion_rep.drawing.lit_clip import lit_frames
from motion_rep.drawing.mbench_scene import (
    CLOSE,
    MBENCH,
    VIEWS,
    Bounds,
    MbenchScene,
    close_view,
    close_views,
    eye_of,
    front_view,
    mbench_scene,
)
from motion_rep.drawing.opencv_renderer import OpenCvRenderer
from motion_rep.drawing.shading import GROUND_COLOR
from motion_rep.kinematics.parameters import BodyParameters

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


def walking(steps):
    """A scene of a person who is moved by steps (T, 3) from frame to frame."""
    path = np.cumsum(steps, axis=0)
    boxes = PERSON - [0, 0.875, 0] + path[:, None]
    return MbenchScene(np.zeros(3), Bounds(boxes[:, 0].min(0), boxes[:, 1].max(0)), boxes, path)


def heights(scene, views):
    """The share of the picture's height between feet and head, in each frame."""
    shares = []
    for view, box in zip(views, scene.boxes, strict=True):
        middle = box.mean(0)
        ends = np.array([[middle[0], height, middle[2]] for height in box[:, 1]], np.float32)
        pixels = view.to_camera(ends) @ view.intrinsic.T
        shares.append(abs(float(np.diff(pixels[:, 1] / pixels[:, 2])[0])) / view.height)
    return np.array(shares)


@pytest.mark.parametrize("direction", ([0.15, 0, 0], [0, 0, 0.15], [0, 0, -0.15], [-0.1, 0, 0.1], [0.1, 0.05, 0]))
@pytest.mark.parametrize("size", ((960, 960), (512, 512), (832, 480)))
def test_a_person_who_goes_far_stays_in_the_picture_and_fills_half_of_its_height(direction, size):
    scene = walking(np.tile(direction, (80, 1)))
    views = close_views(scene, *size)
    assert heights(scene, views).min() > 0.5
    for view, box in zip(views, scene.boxes, strict=True):
        pixels, depths = pictured(view, box)
        assert depths.min() > 0.2
        assert np.abs(pixels / np.array(size) - 0.5).max() * 2 <= 0.921


def test_the_camera_stands_still_where_the_person_is_large_enough():
    scene = walking(np.tile([0.002, 0, 0.002], (80, 1)))
    views = close_views(scene, 512, 512)
    assert len(views) == 80
    assert all(view is views[0] for view in views)
    assert heights(scene, views).min() > 0.5


def test_a_camera_that_follows_does_not_turn_and_goes_as_far_as_the_person():
    scene = walking(np.tile([0.15, 0, 0], (80, 1)))
    views = close_views(scene, 512, 512)
    assert {view.world_to_camera[:3, :3].tobytes() for view in views} == {views[0].world_to_camera[:3, :3].tobytes()}
    way = eye_of(views[-1]) - eye_of(views[0])
    assert way == pytest.approx(scene.path[-1] - scene.path[0], abs=0.3)


def test_the_tiles_lie_where_the_camera_sees_the_ground():
    scene = walking(np.tile([0.1, 0, 0.05], (40, 1)))
    tiles, view = GroundTiles.below(scene), close_views(scene, 512, 512)[20]
    picture = tiles.seen_by(view)
    floor = scene.bounds.low[1]
    near = scene.path[20]
    checked = 0
    for x in np.arange(-4, 5) * TILE + TILE / 2 + np.floor(near[0]):
        for z in np.arange(-4, 5) * TILE + TILE / 2 + np.floor(near[2]):
            seen = view.to_camera(np.array([[x, floor, z]], np.float32))[0]
            column, row = (view.intrinsic @ seen)[:2] / seen[2]
            inside = (scene.bounds.low[[0, 2]] - 0.4 < (x, z)).all() and (
                (x, z) < scene.bounds.high[[0, 2]] + 0.4
            ).all()
            if seen[2] < 0.5 or not (5 < column < 507 and 5 < row < 507) or not inside:
                continue
            dark = (np.floor(x / TILE) + np.floor(z / TILE)) % 2
            expected = 255 * GROUND_COLOR[0] * (DARKER if dark else 1)
            assert picture[int(row), int(column)] == pytest.approx([expected] * 3, abs=2)
            checked += 1
    assert checked > 10
    assert (picture[:50] == 255).all()


def test_a_followed_person_is_drawn_in_the_middle_of_the_picture():
    frames = 6
    transl = torch.zeros(frames, 3, dtype=torch.float64)
    transl[:, 0] = torch.linspace(0, 8, frames)
    upright = torch.tensor([[[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]], dtype=torch.float64).expand(frames, 3, 3)
    pose = torch.eye(3, dtype=torch.float64).expand(frames, 21, 3, 3)
    drawn = list(
        lit_frames(MannequinBody(), OpenCvRenderer(), BodyParameters(upright, pose, transl), 256, 256, close_views)
    )
    for picture in drawn:
        blue = picture[..., 2].astype(int) - picture[..., 0] > 60
        rows, columns = np.flatnonzero(blue.any(1)), np.flatnonzero(blue.any(0))
        assert rows[-1] - rows[0] > 128
        assert abs((columns[0] + columns[-1]) / 2 - 128) < 40


def test_a_person_in_place_is_at_least_half_as_high_as_the_picture():
    scene = mbench_scene(Bounds(*PERSON), np.zeros(3))
    feet_and_head = np.array([[0, scene.bounds.low[1], 0], [0, scene.bounds.high[1], 0]], np.float32)
    shares = {}
    for name, view_of in ((MBENCH, front_view), (CLOSE, close_view)):
        view = view_of(scene, 512, 512)
        pixels = view.to_camera(feet_and_head) @ view.intrinsic.T
        shares[name] = abs(float(np.diff(pixels[:, 1] / pixels[:, 2])[0])) / 512
    assert shares[CLOSE] > 0.5 > shares[MBENCH]


def test_people_see_the_published_camera_unless_they_ask():
    assert {MBENCH: front_view, CLOSE: close_views} == VIEWS
