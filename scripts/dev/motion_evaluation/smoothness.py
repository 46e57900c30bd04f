"""Jitter and tremble of clean motions and of trembling copies of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from motion_gating.metrics.table import DEFAULT_JITTER, SUGGESTED_TREMBLE
from motion_rep.captures.capture import Capture
from motion_rep.captures.resampling import resample
from motion_rep.common.messages import say
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.measures.benchmark import jitter_per_frame
from motion_rep.measures.tremble import tremble

SAMPLES = Path(__file__).resolve().parents[3] / "data_samples" / "captures"
FIGURES: dict[str, tuple[Callable[[np.ndarray], float], float]] = {
    "jitter": (lambda joints: float(jitter_per_frame(joints).mean()), DEFAULT_JITTER),
    "tremble": (tremble, SUGGESTED_TREMBLE),
}


def compare(real: list[Path], rates: list[float], degrees: float, copies: int) -> None:
    """Print a table: how well each figure tells the clips from their copies with noise, at each rate.

    Args:
        real: folders of captures besides the samples.
        degrees: size of the noise on each axis of each joint.
        copies: number of noisy copies of each clip.
    """
    captures = list(_captures(real))
    say(f"{len(captures)} clips, {copies} copies of each with {degrees:g} degrees of noise")
    say("| fps | figure | limit | area under the curve | clean clips that pass | noisy copies that do not |")
    say("| --- | --- | --- | --- | --- | --- |")
    for rate in rates:
        clips = [resample(capture, rate) for capture in captures]
        noisy = [_trembling(clip, degrees, seed) for clip in clips for seed in range(copies)]
        for name, (figure, limit) in FIGURES.items():
            say(_row(rate, name, limit, *(np.array([figure(_joints(c)) for c in some]) for some in (clips, noisy))))


def _row(rate: float, name: str, limit: float, clean: np.ndarray, noisy: np.ndarray) -> str:
    above = (noisy[:, None] > clean).mean() + (noisy[:, None] == clean).mean() / 2
    passed, caught = f"{(clean < limit).sum()} of {len(clean)}", f"{(noisy >= limit).sum()} of {len(noisy)}"
    return f"| {rate:g} | {name} | {limit:g} | {above:.3f} | {passed} | {caught} |"


def _captures(folders: list[Path]) -> Iterator[Capture]:
    samples = [path for path in sorted(SAMPLES.glob("*.pt")) if "jittery" not in path.name]
    for path in [*samples, *(found for folder in folders for found in sorted(folder.glob("*.pt")))]:
        yield read_capture(path)


def _trembling(capture: Capture, degrees: float, seed: int) -> Capture:
    random = torch.Generator().manual_seed(seed)
    turns = math.radians(degrees) * torch.randn(len(capture), 22, 3, generator=random, dtype=torch.float64)
    noise = rotvec_to_matrix(turns)
    return dataclasses.replace(
        capture,
        root_rotations=capture.root_rotations @ noise[:, 0],
        body_rotations=capture.body_rotations @ noise[:, 1:],
    )


def _joints(capture: Capture) -> np.ndarray:
    return forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions.numpy()
