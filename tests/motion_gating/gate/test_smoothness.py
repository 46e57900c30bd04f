"""Jitter, tremble or both decide; a fast motion is told apart from a trembling one."""

from __future__ import annotations

import json

import pytest
import torch
from gate_support import gate, jittery_joints, make_archive, read, run_here, smooth_joints

from motion_gating import evaluate_gate

NOTE = "fast, not trembling"


def fast_joints(frames=40):
    """Joints that swing widely, smoothly and fast: jitter far above the threshold."""
    angle = 2 * torch.pi * 1.5 * torch.arange(frames) / 16
    swing = torch.stack((torch.sin(angle), torch.cos(angle), 0 * angle), -1)[:, None]
    return smooth_joints(frames) + 0.4 * swing * torch.linspace(0, 1, 22)[None, :, None]


def judged(folder, joints, *flags):
    """The record, the gate's standard output and the run block of one entry that a person accepts."""
    meta = make_archive(folder, (1,), joints=joints)
    people = folder / "verdicts.json"
    people.write_text(json.dumps([{"id": 1, "matches": True}]))
    done = gate(meta, "--judge", "manual", "--verdicts", people, *flags)
    assert done.returncode == 0, done.stderr
    return read(folder / "report.json")[0], done.stdout + done.stderr, read(folder / "report.run.json")


@pytest.mark.parametrize(
    ("smoothness", "joints", "failed"),
    [
        ("jitter", fast_joints(), ["jitter_degree"]),
        ("jitter", jittery_joints(), ["jitter_degree"]),
        ("tremble", fast_joints(), []),
        ("tremble", jittery_joints(), ["tremble"]),
        ("both", smooth_joints(), []),
        ("both", fast_joints(), ["jitter_degree"]),
        ("both", jittery_joints(), ["jitter_degree", "tremble"]),
    ],
)
def test_smoothness_says_which_figures_decide(tmp_path, smoothness, joints, failed):
    record, _, block = judged(tmp_path, joints, "--smoothness", smoothness)
    assert record["failed_checks"] == failed
    assert record["use_ref_motion"] is not bool(failed)
    assert (block["limits"]["jitter_degree"] is None) == (smoothness == "tremble")
    assert block["limits"]["max_tremble"] == (None if smoothness == "jitter" else 0.6)


def test_a_limit_of_tremble_is_one_more_condition(tmp_path):
    record, _, block = judged(tmp_path, smooth_joints(), "--max-tremble", "0.0001")
    assert record["failed_checks"] == ["tremble"]
    assert block["limits"] == {**block["limits"], "jitter_degree": 0.04, "max_tremble": 0.0001}


@pytest.mark.parametrize(("joints", "fast"), [(fast_joints(), True), (jittery_joints(), False), (None, False)])
def test_record_and_summary_tell_fast_from_trembling(tmp_path, joints, fast):
    record, said, block = judged(tmp_path, joints)
    assert record["fast_not_trembling"] is fast
    assert any(NOTE in reason for reason in record["reasons"]) is fast
    assert ("1 rejected by jitter are fast, not trembling" in said) is fast
    assert block["counts"]["fast_not_trembling"] == fast


def test_labels_count_the_fast_ones(tmp_path):
    judged(tmp_path, fast_joints())
    evaluation = tmp_path / "evaluation.json"
    labels = ("--labels", tmp_path / "verdicts.json", "--quality-report", tmp_path / "report.json")
    done = run_here(evaluate_gate.main, [*map(str, labels), "--output", str(evaluation)], {})
    assert done.returncode == 0, done.stderr
    assert read(evaluation)["labels"]["fast_not_trembling"] == {"labelled": 1, "usable": 1}
    assert "people would use 1 of these 1" in done.stdout
