"""The two steps of training the lifting network: draw examples, then learn from all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from motion_rep.common.command_line import say
from motion_rep.files.atomic_writing import atomic_path
from scripts.dev.capture_evaluation.lifting_training import make_examples, read_examples, train


def draw_examples(folder: Path, seed: int, count: int) -> None:
    """Write ``<seed>.npz`` with the recognised ones of ``count`` drawn poses."""
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
