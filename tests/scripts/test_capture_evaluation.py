"""The preview capture's evaluation, the training of its network, and the step that fetches weights."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from checkout import REPO

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import UsageError
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.preview_capture.lifting import FEATURES, LiftingNetwork
from motion_rep.preview_capture.weights import DETECTOR, LANDMARKS, LICENCE
from scripts.dev.capture_evaluation import figures, real_clips
from scripts.dev.capture_evaluation.clips import SETS
from scripts.dev.capture_evaluation.lifting_training import Examples, Network, train
from scripts.dev.capture_evaluation.mocap import mocap_motion
from scripts.dev.capture_evaluation.motions import MOTIONS, make_motion, sole_points
from scripts.dev.capture_evaluation.scores import mean, score
from scripts.dev.capture_evaluation.stage import StageCamera, draw_clip

FETCH = REPO / "scripts" / "fetch_capture_weights.py"


def joints(name: str, frames: int = 30) -> np.ndarray:
    motion = make_motion(name, frames)
    return forward_kinematics(motion.root, motion.body, motion.transl).positions.numpy() + (0, 0, 6)


def test_the_truth_has_no_error():
    same = score(joints("kick"), joints("kick"), 1.0, 0.0)
    assert same.mpjpe == same.root == 0 and same.limbs == pytest.approx(0, abs=1e-4)
    assert same.procrustes == pytest.approx(0, abs=1e-6) and same.jitter_ratio == 1


def test_scores_see_what_they_are_for():
    truth = joints("walk")
    turned = (truth - (0, 0, 6)) @ np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]) * 1.1 + (0, 0, 6)
    found = score(turned, truth, 1.0, 0.0)
    assert (
        found.procrustes == pytest.approx(0, abs=1e-6)
        and found.limbs == pytest.approx(0, abs=1e-4)
        and found.mpjpe > 100
    )
    bent = truth.copy()
    bent[:, 20] += (0.0, 0.1, 0.0)
    assert score(bent, truth, 1.0, 0.0).mpjpe == pytest.approx(100 / 22)
    assert score(bent, truth, 1.0, 0.0).elbow > 5 and score(bent, truth, 1.0, 0.0).knee == 0


def real_capture(frames: int = 12) -> tuple[Capture, dict[str, np.ndarray]]:
    """A capture of a kick, and landmarks exactly on its joints."""
    motion = make_motion("kick", frames)
    capture = Capture(
        motion.root, motion.body, motion.transl + torch.tensor([0, 0, 6.0]), up=torch.tensor([0, -1.0, 0])
    )
    landmarks = np.zeros((frames, 33, 3))
    landmarks[:, real_clips.LANDMARKS] = joints("kick", frames)[:, real_clips.JOINTS]
    return capture, {"landmarks": landmarks, "up": np.array([0.0, -np.cos(0.2), np.sin(0.2)])}


def test_a_real_clip_on_its_truth_has_no_error():
    found = real_clips.against_truth(*real_capture())
    assert found["mpjpe"] == pytest.approx(0, abs=1e-6) and found["limbs"] == pytest.approx(0, abs=1e-4)
    assert found["exchanged"] == 0 and found["jitter_ratio"] == pytest.approx(1)
    assert found["up"] == pytest.approx(np.degrees(0.2))


def test_errors_of_a_real_clip_are_told_apart():
    capture, truth = real_capture()
    deep = {**truth, "landmarks": truth["landmarks"].copy()}
    deep["landmarks"][:, 15, 2] += 0.12
    found = real_clips.against_truth(capture, deep)
    assert found["mpjpe"] == pytest.approx(10) and found["depth"] == pytest.approx(10)
    assert found["across"] == pytest.approx(0, abs=1e-6)
    swapped = {**truth, "landmarks": truth["landmarks"].copy()}
    swapped["landmarks"][:, real_clips.LANDMARKS] = truth["landmarks"][:, real_clips.LANDMARKS[real_clips.OTHER_SIDE]]
    assert real_clips.against_truth(capture, swapped)["exchanged"] > 0.2


def test_a_rolled_camera_turns_the_picture():
    level, rolled = StageCamera((0.0, 1.0, 4.0)), StageCamera((0.0, 1.0, 4.0), roll=10.0)
    above = np.array([0.0, 2.0, 0.0])
    angles = [np.degrees(np.arctan2(*camera.to_camera(above)[:2])) for camera in (level, rolled)]
    assert angles[1] - angles[0] == pytest.approx(-10, abs=1.5) or angles[1] - angles[0] == pytest.approx(10, abs=1.5)
    assert np.allclose(rolled.rotation @ rolled.rotation.T, np.eye(3))


def test_motion_captured_clips_stand_upright_on_the_floor():
    pytest.importorskip("pybullet_data", reason="pybullet is not installed")
    motion = mocap_motion("walk", 20, 90.0, 16.0)
    pose = forward_kinematics(motion.root, motion.body, motion.transl).positions.numpy()
    assert (pose[:, 15, 1] > pose[:, 0, 1]).all() and (pose[:, 0, 1] > pose[:, [7, 8], 1].max(1)).all()
    assert 0 <= pose[:, [7, 8, 10, 11], 1].min() < 0.12
    assert abs(pose[-1, 0, 0] - pose[0, 0, 0]) > 4 * abs(pose[-1, 0, 2] - pose[0, 0, 2])


def test_the_mean_is_over_clips():
    first, second = score(joints("kick"), joints("kick"), 1.0, 2.0), score(joints("walk"), joints("walk"), 0.5, 4.0)
    assert mean([first, second])["detected"] == 0.75 and mean([first, second])["seconds"] == 3.0


@pytest.mark.parametrize("name", MOTIONS)
def test_every_motion_stands_on_the_floor(name):
    low = joints(name, 60)[:, [7, 8, 10, 11], 1].min(1)
    assert low.min() > 0.0 and low.min() < 0.05 and low.max() < 0.25


def test_the_sets_share_no_clip():
    names = [clip.name for clips in SETS.values() for clip in clips]
    assert len(set(names)) == len(names)


def test_a_clip_shows_the_figure_where_the_truth_is():
    motion, camera = make_motion("bow", 2), StageCamera((0.0, 1.2, 4.0), width=320, height=240)
    first, _ = draw_clip(motion, figures.Mannequin(), camera)
    pelvis = camera.to_camera(forward_kinematics(motion.root, motion.body, motion.transl).positions.numpy()[0, 0])
    x, y = pelvis[:2] / pelvis[2] * camera.focal_length + (160, 120)
    assert first.shape == (240, 320, 3)
    clothes = first[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].reshape(-1, 3).mean(0)
    wall = first[20:40, 20:40].reshape(-1, 3).mean(0)
    assert np.abs(clothes - wall).max() > 40


def test_without_anny_the_install_line_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "anny", None)
    figures._load_anny.cache_clear()
    with pytest.raises(UsageError, match="pip install anny"):
        figures._load_anny()


def test_the_trained_network_runs_the_same_without_torch():
    torch.manual_seed(0)
    network = Network(16).eval()
    features = torch.randn(5, FEATURES)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half())
        expected, spread, _ = network(features)
    found = LiftingNetwork(network.arrays())._run(features.numpy())
    assert np.allclose(found[0], expected, atol=1e-4) and np.allclose(found[1], spread.exp(), rtol=1e-3)


def test_training_learns():
    torch.manual_seed(0)
    features = torch.randn(1024, FEATURES)
    target = features[:, :66].unflatten(1, (22, 3)) * 0.2
    examples = Examples(features, target - target[:, :1], torch.eye(3).expand(1024, 22, 3, 3).clone())
    errors = []
    train(examples, 64, 30, 0, lambda _, error: errors.append(error))
    assert errors[-1] < 0.8 * errors[0]


def fetch(*flags: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(FETCH), *flags]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=120
    )


def test_without_a_network_fetching_ends_in_one_line(tmp_path):
    done = fetch(
        "--folder", str(tmp_path), PIP_INDEX_URL="http://127.0.0.1:9/", PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull
    )
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1 and "--wheel" in done.stderr


def test_another_wheel_is_refused_and_nothing_is_kept(tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in (DETECTOR, LANDMARKS, LICENCE):
            archive.writestr(file.member, b"something else")
    done = fetch("--folder", str(tmp_path / "weights"), "--wheel", str(wheel))
    assert done.returncode == 1 and "another sha256" in done.stderr
    assert not list((tmp_path / "weights").iterdir())


def test_a_file_that_is_no_wheel_is_refused(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"no zip")
    done = fetch("--folder", str(tmp_path / "weights"), "--wheel", str(tmp_path / "x.whl"))
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1


def test_the_feet_of_a_jumping_jack_move_in_the_air_only():
    motion = make_motion("jumping_jack", 81, heading_degrees=12, fps=24)
    soles = sole_points(forward_kinematics(motion.root, motion.body, motion.transl))
    left, right = soles[:, (0, 2)], soles[:, (1, 3)]
    lowest = soles[..., 1].amin(1)
    stands = (lowest[1:] < 1e-6) & (lowest[:-1] < 1e-6)
    assert 0.3 < stands.double().mean() < 0.7 and lowest.min() > -1e-6 and lowest.max() > 0.05
    apart = (left - right).mean(1).norm(dim=-1)
    assert apart.min() < 0.35 and apart.max() > 0.75
    for foot in (left, right):
        steps = foot[..., (0, 2)].mean(1).diff(dim=0).norm(dim=-1)
        assert steps[stands].max() < 1e-3 and steps[~stands].max() > 0.04
        assert foot[1:][stands][..., 1].max() < 0.012
