"""The figures that the README gives for jitter and tremble, on the samples alone."""

from __future__ import annotations

import contextlib
import io

from scripts.dev import evaluate_smoothness


def test_tremble_tells_every_sample_from_its_noisy_copy():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert evaluate_smoothness.main(["--rates", "16", "--copies", "1"]) == 0
    assert "| 16 | tremble | 0.6 | 1.000 | 5 of 5 | 5 of 5 |" in said.getvalue()
