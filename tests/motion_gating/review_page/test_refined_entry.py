"""The page of a refined motion: both motions on one scrubber, with their curves and contacts."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from report_support import record, write_clip

from motion_gating import build_report
from motion_gating.metrics.joint_clip import JointClip
from motion_gating.rendering.clip_render import eval_dict
from motion_gating.review_page.curves import curve_panels
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import write_motion
from motion_rep.refining.refinement import refine
from motion_rep.refining.settings import Settings
from scripts.dev.refining_evaluation.clips import clip_of, noisy, sample


@pytest.fixture(scope="module")
def details(tmp_path_factory):
    """The page's data of a trimmed and smoothed motion, and where it lies."""
    folder = tmp_path_factory.mktemp("refined")
    raw = dataclasses.replace(clip_of(noisy(sample("wave"))), start_time=1.0)
    refined = refine(raw, Settings(trim=(1.0, 3.0))).clips[0]
    for name, clip in (("raw", raw), ("motions", refined)):
        (folder / name).mkdir()
        write_motion(folder / name / "wave.pt", clip)
    made = eval_dict(refined, agreed_joints(refined.motion), body_parameters(refined.motion.double()))
    torch.save(made, folder / "wave_eval.pt")
    write_clip(folder / "wave.mp4", frames=len(refined))
    names = {"motion_path": "motions/wave.pt", "video_path": "wave.mp4", "mbench_eval_path": "wave_eval.pt"}
    (folder / "archive.json").write_text(json.dumps([{"id": 1, "prompt": "a wave", **names}]))
    (folder / "report.json").write_text(json.dumps([record(1)]))
    flags = ["--quality-report", folder / "report.json", "--raw-motions", folder / "raw", "--side-size", 64]
    command = ["--meta-json", folder / "archive.json", "--output", folder / "page", *flags, "--workers", 0]
    assert build_report.main([*map(str, command), "--smplx-model-dir", "mannequin"]) == 0
    script = (folder / "page/entries/1.js").read_text()
    return json.loads(script[script.index("{") : script.rindex("}") + 1]), folder / "page"


def test_both_motions_are_on_one_scrubber(details):
    shown, page = details
    videos = {video["kind"]: video for video in shown["videos"]}
    assert list(videos) == ["front", "before", "side", "side_before", "lit"]
    assert videos["before"]["title"] == "Front before refining" and (page / videos["before"]["src"]).is_file()
    # The raw motion begins a second earlier, so its video is a second ahead.
    assert videos["before"]["offset"] == videos["side_before"]["offset"] == 1.0 and videos["lit"]["offset"] == 0.0


def test_both_have_their_curves(details):
    jitter, speed, height = details[0]["panels"]
    assert [line["name"] for line in jitter["lines"]] == ["all joints", "all joints before"]
    assert [line["name"] for line in speed["lines"]] == [
        *("left foot", "right foot", "left foot before", "right foot before")
    ]
    now, before = jitter["lines"]
    assert np.mean(before["values"]) > 3 * np.mean(now["values"])
    assert before["start"] == pytest.approx(now["start"] - 1.0) and before["before"] and "before" not in now
    assert height["standing"] == [[[0.0, 2.0]], [[0.0, 2.0]]], "a person who waves stands on both feet all the time"


def test_a_raw_motion_has_no_lines_before():
    joints = np.zeros((20, 22, 3))
    panels = curve_panels(JointClip(joints, 16.0), 16.0, 0.04)
    assert [len(panel["lines"]) for panel in panels] == [1, 2, 2]


def test_a_wrong_folder_ends_in_one_line(tmp_path, capsys):
    (tmp_path / "a.json").write_text("[]")
    command = ["--meta-json", tmp_path / "a.json", "--output", tmp_path / "p", "--raw-motions", tmp_path / "none"]
    assert build_report.main([*map(str, command)]) == 2
    assert "none: is not a folder. Give the folder of the raw motions." in capsys.readouterr().err
