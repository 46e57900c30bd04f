"""The fast metrics against their definitions, written out slowly."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import SHARED
from gate_support import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_gating.archives.fields import IMAGE_FIT, JITTER
from motion_gating.metrics.joint_clip import JointClip, read_joint_clip
from motion_gating.metrics.joint_metrics import BENCHMARK, IN_SECONDS, measure
from motion_gating.metrics.table import METRICS
from motion_rep import convert_hmr_to_motion
from motion_rep.common.errors import InputError
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.measures import in_seconds
from motion_rep.measures.benchmark import (
    at_metric_rate,
    dynamic_degree,
    foot_floating,
    foot_sliding,
    ground_penetration,
    jitter_per_frame,
)
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import read_motion

REAL = SHARED / "real"


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
    assert known.value("dynamic_degree") == pytest.approx(reference.value("dynamic_degree"), rel=0.05)


def test_unknown_rate_is_per_frame_as_published():
    joints = random_joints(30)
    unknown, known = measure(JointClip(joints, None)), measure(JointClip(joints, 30.0))
    assert unknown.fps is None
    assert unknown.jitter_degree == unknown.jitter_degree_per_frame == known.jitter_degree_per_frame
    assert known.jitter_degree != known.jitter_degree_per_frame


def test_resampling_is_linear_and_keeps_frames_that_coincide():
    joints = random_joints(33)
    assert np.allclose(at_metric_rate(joints, 32.0), joints[::2])
    assert np.allclose(at_metric_rate(joints, 8.0)[1], (joints[0] + joints[1]) / 2)
    assert len(at_metric_rate(joints, 8.0)) == 65
    assert np.allclose(at_metric_rate(joints, 8.0)[-1], joints[-1])


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


def feet(heights):
    """Joints whose feet have these heights (T, 2) and whose other joints stay at 1 m."""
    joints = np.zeros((len(heights), 22, 3))
    joints[..., 1] = 1.0
    joints[:, (10, 11), 1] = heights
    return joints


def test_penetration_is_the_mean_depth_below_five_millimetres():
    assert ground_penetration(feet([[0.0, -0.004], [-0.01, -0.03]])) == pytest.approx(0.02)
    assert ground_penetration(feet(np.zeros((4, 2)))) == 0.0


def test_clearance_is_the_mean_height_of_the_lower_foot_where_it_is_off_the_ground():
    assert in_seconds.foot_clearance(feet([[0.0, 0.5], [0.3, 0.1], [0.2, 0.3]]), 16) == pytest.approx(0.15)
    assert in_seconds.foot_clearance(feet(np.full((3, 2), 0.004)), 16) == 0.0


def test_sliding_is_the_mean_of_both_feet_each_while_in_contact():
    joints = feet([[0.0, 0.5], [0.0, 0.5], [0.0, 0.5]])
    joints[1:, 10] += (0.03, 0.0, 0.04)
    joints[1, 11] += (0.2, 0.0, 0.0)
    joints[2, 11] += (0.2, 0.0, 0.006)
    # The low left foot steps 5 cm, then stays twice (the last step is repeated); the high right one counts while slow.
    assert foot_sliding(joints) == pytest.approx((0.05 / 3 + (0.006 + 0.006) / 2) / 2, rel=1e-5)
    assert foot_sliding(feet(np.ones((3, 2))) * np.arange(1, 4)[:, None, None]) == 0.0


def slow_floating(joints):
    """The published share of floating frames, frame by frame."""
    frames, foot = len(joints), joints[:, (10, 11)]

    def steps(path):
        return [path[min(t, frames - 2) + 1] - path[min(t, frames - 2)] for t in range(frames)]

    root, moved = steps(joints[:, 0]), steps(foot)
    root_speed = [np.linalg.norm(step) for step in root]
    contact = [[np.linalg.norm(moved[t][k]) < 0.01 or foot[t, k, 1] < 0.02 for k in (0, 1)] for t in range(frames)]
    rate = [[np.linalg.norm(moved[t][k] - root[t]) / (root_speed[t] + 1e-6) for k in (0, 1)] for t in range(frames)]
    score = 0.0
    for t in range(frames):
        flags = [True, True]
        if root_speed[t] >= 0.001:
            moving = [np.linalg.norm(moved[t][k]) > 1.2e-4 for k in (0, 1)]
            fast = [rate[t][k] > 1.75 and root_speed[t] > 1.2e-4 for k in (0, 1)]
            bad = [moving[k] and (rate[t][k] < 0.6 or fast[k]) for k in (0, 1)]
            if all(contact[t]):
                flags = [False, False] if all(bad) else flags
            else:
                flags = [not (contact[t][k] and bad[k]) for k in (0, 1)]
        score += sum(flags) <= 1
    flights = []
    for k in (0, 1):
        found, start = [], None
        for t in range(frames + 1):
            free = t < frames and not contact[t][k]
            if free and start is None:
                start = t
            if not free and start is not None:
                found += [(start, t)] if t - start >= 4 else []
                start = None
        flights.append(found)
        for start, stop in found:
            if sum(speed < 0.001 for speed in root_speed[start:stop]) <= (stop - start) / 2:
                score += sum(rate[t][k] < 0.4 for t in range(start, stop)) / 2
    for start, stop in ((max(a[0], b[0]), min(a[1], b[1])) for a in flights[0] for b in flights[1]):
        if stop - start < 4:
            continue
        angles, end = [], foot[stop - 1, 0] - foot[start, 0]
        for t in range(start, stop):
            way = foot[t, 0] - foot[start, 0]
            size = np.linalg.norm(way) * np.linalg.norm(end)
            angles.append(np.degrees(np.arccos(np.clip(way @ end / size, -1, 1))) if size else 0.0)
        peaks = sum(angles[i - 1] < angles[i] > angles[i + 1] for i in range(1, len(angles) - 1))
        score += stop - start if peaks > 2 else 0
    return score / frames


@pytest.mark.parametrize("scale", [0.002, 0.02, 0.3])
@pytest.mark.parametrize("seed", range(6))
def test_floating_is_its_definition(seed, scale):
    random = np.random.default_rng(seed)
    joints = random.normal(size=(50, 22, 3)).cumsum(axis=0) * scale + random.normal(size=22)[:, None]
    assert foot_floating(joints) > 0 or scale == 0.3
    assert foot_floating(joints) == pytest.approx(slow_floating(joints), abs=1e-9)


def slow_sliding(joints):
    """The published mean step of each foot in contact, frame by frame."""
    total, frames = 0.0, len(joints)
    for foot in (10, 11):
        path, moved, contacts = joints[:, foot], 0.0, 0
        for t in range(frames):
            step = path[min(t, frames - 2) + 1] - path[min(t, frames - 2)]
            if np.linalg.norm(step) < 0.01 or path[t, 1] < 0.02:
                moved += np.hypot(step[0], step[2])
                contacts += 1
        total += moved / (contacts + 1e-6)
    return total / 2


def slow_dynamic(joints):
    relative = joints - joints[:, :1]
    return float(sum(np.linalg.norm(np.diff(x, axis=0), axis=-1).mean() for x in (joints, relative)))


@pytest.mark.parametrize("contact", ["some", "none", "all"])
@pytest.mark.parametrize("frames", [3, 4, 5, 6, 9, 40])
@pytest.mark.parametrize("scale", [0.0, 0.003, 0.05, 0.4])
def test_every_metric_is_its_definition_at_any_length(frames, contact, scale):
    for seed in range(4):
        random = np.random.default_rng([frames, seed])
        joints = random.normal(size=(frames, 22, 3)).cumsum(axis=0) * scale + random.normal(size=(22, 3))
        if contact == "none":
            joints[:, (10, 11)] += np.arange(frames)[:, None, None] * 0.5
            joints[..., 1] += 9
        elif contact == "all":
            joints[:, (10, 11), 1] = 0.01
        measured = measure(JointClip(joints, 16.0))
        assert measured.value("mbench_foot_sliding") == pytest.approx(slow_sliding(joints), abs=1e-12)
        assert measured.value("mbench_foot_floating") == pytest.approx(slow_floating(joints), abs=1e-12)
        assert measured.value("dynamic_degree") == pytest.approx(slow_dynamic(joints), abs=1e-12)
        assert measured.jitter_degree == pytest.approx(slow_jitter(joints), abs=1e-12)


@pytest.mark.parametrize("frames", [1, 2])
def test_too_short_a_clip_is_refused_not_measured(frames):
    with pytest.raises(InputError, match="expected 3 or more"):
        JointClip(random_joints(frames), 16.0)


def test_figures_in_seconds_mean_the_same_at_every_rate():
    def path(fps):
        times = np.arange(int(2 * fps) + 1) / fps
        joints = feet(np.tile([0.01, 0.5], (len(times), 1)))
        joints[:, 10, 0] = 0.3 * times  # a toe that slides at 0.3 m/s
        return joints

    for fps in (16.0, 30.0, 60.0):
        joints = path(fps)
        assert in_seconds.skate_ratio(joints, fps) == 1.0
        assert in_seconds.skate_speed(joints, fps) == pytest.approx(0.3)
        assert in_seconds.joint_speed(joints, fps) == pytest.approx(0.3)
        assert in_seconds.joint_jerk(joints, fps) == pytest.approx(0.0, abs=1e-6)


def test_root_figures_are_what_the_root_does():
    from motion_rep.kinematics.skeleton import rest_joints

    rest, fps = rest_joints().numpy(), 20.0
    angles = np.arange(10) * 0.1
    turns = np.array([[[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]] for a in angles])
    joints = np.einsum("tij,kj->tki", turns, rest - rest[0])
    joints[:, :, 1] += np.arange(10)[:, None] * 0.05
    assert in_seconds.root_turn(joints, fps) == pytest.approx(0.1 * fps)
    assert in_seconds.root_speed(joints, fps) == pytest.approx(0.05 * fps)
    assert in_seconds.height_range(joints, fps) == pytest.approx(0.45)


def test_a_leaning_body_is_far_from_its_support():
    from motion_rep.kinematics.skeleton import rest_joints

    rest = np.tile(rest_joints().numpy(), (8, 1, 1))
    angle = np.radians(20)
    lean = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    assert in_seconds.support_distance(rest, 16) < 0.08
    assert in_seconds.support_distance(rest @ lean.T, 16) > 0.2


def test_the_table_of_metrics_names_what_is_measured():
    measured = measure(JointClip(random_joints(9), 16.0))
    assert [metric.key for metric in METRICS] == [JITTER, *measured.figures, IMAGE_FIT]
    assert [*BENCHMARK, *IN_SECONDS] == list(measured.figures)


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


@pytest.mark.skipif(not REAL.exists(), reason="the real motions are not here")
@pytest.mark.parametrize("columns", [False, True], ids=["kinematics", "columns"])
def test_every_figure_of_the_benchmark_is_the_published_one(tmp_path, columns):
    values = json.loads((REAL / "benchmark_metrics.json").read_text())
    captures = (REAL / "mocap", ROOT / "data_samples" / "captures")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for number, folder in enumerate(captures):
            flags = ["-i", str(folder), "-o", str(tmp_path)]
            assert convert_hmr_to_motion.main([*flags, *(() if number else ("--target-fps", "16"))]) == 0
    own = {"foot_sliding": "mbench_foot_sliding", "foot_floating": "mbench_foot_floating"}
    for name, published in values.items():
        path = REAL / "wan22_motion.pt" if name == "wan22" else tmp_path / f"{name}.pt"
        motion = read_motion(path).motion.double()
        joints = unpack(motion).joints if columns else forward_kinematics(*body_parameters(motion)).positions
        found = measure(JointClip(y_up_from_z_up(joints).numpy(), 16.0))
        for key, value in published.items():
            accuracy = 1e-6 if key == JITTER else 1e-5
            assert found.value(own.get(key, key)) == pytest.approx(value, abs=accuracy), (name, key)


@pytest.mark.parametrize(("flight", "share"), [(3, 0.7), (4, 1.0)])
def test_a_flight_of_four_frames_counts_and_one_of_three_does_not(flight, share):
    """A body that glides as a whole: every frame on the ground is bad, and every frame of a long enough flight."""
    joints = np.zeros((10, 22, 3))
    joints[..., 0] = 0.5 * np.arange(10)[:, None]
    joints[3 : 3 + flight, :, 1] = 1.0
    assert foot_floating(joints) == pytest.approx(share)
