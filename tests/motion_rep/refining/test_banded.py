"""The banded solve against a dense one."""

from __future__ import annotations

import numpy as np
import pytest

from motion_rep.refining.banded import penalised


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 9, 30])
def test_it_solves_what_a_dense_solve_solves(frames):
    random = np.random.default_rng(frames)
    weight = random.uniform(0.1, 2, (frames, 3))
    steps, bends = random.uniform(0, 5, (max(frames - 1, 0), 3)), random.uniform(0, 50, (max(frames - 2, 0), 3))
    right = random.normal(size=(frames, 3, 2))
    one, two = np.diff(np.eye(frames), axis=0), np.diff(np.eye(frames), n=2, axis=0)
    found = penalised(right, weight, steps, bends)
    for track in range(3):
        dense = (
            np.diag(weight[:, track]) + one.T @ (steps[:, track, None] * one) + two.T @ (bends[:, track, None] * two)
        )
        assert np.allclose(found[:, track], np.linalg.solve(dense, right[:, track]), atol=1e-10)


def test_a_straight_path_is_its_own_smoothest():
    line = np.linspace(0, 3, 20)[:, None, None]
    assert np.allclose(penalised(line, 1.0, 0.0, 1e6), line)
