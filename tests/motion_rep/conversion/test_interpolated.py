"""Captures of a slower source: rows between its frames lie on the sphere, and the file says that nobody saw them."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from sample_motions import smooth_capture

from motion_gating import apply_quality_gate, build_report, render_mbench_videos
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.kinematics.rotations import rot6d_to_matrix, slerp
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import read_motion, write_motion

SLOW = dataclasses.replace(smooth_capture(41), fps=8.0)


def test_rows_between_frames_lie_on_the_sphere():
    slow, done = convert(SLOW).clip, convert(SLOW, target_fps=16.0)
    fast = done.clip
    assert (fast.fps, fast.interpolated_from, slow.interpolated_from) == (16.0, 8.0, None)
    assert len(fast) == 2 * len(slow) and "interpolated from 8 frames per second" in " ".join(done.notes)
    body = rot6d_to_matrix(unpack(fast.motion.double()).body_rot6d)
    halves = slerp(body[:-2:2], body[2::2], torch.full((len(body[2::2]), 21), 0.5, dtype=torch.float64))
    assert float((body[1:-1:2] - halves).abs().max()) < 1e-5


def test_a_lower_rate_is_no_interpolation():
    assert convert(smooth_capture(41), target_fps=8.0).clip.interpolated_from is None


def test_the_file_the_record_and_the_page_say_so(tmp_path):
    write_motion(tmp_path / "0.pt", convert(SLOW, target_fps=16.0).clip)
    assert read_motion(tmp_path / "0.pt").interpolated_from == 8.0
    assert torch.load(tmp_path / "0.pt", weights_only=True)["interpolated_from"] == 8.0
    (tmp_path / "a.json").write_text('[{"id": 0, "prompt": "walk", "motion_path": "0.pt"}]')
    archive, rendered, report = (str(tmp_path / name) for name in ("a.json", "r.json", "q.json"))
    flags = ["--output-json", rendered, "--output-dir", str(tmp_path / "renders"), "--width", "32", "--height", "32"]
    assert render_mbench_videos.main(["--meta-json", archive, *flags]) == 0
    assert apply_quality_gate.main(["--meta-json", rendered, "--quality-report", report, "--judge", "none"]) == 0
    (record,) = json.loads((tmp_path / "q.json").read_text())
    assert record["interpolated_from"] == 8.0 and record["motion_fps"] == 16.0
    assert "the motion was interpolated from 8 frames per second" in record["reasons"]
    page = ["--meta-json", rendered, "--quality-report", report, "--output", str(tmp_path / "page"), "--no-side-view"]
    assert build_report.main(page) == 0
    assert '"interpolatedFrom":8.0' in (tmp_path / "page/entries/0.js").read_text()


@pytest.mark.parametrize("rate", [0.0, "x"])
def test_a_damaged_mark_is_refused(tmp_path, rate):
    clip = convert(SLOW).clip
    torch.save({"motion": clip.motion, "interpolated_from": rate}, tmp_path / "0.pt")
    with pytest.raises(ValueError, match="0.pt"):
        read_motion(tmp_path / "0.pt")
