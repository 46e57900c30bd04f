"""Where exactly a limit begins to reject, and what the tally counts."""

from __future__ import annotations

import pytest

from motion_gating.gate.decision import Limit, Limits, decide
from motion_gating.gate.record import make_record
from motion_gating.gate.tally import Tally
from motion_gating.judges.interface import Verdict
from motion_gating.metrics.joint_metrics import JointMetrics, WorstSpan


def metrics(jitter: float = 0.01, fps: float | None = 16.0, **figures: float) -> JointMetrics:
    return JointMetrics(jitter, jitter, 16.0, WorstSpan(0, 8, 0.0, 0.5, jitter), fps, {"tremble": 0.1, **figures})


def decided(found: JointMetrics, limits: Limits) -> bool | None:
    return decide(found, None, Verdict(True, "seen", "manual"), limits).use_ref_motion


@pytest.mark.parametrize(("jitter", "passes"), [(0.0399, True), (0.04, False), (0.0401, False)])
def test_jitter_at_the_threshold_is_rejected(jitter, passes):
    assert decided(metrics(jitter), Limits()) is passes


@pytest.mark.parametrize(
    ("kind", "value", "passes"),
    [("max", 0.29, True), ("max", 0.3, False), ("min", 0.3, True), ("min", 0.29, False)],
)
def test_a_maximum_excludes_its_bound_and_a_minimum_includes_it(kind, value, passes):
    limits = Limits(others=(Limit("dynamic_degree", kind, 0.3),))
    assert decided(metrics(dynamic_degree=value), limits) is passes


@pytest.mark.parametrize(("fps", "passes"), [(16.0, True), (16.015, True), (16.1, False), (15.9, False), (None, True)])
def test_a_known_rate_must_be_that_of_the_loader(fps, passes):
    assert decided(metrics(fps=fps), Limits()) is passes
    assert decided(metrics(fps=fps), Limits(fps=None)) is True


def test_the_split_rate_counts_questions_with_two_answers_or_more():
    tally, figures = Tally(), metrics()
    for match, mismatch in ((1, 0), (2, 0), (1, 1), (2, 1)):
        verdict = Verdict(True, "seen", "gemini", votes_for=match, votes_against=mismatch)
        tally.add(make_record(0, figures, None, verdict, decide(figures, None, verdict, Limits())))
    assert (tally.answers, tally.as_dict()["split_rate"]) == (8, pytest.approx(2 / 3))
