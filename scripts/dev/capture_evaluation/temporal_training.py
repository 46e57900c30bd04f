"""Train the temporal network of motion_rep/preview_capture/lifting.py on simulated tracks."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from motion_rep.preview_capture import lifting
from scripts.dev.capture_evaluation.simulated_tracks import FEATURES, Batch, Simulation

DILATIONS = (1, 2, 4)
MARGIN = sum(DILATIONS)
OUTPUTS = 22 * 12 + 4
RATE, RATE_LATER, WEIGHT_DECAY, DROPOUT = 2e-3, 1e-3, 1e-2, 0.05
POSITION_WEIGHT, ROTATION_WEIGHT, SPEED_WEIGHT, UP_WEIGHT = 9.0, 3.0, 6.0, 0.3
COUNT, FRAMES, KEPT = 32, 16, 128
DECAY_OF_MEAN = 0.998
REPORTED = 200


class Block(nn.Module):
    """A layer over neighbouring frames, then one over all numbers of a frame."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.first = nn.Linear(3 * width, width)
        self.norm = nn.LayerNorm(width)
        self.second = nn.Linear(width, width)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, W) to (B, L - 2 dilations, W)."""
        d = self.dilation
        near = torch.cat((x[:, : -2 * d], x[:, d:-d], x[:, 2 * d :]), -1)
        return x[:, d:-d] + self.second(self.drop(torch.relu(self.norm(self.first(near)))))


class Network(nn.Module):
    """The computation of TemporalNetwork, for training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(FEATURES), False)
        self.deviation = nn.Parameter(torch.ones(FEATURES), False)
        self.first, self.last = nn.Linear(FEATURES, width), nn.Linear(width, OUTPUTS)
        self.blocks = nn.ModuleList(Block(width, d) for d in DILATIONS)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Joints (B, L, 22, 3), logarithm of their spread, two columns of the rotations (B, L, 22, 3, 2), up (B, L, 3)
        and logarithm of its spread (B, L)."""
        bound = lifting.FEATURE_BOUND
        x = torch.relu(self.first(((features - self.mean) / self.deviation).clamp(-bound, bound)))
        for block in self.blocks:
            x = block(x)
        joints, spread, columns, up, doubt = self.last(x).split([66, 66, 132, 3, 1], dim=-1)
        reach = lifting.SPREAD_REACH
        return (
            joints.unflatten(-1, (22, 3)) * lifting.JOINT_SCALE,
            spread.unflatten(-1, (22, 3)).clamp(-reach, reach) + lifting.SPREAD_CENTRE,
            columns.unflatten(-1, (22, 3, 2)),
            up,
            doubt[..., 0].clamp(-reach, reach) - 2,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights by name; matrices in float16."""
        named = dict(self.named_parameters())
        return {n: v.detach().numpy().astype(np.float16 if v.ndim > 1 else np.float32) for n, v in named.items()}


def train(
    simulation: Simulation,
    width: int,
    steps: int,
    seed: int,
    report: Callable[[int, dict[str, float], Network], None],
    start: dict[str, np.ndarray] | None = None,
) -> Network:
    """Train from scratch or from a network's weights; the result has the running mean of the weights.

    Each batch is used twice: when it is drawn, and once more among the last ones.

    Args:
        report: called occasionally with the step, the mean errors (mm, degrees) and the network so far.
    """
    torch.manual_seed(seed)
    network = Network(width)
    length = FRAMES + 2 * MARGIN
    kept = [simulation.batch(COUNT, length) for _ in range(16)]
    first = torch.cat([batch.features.flatten(0, 1) for batch in kept])
    network.mean.data, network.deviation.data = first.mean(0), first.std(0) + 0.02
    if start is not None:
        network.load_state_dict({name: torch.from_numpy(value).float() for name, value in start.items()})
    highest = RATE if start is None else RATE_LATER
    trained = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, RATE, weight_decay=WEIGHT_DECAY)
    network.train()
    calm, sums = deepcopy(network), dict[str, float]()
    for step in range(steps):
        warm = min(1, (step + 1) / min(100, steps / 10))
        for group in optimiser.param_groups:
            group["lr"] = highest * warm * 0.5 * (1 + math.cos(math.pi * step / steps))
        if step % 2 == 0:
            kept = [*kept[-KEPT:], simulation.batch(COUNT, length)]
        loss, parts = loss_of(network, kept[-1 if step % 2 == 0 else int(torch.randint(len(kept), ()))])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        share = min(DECAY_OF_MEAN, step / (step + 10))
        with torch.no_grad():
            for mean, value in zip(calm.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - share)
        sums = {name: sums.get(name, 0.0) + value / REPORTED for name, value in parts.items()}
        if (step + 1) % REPORTED == 0:
            report(step + 1, sums, calm)
            sums = {}
    return calm.eval()


def loss_of(network: Network, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch and its mean errors: joints and depths in mm, their change per frame, up in degrees."""
    joints, spread, columns, up, doubt = network(batch.features)
    inner = slice(MARGIN, -MARGIN)
    away = joints - batch.joints[:, inner]
    likely = nn.functional.huber_loss(away / spread.exp(), torch.zeros_like(away), delta=2.0, reduction="none") + spread
    error = away[:, :, 1:].norm(dim=-1).mean()
    speed = torch.diff(away, dim=1).norm(dim=-1).mean()
    turned = ((columns - batch.rotations[:, inner, ..., :2]) ** 2).mean()
    off = (nn.functional.normalize(up, dim=-1) - batch.up[:, inner]).norm(dim=-1)
    tilted = (off / doubt.exp() + 2 * doubt).mean() + 3 * off.mean()
    total = likely.mean() + POSITION_WEIGHT * error + SPEED_WEIGHT * speed + ROTATION_WEIGHT * turned
    depth = away[..., 2].detach().abs().mean()
    return total + UP_WEIGHT * tilted, {
        "joints": 1000 * float(error.detach()),
        "depth": 1000 * float(depth),
        "speed": 1000 * float(speed.detach()),
        "up": math.degrees(float(off.detach().mean())),
    }
