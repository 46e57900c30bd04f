"""Measure how well jitter and tremble tell clean motions from trembling copies of them, at several frame rates.

The clips are the samples and every capture in the given folders; the noise is one turn of random size about each axis
of each joint in each frame.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from motion_gating.metrics.table import SUGGESTED_TREMBLE
from motion_rep.captures.capture import Capture
from motion_rep.captures.resampling import resample
from motion_rep.common.command_line import Parser, run_command, say
from motion_rep.common.overwriting import read_path
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.measures.benchmark import jitter_per_frame
from motion_rep.measures.tremble import tremble

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples" / "captures"
JITTER_THRESHOLD = 0.04
FIGURES: dict[str, tuple[Callable[[np.ndarray], float], float]] = {
    "jitter": (lambda joints: float(jitter_per_frame(joints).mean()), JITTER_THRESHOLD),
    "tremble": (tremble, SUGGESTED_TREMBLE),
}


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("--real", type=read_path, action="append", default=[], metavar="DIR", help="folder of captures")
    parser.add_argument("--rates", type=float, nargs="+", default=[16.0, 24.0, 30.0], help="frames per second")
    parser.add_argument("--degrees", type=float, default=1.0, help="size of the noise on each axis of each joint")
    parser.add_argument("--copies", type=int, default=3, help="trembling copies of each clip")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    captures = list(_captures(args.real))
    say(f"{len(captures)} clips, {args.copies} copies of each with {args.degrees:g} degrees of noise")
    say("| fps | figure | limit | area under the curve | clean clips that pass | noisy copies that do not |")
    say("| --- | --- | --- | --- | --- | --- |")
    for rate in args.rates:
        clips = [resample(capture, rate) for capture in captures]
        copies = [_trembling(clip, args.degrees, seed) for clip in clips for seed in range(args.copies)]
        for name, (figure, limit) in FIGURES.items():
            say(_row(rate, name, limit, *(np.array([figure(_joints(c)) for c in some]) for some in (clips, copies))))
    return 0


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


if __name__ == "__main__":
    raise SystemExit(main())
