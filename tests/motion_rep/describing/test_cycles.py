"""Counting in signals whose peaks are known."""

from __future__ import annotations

import numpy as np
import pytest

from motion_rep.describing.cycles import peaks, smoothed, span_around, spans


def test_small_ripples_on_a_large_swing_are_no_peaks():
    time = np.arange(200) / 20
    swing = np.sin(2 * np.pi * 0.5 * time) + 0.1 * np.sin(2 * np.pi * 4 * time)
    assert len(peaks(swing, prominence=0.5, least=0.5)) == 5


def test_a_peak_below_the_least_height_does_not_count():
    assert peaks(np.array([0.0, 1, 0, 3, 0]), prominence=0.5, least=2) == [3]


def test_a_flat_top_counts_once_by_its_middle_also_where_the_clip_ends_on_it():
    assert peaks(np.array([0.0, 1, 5, 5, 5, 5, 5, 1, 0]), prominence=2, least=3) == [4]
    assert peaks(np.array([0.0, 1] + [5] * 7), prominence=2, least=3) == [5]


@pytest.mark.parametrize("signal", ([0, 1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1, 0]))
def test_a_movement_that_the_clip_cuts_off_is_no_peak(signal):
    assert peaks(np.array(signal, dtype=float), prominence=2, least=3) == []


def test_a_still_signal_has_no_peak():
    assert peaks(np.ones(30), prominence=0.1, least=0) == []


def test_spans_are_the_runs_of_true_flags():
    flags = np.array([True, False, True, True, True, False, True, True])
    assert spans(flags) == [(0, 0), (2, 4), (6, 7)]
    assert spans(flags, shortest=3) == [(2, 4)]
    assert [span_around(flags, frame) for frame in (0, 3, 7)] == [(0, 0), (2, 4), (6, 7)]


def test_smoothing_keeps_a_constant_and_weakens_noise():
    assert smoothed(np.full((20, 3), 2.5), 30) == pytest.approx(2.5)
    noise = np.random.default_rng(0).normal(size=(300, 2))
    assert smoothed(noise, 30).std() < 0.6 * noise.std()
