"""Marks under standing and sliding feet in lit pictures."""

from __future__ import annotations

import numpy as np
import torch

from motion_rep.bodies.body_models import load_body
from motion_rep.drawing.contact_marks import COLOR, SLIDING_COLOR, contact_marks
from motion_rep.drawing.lit_clip import lit_frames
from motion_rep.drawing.renderers import load_renderer
from motion_rep.drawing.shading import BODY_COLOR
from motion_rep.kinematics.foot_contact import FEET
from scripts.dev.refining_evaluation.steps import make_steps

FPS = 16.0


def test_a_mark_lies_under_each_standing_point():
    parameters = make_steps("jumps").parameters
    marks = contact_marks(parameters, FPS)
    standing = marks.discs(0, np.zeros(3), -0.02)
    toe = parameters.joints()[0, FEET[0]].numpy()
    assert np.hypot(*(standing.vertices[:24].mean(0) - (-toe[0], 0, toe[1]))[[0, 2]]) < 1e-5
    assert np.allclose(standing.vertices[:, 1], -0.016) and len(standing.vertices) == 4 * 24
    assert np.allclose(standing.colors, COLOR)
    assert marks.discs(26, np.zeros(3), 0.0) is None, "nothing stands in the middle of a jump"


def test_marks_are_seen_and_only_while_feet_stand():
    parameters = make_steps("jumps").parameters.rows(slice(20, 29))
    body, renderer = load_body("smplx", "mannequin", "cpu"), load_renderer("opencv")
    marks = contact_marks(parameters, FPS)
    with_marks = list(lit_frames(body, renderer, parameters, 160, 160, threads=0, marks=marks))
    without = list(lit_frames(body, renderer, parameters, 160, 160, threads=0))
    changed = [(a != b).any() for a, b in zip(with_marks, without, strict=True)]
    assert changed[0] and not changed[6]
    new = with_marks[0][(with_marks[0] != without[0]).any(-1)].astype(float)
    assert np.abs(new - 255 * np.array(COLOR)).max(-1).min() < 40


def test_feet_that_slide_are_red():
    still = make_steps("jumps").parameters.rows(slice(0, 10))
    path = still.transl.clone()
    path[5:, 0] += torch.arange(1, 6) * 0.3 / FPS  # 0.3 m/s from frame 5 on
    marks = contact_marks(still._replace(transl=path), FPS)
    assert np.allclose(marks.discs(2, np.zeros(3), 0.0).colors, COLOR)
    assert np.allclose(marks.discs(7, np.zeros(3), 0.0).colors, SLIDING_COLOR)
    parts = np.array([0, *FEET])
    body, toes = marks.body_colors(7, parts)[0], marks.body_colors(7, parts)[1:]
    assert np.allclose(body, BODY_COLOR) and np.allclose(toes, SLIDING_COLOR)
    assert np.allclose(marks.body_colors(2, parts)[1:], COLOR)
