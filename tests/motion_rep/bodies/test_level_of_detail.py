"""Fewer triangles where they are smaller than pixels: nobody sees it, and everything measured comes from the whole
body.
"""

from __future__ import annotations

import numpy as np
import pytest
from sample_motions import smooth_clip

from motion_rep.bodies.level_of_detail import body_for
from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.drawing.lit_clip import lit_frames, scene_of
from motion_rep.drawing.mbench_scene import front_view
from motion_rep.drawing.opencv_renderer import OpenCvRenderer
from motion_rep.motions.encoding import body_parameters


@pytest.fixture(scope="module")
def body():
    return MannequinBody()


@pytest.fixture(scope="module")
def parameters():
    return body_parameters(smooth_clip(frames=7, seed=3).motion.double())


def test_the_coarse_body_has_far_fewer_triangles_on_vertices_of_the_whole_one(body, parameters):
    coarse = body.coarse()
    assert len(coarse.faces) < len(body.faces) / 3 and coarse.faces.max() < len(coarse.parts)
    whole = {tuple(vertex) for vertex in body.vertices(parameters)[0].round(5).tolist()}
    assert {tuple(vertex) for vertex in coarse.vertices(parameters)[0].round(5).tolist()} <= whole


def test_every_piece_stays_closed(body):
    faces = body.coarse().faces
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}


def test_size_decides(body):
    assert body_for(body, 200.0).faces.shape != body.faces.shape
    assert body_for(body, 2000.0) is body


def test_outlines_at_the_largest_size_differ_by_less_than_a_pixel(body, parameters):
    """Drawn twice as large as the coarse body is ever used, no pixel differs that is not beside the outline of the
    whole one.
    """
    import cv2

    renderer, view = OpenCvRenderer(), front_view(scene_of(body, parameters), 1280, 1280)
    masks = []
    for drawn in (body, body.coarse()):
        vertices = drawn.vertices(parameters)[0] @ np.array([[-1, 0, 0], [0, 0, 1], [0, 1, 0]], np.float32).T
        depth, region = renderer.draw_depth(view, vertices, drawn.faces)
        mask = np.zeros((view.height, view.width), np.uint8)
        mask[region.slices()] = np.isfinite(depth)
        masks.append(mask)
    whole, coarse = masks
    core, around = cv2.erode(whole, np.ones((5, 5))), cv2.dilate(whole, np.ones((5, 5)))
    assert whole.sum() > 10_000 and not (coarse & (1 - around)).any() and (core & (1 - coarse)).sum() < 10
    assert (whole != coarse).sum() < 0.02 * whole.sum()


def test_pictures_hardly_change(body, parameters, monkeypatch):
    quick = np.stack(list(lit_frames(body, OpenCvRenderer(), parameters, 480, 480, threads=0))).astype(int)
    monkeypatch.setattr("motion_rep.drawing.lit_clip.body_for", lambda whole, _: whole)
    whole = np.stack(list(lit_frames(body, OpenCvRenderer(), parameters, 480, 480, threads=0))).astype(int)
    drawn = (whole != whole[0, 0, 0]).any(-1)
    assert np.abs(quick - whole)[drawn].mean() < 2.0
