"""Simulated landmark tracks, and training of the lifting network of movement on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from motion_rep.common.errors import UsageError
from motion_rep.kinematics.skeleton import PARENTS, REST_JOINTS
from motion_rep.preview_capture import lifting as runtime
from motion_rep.preview_capture.body_fit import FittedBody
from motion_rep.preview_capture.landmarks import COUNT
from motion_rep.preview_capture.lifting import TemporalNetwork
from scripts.dev.capture_evaluation import simulated_tracks as tracks
from scripts.dev.capture_evaluation import temporal_training as training
from scripts.dev.capture_evaluation.simulated_tracks import MARKERS, SEEN, Errors, Simulation

LEAN = 0.2


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few poses and small batches, for speed."""
    monkeypatch.setattr(tracks, "RANDOM_POSES", 200)
    monkeypatch.setattr(training, "COUNT", 4)
    monkeypatch.setattr(training, "FRAMES", 4)
    monkeypatch.setattr(training, "REPORTED", 10)


def simulation(seed: int = 0) -> Simulation:
    numbers = torch.Generator().manual_seed(1)

    def noise(*shape: int) -> torch.Tensor:
        return 0.05 * torch.randn(shape, generator=numbers)

    n, m = 40, len(SEEN)
    errors = Errors(4 * noise(n, m, 3), noise(n, m, 3), noise(n, m, 2), noise(n), 0.5 + noise(n, m))
    return Simulation(errors, seed, [(torch.eye(3).repeat(20, 22, 1, 1), 30.0)])


def test_the_same_seed_gives_the_same_tracks():
    first, again, other = (simulation(seed).batch(3, 20) for seed in (5, 5, 6))
    assert first.features.shape == (3, 20, tracks.FEATURES) and first.features.isfinite().all()
    assert torch.equal(first.features, again.features) and not torch.equal(first.features, other.features)


def test_joints_are_those_of_the_neutral_body():
    batch = simulation().batch(4, 12)
    rest = torch.tensor(REST_JOINTS).float()
    for joint in range(1, 22):
        parent = PARENTS[joint]
        bone = batch.rotations[:, :, parent] @ (rest[joint] - rest[parent])
        assert torch.allclose(batch.joints[:, :, joint] - batch.joints[:, :, parent], bone, atol=1e-5)
    assert torch.allclose(batch.up.norm(dim=-1), torch.ones(4, 12), atol=1e-5)
    assert (batch.up[..., 1] < -0.5).all()


def test_errors_of_examples_are_told_apart(tmp_path):
    """World landmarks that lean by 0.2 rad, an image without errors; the mirror image follows."""
    still = FittedBody(np.eye(3)[None], np.tile(np.eye(3), (1, 21, 1, 1)), np.array([[0.0, 0.0, 4.0]]))
    placed, width, focal = MARKERS.place(still.pose()).T[0], 640, 700.0
    image, world = np.zeros((1, COUNT, 2)), np.zeros((1, COUNT, 3))
    image[0, SEEN] = placed[:, :2] / placed[:, 2:] * focal + width / 2
    c, s = np.cos(LEAN), np.sin(LEAN)
    axes = runtime.view_axes(image, runtime.Lens(focal, width, width))[0]
    about = (placed - placed[tracks.HIPS].mean(0)) @ axes
    world[0, SEEN] = about @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T
    np.savez(
        tmp_path / "1.npz", image=image, world=world, vis=np.ones((1, COUNT)), f=[focal], W=[width], H=[width],
        joints=still.pose().positions.T, rot=np.eye(3)[None, None].repeat(22, 1),
    )  # fmt: skip
    errors = tracks.read_errors([tmp_path / "1.npz"])
    assert torch.allclose(errors.lean, torch.tensor([-LEAN, -LEAN]), atol=1e-4)
    assert errors.flat.abs().max() < 1e-5 and errors.world.abs().max() > 0.05
    assert torch.allclose(errors.true[1], errors.true[0][tracks.MIRRORED_MARKERS] * torch.tensor([-1.0, 1, 1]))


def test_training_without_examples_is_refused():
    with pytest.raises(UsageError, match="there are no examples; make some first"):
        tracks.read_errors([])


def test_training_learns_and_goes_on():
    means: list[dict[str, float]] = []
    network = training.train(simulation(), 16, 60, 0, lambda _, found, __: means.append(found))
    training.train(simulation(), 16, 10, 0, lambda _, found, __: means.append(found), network.arrays())
    first, *_, last, later = [found["joints"] for found in means]
    assert last < 0.8 * first and later < 0.8 * first


def test_the_trained_network_runs_the_same_without_torch():
    torch.manual_seed(0)
    network = training.Network(16).eval()
    features = torch.randn(1, 9 + 2 * runtime.MARGIN, tracks.FEATURES)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half())
        expected = network(features)
    inner = features[0, runtime.MARGIN : -runtime.MARGIN].numpy()
    out = TemporalNetwork(network.arrays())._run(features[0].numpy())[runtime.MARGIN : -runtime.MARGIN]
    assert len(out) == len(inner)
    for mine, theirs in zip(runtime._temporal_parts(out), expected, strict=True):
        assert np.allclose(mine, theirs[0], atol=1e-3)
