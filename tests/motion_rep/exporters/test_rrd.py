"""Recordings for the rerun viewer; two tests need ``rerun-sdk`` (170 MB, so it is no test extra)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from command_support import save_motion

from motion_rep.export_motion import main
from motion_rep.video.writing import open_writer


@pytest.fixture
def motion(tmp_path, make_capture):
    return save_motion(tmp_path / "m.pt", make_capture(frames=12))


def test_a_missing_package_is_one_line(motion, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rerun", None)
    assert main([str(motion), "-o", str(tmp_path / "m.rrd")]) == 2
    error = capsys.readouterr().err
    assert "error: the format rrd needs the package rerun-sdk. Install it with: pip install rerun-sdk\n" in error
    assert not (tmp_path / "m.rrd").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-o", "m.rrd", "--frame", "yup"], "m.rrd: rerun files are always z up. Omit --frame for them."),
        (["-o", "m.csv", "--video", "v.mp4"], "--video is for rrd files. Give -o FILE.rrd, or omit it."),
        (["-o", "x", "--format", "rrd", "--video", "v.mp4"], "--video goes with one motion. Give one motion and"),
    ],
)
def test_flags_that_do_not_go_with_it(motion, tmp_path, monkeypatch, capsys, flags, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.mp4").write_bytes(b"any bytes")
    assert main([str(motion), *flags]) == 2
    assert words in capsys.readouterr().err


def printed(path):
    """What rerun's own reader prints about a recording that it finds whole."""
    run = [sys.executable, "-m", "rerun_cli", "rrd"]
    subprocess.run([*run, "verify", str(path)], check=True, capture_output=True)
    return subprocess.run([*run, "stats", str(path)], check=True, capture_output=True, text=True).stdout


def test_body_joints_curves_camera_and_video_are_there(motion, tmp_path):
    pytest.importorskip("rerun")
    with open_writer(tmp_path / "v.mp4", 64, 48, 16) as writer:
        for _ in range(12):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    assert main([str(motion), "-o", str(tmp_path / "m.rrd"), "--video", str(tmp_path / "v.mp4")]) == 0
    text = printed(tmp_path / "m.rrd")
    for place in ("world/body", "world/joints", "world/joints/bones", "world/camera", "world/camera/video"):
        assert f"/{place}: " in text
    for curve in ("jitter", "height/pelvis", "height/left_foot", "contact/right_foot"):
        assert f"/curves/{curve}: " in text


def test_a_missing_video_is_named(motion, tmp_path, capsys):
    pytest.importorskip("rerun")
    assert main([str(motion), "-o", str(tmp_path / "m.rrd"), "--video", str(tmp_path / "none.mp4")]) == 1
    assert "none.mp4" in capsys.readouterr().err
    assert not (tmp_path / "m.rrd").exists()
