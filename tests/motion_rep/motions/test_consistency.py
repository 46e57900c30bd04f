"""Joint columns and rotations of a motion: which of them is taken, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sample_motions import smooth_clip
from torch.testing import assert_close

from motion_gating import apply_quality_gate, render_mbench_videos
from motion_gating.metrics.joint_clip import JointClip
from motion_gating.metrics.joint_metrics import measure
from motion_rep import export_motion, motion_checker, plot_motion
from motion_rep.common.errors import InputError
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip


def with_joints(motion: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
    changed = motion.clone()
    unpack(changed).joints.copy_(joints)
    return changed


def test_columns_that_agree_are_taken_as_they_are():
    motion = smooth_clip(21).motion
    joints, note = agreed_joints(motion)
    assert note is None and torch.equal(joints, unpack(motion).joints)


def test_small_differences_give_the_joints_of_the_rotations_and_a_note():
    motion = smooth_clip(21).motion
    noise = 0.02 * torch.randn(20, 22, 3, generator=torch.Generator().manual_seed(0))
    joints, note = agreed_joints(with_joints(motion, unpack(motion).joints + noise))
    assert_close(joints, body_parameters(motion.double()).joints().float(), atol=1e-6, rtol=0)
    assert "mm away from the joints of the rotations" in note


def test_joints_of_another_unit_are_refused():
    motion = smooth_clip(21).motion
    with pytest.raises(InputError, match="looks normalised, or its joints have another unit or axis"):
        agreed_joints(with_joints(motion, 1000 * unpack(motion).joints))


def test_one_row_far_away_is_an_edit_and_not_another_body():
    motion = smooth_clip(21).motion
    joints = unpack(motion).joints.clone()
    joints[7] += 5.0
    found, note = agreed_joints(with_joints(motion, joints))
    assert "up to 8.66e+03 mm away" in note
    assert_close(found, body_parameters(motion.double()).joints().float(), atol=1e-6, rtol=0)


def test_a_root_that_is_no_rotation_is_refused():
    motion = smooth_clip(21).motion
    unpack(motion).root_rot6d.mul_(10)
    with pytest.raises(InputError, match="looks normalised"):
        agreed_joints(motion)


def z_scored(motion: torch.Tensor) -> torch.Tensor:
    return (motion - motion.mean(0)) / motion.std(0).clamp(min=1e-4)


def test_a_normalised_motion_is_refused_by_the_reader_too():
    motion = z_scored(smooth_clip(40).motion)
    for use in (agreed_joints, MotionClip):
        with pytest.raises(InputError, match="looks normalised"):
            use(motion)


def test_rotations_of_a_decoder_may_be_a_little_off():
    motion = smooth_clip(21).motion
    noise = 0.1 * torch.randn(20, 126, generator=torch.Generator().manual_seed(0))
    motion[:, :126] += noise
    assert agreed_joints(motion).note is not None and len(MotionClip(motion)) == 20


def draw_archive(path, out):
    """Render the motion as the only entry of an archive."""
    (out / "a.json").write_text(json.dumps([{"id": 0, "prompt": "walk", "motion_path": str(path)}]))
    flags = ["--meta-json", out / "a.json", "--output-json", out / "r.json", "--output-dir", out / "renders"]
    return render_mbench_videos.main([*map(str, flags), "--width", "32", "--height", "32"])


READERS = {
    "export": lambda path, out: export_motion.main([str(path), "-o", str(out / "x.csv"), str(out / "x.npy")]),
    "plot": lambda path, out: plot_motion.main([str(path), "-o", str(out / "x.png")]),
    "check": lambda path, out: motion_checker.main(["--motion-file", str(path), "--output-dir", str(out / "checks")]),
    "render": draw_archive,
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_joints_says_or_refuses(tmp_path, capsys, reader):
    motion = smooth_clip(21).motion
    for factor, code, words in ((1.02, 0, "the joints of the rotations are used"), (1000, 1, "looks normalised")):
        path = tmp_path / f"{factor}.pt"
        torch.save({"motion": with_joints(motion, factor * unpack(motion).joints), "fps": 16.0}, path)
        assert READERS[reader](path, tmp_path) == code
        said = capsys.readouterr().err
        assert words in said and said.startswith("warning: " if code == 0 else "error: ")
    assert "0.pt" in said or "1000.pt" in said


def test_what_is_measured_comes_from_the_rotations(tmp_path):
    motion = smooth_clip(21).motion
    path = tmp_path / "0.pt"
    torch.save({"motion": with_joints(motion, 1.02 * unpack(motion).joints), "fps": 16.0}, path)
    draw_archive(path, tmp_path)
    flags = ["--meta-json", str(tmp_path / "r.json"), "--quality-report", str(tmp_path / "q.json"), "--judge", "none"]
    apply_quality_gate.main(flags)
    (record,) = json.loads((tmp_path / "q.json").read_text())
    joints = y_up_from_z_up(body_parameters(motion.double()).joints()).numpy()
    assert record["jitter_degree"] == pytest.approx(measure(JointClip(joints, 16.0)).jitter_degree, abs=1e-6)
    assert any("the joints of the rotations are used" in reason for reason in record["reasons"])
    assert export_motion.main([str(path), "-o", str(tmp_path / "x.npy"), "--frame", "yup"]) == 0
    assert np.allclose(np.load(tmp_path / "x.npy"), joints, atol=1e-5)
