"""A refined motion: its record holds figures of both, and a flag says whose jitter decides."""

from __future__ import annotations

import json

import pytest
import torch
from gate_support import gate, make_archive, read, smooth_joints

from motion_gating.rendering.clip_render import eval_dict
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.refining.refinement import refine
from motion_rep.refining.settings import Settings
from scripts.dev.refining_evaluation.clips import clip_of, noisy, sample


@pytest.fixture(scope="module")
def refined():
    """The eval file of a motion that trembled before it was refined."""
    clip = refine(clip_of(noisy(sample("wave"))), Settings()).clips[0]
    return eval_dict(clip, agreed_joints(clip.motion), body_parameters(clip.motion.double()))


def judged(folder, made, *flags):
    meta = make_archive(folder, (1,), joints=smooth_joints())
    (path,) = folder.rglob("*_eval.pt")
    torch.save(made, path)
    people = folder / "verdicts.json"
    people.write_text(json.dumps([{"id": 1, "matches": True}]))
    done = gate(meta, "--judge", "manual", "--verdicts", people, *flags)
    assert done.returncode == 0, done.stderr
    return read(folder / "report.json")[0], read(folder / "report.run.json")


@pytest.mark.parametrize(
    ("flags", "failed"),
    [
        ((), []),
        (("--jitter-of", "raw"), ["jitter_degree_raw"]),
        (("--max-jitter-raw", "0.06"), ["jitter_degree_raw"]),
        (("--max-jitter-raw", "0.3"), []),
    ],
)
def test_whose_jitter_decides(tmp_path, refined, flags, failed):
    record, block = judged(tmp_path, refined, *flags)
    assert record["failed_checks"] == failed and record["use_ref_motion"] is not bool(failed)
    assert block["limits"]["jitter_of"] == ("raw" if "raw" in flags else "refined")


def test_the_record_holds_both(tmp_path, refined):
    record, _ = judged(tmp_path, refined)
    assert record["jitter_degree"] < 0.04 < 0.08 < record["jitter_degree_raw"]
    assert record["refined"]["raw_figures"]["jitter_degree"] == record["jitter_degree_raw"]
    assert record["refined"]["figures"]["jitter_degree"] == pytest.approx(record["jitter_degree"], rel=0.02)
    assert record["refined"]["smooth"] == {"pose": 1.0, "path": 1.0}


@pytest.mark.parametrize("note", [{}, {"raw_figures": None}, {"raw_figures": {"jitter_degree": "x"}}, "no dict"])
def test_a_raw_motion_counts_as_its_own_raw_one(tmp_path, refined, note):
    made = {**refined, "refined": note}
    record, _ = judged(tmp_path, made, "--jitter-of", "raw")
    assert record["failed_checks"] == [] and record.get("jitter_degree_raw", record["jitter_degree"]) < 0.04
