"""Plots of a motion: what they show, and that the command writes them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sample_motions import smooth_clip

from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, write_motion

pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install matplotlib)")

from motion_rep.motions.figure import ShownMotion, jitter_of_joints, motion_figure  # noqa: E402
from motion_rep.plot_motion import main  # noqa: E402

FPS = 16.0


@pytest.fixture(scope="module")
def clip():
    return smooth_clip(41, seed=5)


def test_every_axis_has_a_name_and_a_unit(clip):
    figure = motion_figure(clip, FPS, "title")
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())]
    assert "title: 40 frames at 16 fps, 2.50 s" in figure.get_suptitle()
    assert len([label for label in labels if "(" in label]) >= 11
    assert {label.partition("(")[2].rstrip(")") for label in labels if "(" in label} == {
        "s",
        "m",
        "m/s",
        "m/s²",
        "mm/frame² at 16 fps",
    }


def test_mean_of_the_jitter_map_is_the_published_jitter_degree(clip):
    joints = unpack(clip.motion.double()).joints.numpy()
    second = joints[2:] - 2 * joints[1:-1] + joints[:-2]
    local = joints - joints[:, :1]
    local_second = local[2:] - 2 * local[1:-1] + local[:-2]
    expected = np.linalg.norm(second, axis=-1).mean() + np.linalg.norm(local_second, axis=-1).mean()
    assert jitter_of_joints(joints).mean() == pytest.approx(expected)


def test_speed_curve_is_in_metres_per_second():
    """A body carried along at 2 m/s: every joint has that speed and no acceleration."""
    motion = smooth_clip(2).motion.repeat(30, 1)
    path = (torch.arange(30)[:, None] * 2 / FPS) * torch.tensor([0.0, 1.0, 0.0])
    motion[:, 126:192] += path.repeat(1, 22)
    motion[:, 270:273] += path
    speed, acceleration = motion_figure(MotionClip(motion, fps=FPS), FPS, "t").axes[:2]
    assert np.allclose(speed.lines[0].get_ydata(), 2.0, atol=1e-4)
    assert np.allclose(acceleration.lines[0].get_ydata(), 0.0, atol=1e-2)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_command_writes_the_same_picture_again(clip, kind, tmp_path):
    write_motion(tmp_path / "walk.pt", clip)
    for name in ("a", "b"):
        assert main([str(tmp_path / "walk.pt"), "-o", str(tmp_path / f"{name}.{kind}")]) == 0
    if kind == "png":
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
        import cv2

        picture = cv2.imread(str(tmp_path / "a.png"))
        assert min(picture.shape[:2]) > 1000 and (picture < 250).mean() > 0.1
    assert (tmp_path / f"a.{kind}").stat().st_size > 10000


@pytest.mark.parametrize(
    ("rows", "output", "code", "message"),
    [
        (2, "plot.png", 1, "short.pt: has 2 rows, expected at least 3"),
        (9, "plot.bmp", 2, "plot.bmp: ends in .bmp"),
    ],
)
def test_one_line_says_what_is_wrong(rows, output, code, message, tmp_path, capsys):
    write_motion(tmp_path / "short.pt", MotionClip(smooth_clip(rows + 1).motion, fps=FPS))
    assert main([str(tmp_path / "short.pt"), "-o", str(tmp_path / output)]) == code
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / output).exists()


def test_two_motions_share_their_scales(clip, tmp_path, capsys):
    faster = MotionClip(clip.motion.repeat(1, 1), fps=FPS)
    path = torch.linspace(0, 3, len(clip))[:, None] * torch.tensor([1.0, 0.0, 0.0])
    faster.motion[:, 126:192] += path.repeat(1, 22)
    faster.motion[:, 270:273] += path
    figure = motion_figure(clip, FPS, "before", ShownMotion(faster, FPS, "after"))
    assert [part.get_suptitle().partition(":")[0] for part in figure.subfigs] == ["before", "after"]
    for before, after in zip(*(part.axes for part in figure.subfigs), strict=True):
        assert (before.get_xlim(), before.get_ylim()) == (after.get_xlim(), after.get_ylim())
    for name in ("a.pt", "b.pt"):
        write_motion(tmp_path / name, clip)
    pair = [str(tmp_path / name) for name in ("a.pt", "b.pt")]
    assert main([*pair, "-o", str(tmp_path / "both.png")]) == 0
    assert "40 frames at 16 fps and 40 frames at 16 fps" in capsys.readouterr().out
    assert main([*pair, pair[0], "-o", str(tmp_path / "three.png")]) == 2
    assert "3 motions are given, expected one motion, or two to compare. Give -o FOLDER" in capsys.readouterr().err


def test_folder_holds_one_picture_of_each_motion(clip, tmp_path, capsys):
    for name in ("raw/a.pt", "raw/deep/b.pt", "c.pt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_motion(tmp_path / name, clip)
    write_motion(tmp_path / "raw/short.pt", MotionClip(clip.motion[:2], fps=FPS))
    given = [str(tmp_path / name) for name in ("raw", "c.pt")]
    failures = tmp_path / "failures.json"
    assert main([*given, "-o", str(tmp_path / "plots"), "--failures", str(failures), "--workers", "0"]) == 1
    printed = capsys.readouterr()
    assert "3 drawn, 0 unchanged, 1 failed" in printed.out and "short.pt: has 2 rows" in printed.err
    made = {path.relative_to(tmp_path / "plots").as_posix() for path in (tmp_path / "plots").rglob("*.*")}
    assert made == {"a.png", "deep/b.png", "c.png"}
    assert [one["item"] for one in json.loads(failures.read_text())["failures"]] == [str(tmp_path / "raw/short.pt")]
    # One motion into a folder makes what the single command makes.
    assert main([given[1], "-o", str(tmp_path / "single.png")]) == 0
    assert (tmp_path / "single.png").read_bytes() == (tmp_path / "plots/c.png").read_bytes()


def test_two_pictures_of_one_name_and_folders_into_a_file_are_refused(clip, tmp_path, capsys):
    for name in ("one/a.pt", "two/a.pt"):
        (tmp_path / name).parent.mkdir()
        write_motion(tmp_path / name, clip)
    pair = [str(tmp_path / name) for name in ("one/a.pt", "two/a.pt")]
    assert main([*pair, "-o", str(tmp_path / "plots"), "--workers", "0"]) == 2
    assert "are the same file" in capsys.readouterr().err and not (tmp_path / "plots").exists()
    assert main([str(tmp_path / "one"), "-o", str(tmp_path / "plot.png")]) == 2
    assert "a folder is given" in capsys.readouterr().err
    assert main([str(tmp_path / "one/missing.pt"), str(tmp_path / "one"), "-o", str(tmp_path / "plots")]) == 2
    assert "missing.pt: does not exist" in capsys.readouterr().err
