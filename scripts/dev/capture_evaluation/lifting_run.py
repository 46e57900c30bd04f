"""The steps of training the lifting networks: draw examples, then learn from all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from motion_rep.common.messages import say
from motion_rep.files.atomic_writing import atomic_path
from scripts.dev.capture_evaluation import temporal_training
from scripts.dev.capture_evaluation.lifting_training import make_examples, read_examples, train
from scripts.dev.capture_evaluation.simulated_tracks import Simulation, read_errors, training_clips
from scripts.dev.capture_evaluation.temporal_training import Network as TemporalNetwork


def draw_examples(folder: Path, seed: int, count: int) -> None:
    """Write ``<seed>.npz`` with the recognised poses out of ``count`` drawn ones."""
    torch.set_num_threads(1)
    path = folder / f"{seed}.npz"
    with atomic_path(path) as temporary:
        say(f"{path}: {make_examples(count, seed, temporary)} of {count} poses recognised")


def train_network(folder: Path, output: Path, width: int, epochs: int, seed: int) -> None:
    """Train on all examples of a folder and write the network."""
    torch.set_num_threads(1)
    paths = sorted(folder.glob("*.npz"))
    examples = read_examples(paths)
    say(f"{len(examples.features)} examples of {len(paths)} files, mirror images included")
    network = train(examples, width, epochs, seed, lambda epoch, error: say(f"epoch {epoch + 1}: {error:.1f} mm"))
    with atomic_path(output) as temporary:
        np.savez_compressed(temporary, **network.arrays())
    say(f"{output}: {output.stat().st_size / 1e6:.2f} MB")


def train_temporal(folder: Path, output: Path, width: int, steps: int, seed: int, start: Path | None = None) -> None:
    """Train the network of movement on simulated tracks with the errors of all examples of a folder, and write it."""
    torch.set_num_threads(1)
    errors = read_errors(sorted(folder.glob("*.npz")))
    say(f"errors of {len(errors.true)} examples, mirror images included")

    def report(step: int, means: dict[str, float], _: TemporalNetwork) -> None:
        say(f"step {step}: joints {means['joints']:.1f} mm, depth {means['depth']:.1f} mm, up {means['up']:.1f} deg")

    begin = None if start is None else dict(np.load(start, allow_pickle=False))
    network = temporal_training.train(Simulation(errors, seed, training_clips()), width, steps, seed, report, begin)
    with atomic_path(output) as temporary:
        np.savez_compressed(temporary, **network.arrays())
    say(f"{output}: {output.stat().st_size / 1e6:.2f} MB")
