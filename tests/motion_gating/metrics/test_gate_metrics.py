"""The fast metrics against their definitions, written out slowly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gate_support import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_gating.metrics.joint_clip import JointClip, read_joint_clip
from motion_gating.metrics.joint_metrics import (
    at_metric_rate,
    dynamic_degree,
    foot_floating,
    foot_sliding,
    ground_penetration,
    jitter_per_frame,
    measure,
)
from motion_rep.common.errors import InputError

REAL = ROOT.parent / "shared" / "real" / "wan22_motion.pt"


def random_joints(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 22, 3)) * 0.3


def slow_jitter(x):
    """The definition, joint by joint."""
    total = 0.0
    for relative in (False, True):
        y = x - x[:, :1] if relative else x
        lengths = [
            np.linalg.norm(y[t + 2, j] - 2 * y[t + 1, j] + y[t, j]) for t in range(len(y) - 2) for j in range(22)
        ]
        total += float(np.mean(lengths))
    return total


@given(st.integers(3, 12), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_jitter_is_its_definition(frames, seed):
    joints = random_joints(frames, seed)
    assert measure(JointClip(joints, None)).jitter_degree == pytest.approx(slow_jitter(joints), rel=1e-12)


def test_jitter_does_not_change_with_axes_places_and_steady_movement():
    joints = random_joints(20)
    turned = (
        np.stack([-joints[..., 0], joints[..., 2], joints[..., 1]], axis=-1)
        + [3.0, -2.0, 9.0]
        + np.arange(20)[:, None, None] * 0.1
    )
    assert jitter_per_frame(turned).mean() == pytest.approx(jitter_per_frame(joints).mean(), rel=1e-9)


@pytest.mark.parametrize("fps", [12.0, 15.0, 16.0, 20.0, 29.97, 30.0, 60.0, 120.0])
def test_one_path_scores_alike_at_every_rate_that_is_known(fps):
    def path(times):
        phase = np.linspace(0, 3, 22)[None, :, None] + np.array([0.0, 1.0, 2.0])
        return np.sin(2 * times[:, None, None] + phase)

    known = measure(JointClip(path(np.arange(int(4 * fps)) / fps), fps))
    reference = measure(JointClip(path(np.arange(64) / 16), 16.0))
    assert known.fps == 16.0
    assert known.jitter_degree == pytest.approx(reference.jitter_degree, rel=0.12)
    assert known.dynamic_degree == pytest.approx(reference.dynamic_degree, rel=0.05)


def test_unknown_rate_is_per_frame_as_published():
    joints = random_joints(30)
    unknown, known = measure(JointClip(joints, None)), measure(JointClip(joints, 30.0))
    assert unknown.fps is None
    assert unknown.jitter_degree == unknown.jitter_degree_per_frame == known.jitter_degree_per_frame
    assert known.jitter_degree != known.jitter_degree_per_frame


def test_resampling_is_linear_and_keeps_frames_that_coincide():
    joints = random_joints(33)
    assert np.allclose(at_metric_rate(JointClip(joints, 32.0)), joints[::2])
    assert np.allclose(at_metric_rate(JointClip(joints, 8.0))[1], (joints[0] + joints[1]) / 2)
    assert len(at_metric_rate(JointClip(joints, 8.0))) == 65
    assert np.allclose(at_metric_rate(JointClip(joints, 8.0))[-1], joints[-1])


def test_the_worst_half_second_is_where_the_noise_is():
    joints = np.zeros((160, 22, 3))
    joints[100:108] += random_joints(8)
    worst = measure(JointClip(joints, 32.0)).worst_half_second
    assert worst.first_frame < 108
    assert worst.last_frame > 100
    assert worst.last_frame - worst.first_frame == 16
    assert worst.end_seconds - worst.start_seconds == 0.5
    assert measure(JointClip(joints[:4], None)).worst_half_second.last_frame == 3
    assert measure(JointClip(joints, None)).worst_half_second.start_seconds is None


def test_penetration_is_the_mean_depth_below_five_millimetres():
    assert ground_penetration(np.array([[0.0, -0.004], [-0.01, -0.03]])) == pytest.approx(0.02)
    assert ground_penetration(np.zeros((4, 2))) == 0.0


def test_floating_is_the_mean_height_of_the_lower_foot_where_it_is_off_the_ground():
    assert foot_floating(np.array([[0.0, 0.5], [0.3, 0.1], [0.2, 0.3]])) == pytest.approx(0.15)
    assert foot_floating(np.full((3, 2), 0.004)) == 0.0


def test_sliding_counts_horizontal_steps_of_feet_in_contact():
    height = np.array([[0.0, 0.5], [0.0, 0.5], [0.0, 0.5]])
    velocity = np.array([[[0.03, 0.0, 0.04], [0.2, 0.0, 0.0]], [[0.0, 0.01, 0.0], [0.0, 0.0, 0.006]]])
    # The left foot is low in both steps (5 cm and none); the right is high, slow only in the second (6 mm).
    assert foot_sliding(height, velocity) == pytest.approx((0.05 + 0.0 + 0.006) / 3)
    assert foot_sliding(np.ones((3, 2)), np.ones((2, 2, 3))) == 0.0


def test_dynamic_degree_adds_global_and_local_speed():
    joints = np.zeros((5, 22, 3))
    joints += np.arange(5)[:, None, None] * np.array([0.1, 0.0, 0.0])
    assert dynamic_degree(joints) == pytest.approx(0.1)
    joints[:, 5, 2] += np.arange(5) * 0.22
    assert dynamic_degree(joints) == pytest.approx(0.1 * 21 / 22 + np.hypot(0.1, 0.22) / 22 + 0.01)


def test_eval_files_may_hold_arrays_and_half_precision(tmp_path):
    joints = random_joints(9)
    for number, value in enumerate(
        (torch.from_numpy(joints).half(), joints, torch.from_numpy(joints).requires_grad_())
    ):
        torch.save({"joints": value, "fps": torch.tensor(20.0)}, tmp_path / f"{number}.pt")
        clip = read_joint_clip(tmp_path / f"{number}.pt")
        assert clip.fps == 20.0
        assert np.allclose(clip.joints, joints, atol=1e-2)


def test_nothing_in_an_eval_file_is_run(tmp_path):
    class Bad:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"joints": Bad()}, tmp_path / "bad.pt")
    with pytest.raises(InputError, match="Nothing was run"):
        read_joint_clip(tmp_path / "bad.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not REAL.exists(), reason="the real motion is not here")
def test_a_real_motion_scores_as_published():
    motion = torch.load(REAL, weights_only=True)["motion"]
    joints = motion[:, 126:192].reshape(-1, 22, 3).double().numpy()
    assert measure(JointClip(joints, 16.0)).jitter_degree == pytest.approx(0.0158, abs=5e-5)
