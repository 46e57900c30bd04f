"""Facts, remarks and evidence on the page."""

from __future__ import annotations

import pytest

from motion_gating.metrics.joint_clip import JointClip
from motion_gating.review_page.records import ReviewEntry
from motion_gating.review_page.remarks import Remarks, remarks_on
from motion_rep.kinematics.skeleton import forward_kinematics
from scripts.dev.samples import motions as samples


@pytest.fixture(scope="module")
def waving():
    figure = samples.wave(4)
    joints = forward_kinematics(figure.root, figure.body, figure.transl).positions.numpy()
    return JointClip(joints=joints, fps=16.0)


def test_facts_come_from_the_joints_and_contradict_the_text(waving):
    found = remarks_on(ReviewEntry({"id": 1}, None), waving, 16.0, "a person waves the left hand")
    assert any("raises the right arm overhead once" in fact for fact in found.facts)
    assert len(found.remarks) == 1
    assert "names the left arm" in found.remarks[0]


def test_the_evidence_stands_in_the_order_in_which_it_came():
    parts = [
        {"part": "description", "supports": None, "said": "A person waves."},
        {"part": "pick", "supports": True, "said": "The second."},
        {"part": "events", "supports": False, "said": "No jump.", "answers": {"The person jumps.": "no"}},
        "broken",
    ]
    record = {"vlm_evidence": parts, "remarks": ["not seen: left", 7]}
    found = remarks_on(ReviewEntry({"id": 1}, record), None, 16.0, "jumps")
    assert found.evidence == (
        "description: A person waves.",
        "pick supports a match: The second.",
        "events contradicts a match: No jump.; The person jumps. no",
    )
    assert found.remarks == ("not seen: left",)


@pytest.mark.parametrize("record", (None, {}, {"vlm_evidence": 3, "remarks": "x"}))
def test_records_without_evidence_say_nothing(record):
    assert remarks_on(ReviewEntry({"id": 1}, record), None, 16.0, "") == Remarks()
