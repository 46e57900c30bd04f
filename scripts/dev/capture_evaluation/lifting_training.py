"""Make training examples from random poses, and train the network of motion_rep/preview_capture/lifting.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from motion_rep.common.errors import UsageError
from motion_rep.kinematics.skeleton import PARENTS
from motion_rep.preview_capture import lifting
from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.lifting import Lens
from motion_rep.preview_capture.networks import LandmarkNetwork, Region
from motion_rep.preview_capture.weights import LANDMARKS, require_weights
from scripts.dev.capture_evaluation.random_poses import joints_of, random_shots

FOCAL_NOISE = 0.15  # the true focal length is unknown when the network is used
ROLL_NOISE = 0.08
BATCH, RATE, WEIGHT_DECAY, DROPOUT = 256, 2e-3, 1e-2, 0.2
POSITION_WEIGHT, ROTATION_WEIGHT = 9.0, 3.0
WORLD, FLAT = slice(0, COUNT * 3), slice(COUNT * 3, COUNT * 5)


def make_examples(count: int, seed: int, path: Path) -> int:
    """Draw random poses, read their landmarks, and store both in a file; returns how many the network recognised."""
    network, random = LandmarkNetwork(require_weights(LANDMARKS)), np.random.default_rng(seed + 1)
    rows = []
    for shot in random_shots(count, seed, people=max(1, count // 100)):
        joints, (height, width) = joints_of(shot), shot.rgb.shape[:2]
        found = _read(network, shot.rgb, _region(joints, shot.focal_length, width, height, random))
        if found is not None:
            rotations = torch.cat((shot.root[None], shot.body)).numpy().astype(np.float32)
            rows.append(
                {
                    "image": found.image,
                    "world": found.world,
                    "vis": found.visibility,
                    "f": shot.focal_length,
                    "W": width,
                    "H": height,
                    "joints": joints,
                    "rot": rotations,
                }
            )
    np.savez(path, **{key: np.array([row[key] for row in rows]) for key in rows[0]})
    return len(rows)


def _read(network: LandmarkNetwork, rgb: np.ndarray, region: Region):
    """Landmarks as in tracking: the second look starts where the first one points."""
    for _ in range(2):
        if not region.usable():
            return None
        found = network.read(rgb, region)
        if found.score < 0.5:
            return None
        region = found.next_region
    return found


def _region(joints: np.ndarray, focal: float, width: int, height: int, random: np.random.Generator) -> Region:
    pixels = joints[:, :2] / joints[:, 2:] * focal + (width / 2, height / 2)
    centre, neck = pixels[[1, 2]].mean(0), pixels[12]
    reach = np.linalg.norm(pixels - centre, axis=1).max() * 1.12 * random.uniform(0.92, 1.12)
    across, up = neck - centre
    angle = np.arctan2(across, -up) * random.uniform(0.8, 1.0)
    place = centre + random.normal(0, 0.03 * reach, 2)
    return Region(float(place[0]), float(place[1]), 2.5 * reach, float(angle))


@dataclass(frozen=True)
class Examples:
    """features (N, FEATURES), joints (N, 22, 3) and global rotations (N, 22, 3, 3) in the axes of view; float32."""

    features: Tensor
    joints: Tensor
    rotations: Tensor


def read_examples(paths: list[Path], seed: int = 0) -> Examples:
    """Examples of the files and their mirror images.

    Raises:
        UsageError: there is no file.
    """
    if not paths:
        raise UsageError(
            "there are no examples; make some first with: python scripts/dev/train_capture_lifting.py make --seed 1 "
            "--count 1000"
        )
    files = [dict(np.load(path)) for path in paths]
    data = {key: np.concatenate([file[key] for file in files]) for key in files[0]}
    focal = data["f"] * np.exp(np.random.default_rng(seed).normal(0, FOCAL_NOISE, len(data["f"])))
    turns = _global(data["rot"].astype(np.float64))
    straight = _examples(data["image"], data["world"], data["vis"], data["joints"], turns, focal, data)
    swap, mirror, order = lifting.MIRRORED_LANDMARKS, lifting.MIRROR, lifting.MIRRORED_JOINTS
    image = data["image"][:, swap] * (-1, 1) + np.stack((data["W"], 0 * data["W"]), -1)[:, None]
    turned = mirror @ turns[:, order] @ mirror
    mirrored = _examples(
        image,
        data["world"][:, swap] * (-1, 1, 1),
        data["vis"][:, swap],
        data["joints"][:, order] @ mirror,
        turned,
        focal,
        data,
    )
    return Examples(
        *(torch.from_numpy(np.concatenate(pair).astype(np.float32)) for pair in zip(straight, mirrored, strict=True))
    )


def _examples(image, world, visibility, joints, turns, focal, data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame by frame, because each frame has its own lens."""
    rows = []
    for k in range(len(image)):
        one = LandmarkTrack(image[k : k + 1], world[k : k + 1], visibility[k : k + 1], np.ones(1, bool))
        size = int(data["W"][k]), int(data["H"][k])
        true_axes = lifting.view_axes(one.image, Lens(float(data["f"][k]), *size))[0]
        rows.append(
            (
                lifting.features(one, Lens(float(focal[k]), *size))[0],
                (joints[k] - joints[k, :1]) @ true_axes,
                true_axes.T @ turns[k],
            )
        )
    return tuple(np.stack(column) for column in zip(*rows, strict=True))


def _global(local: np.ndarray) -> np.ndarray:
    turns = local.copy()
    for joint in range(1, len(PARENTS)):
        turns[:, joint] = turns[:, PARENTS[joint]] @ local[:, joint]
    return turns


class Network(nn.Module):
    """The computation of LiftingNetwork, for training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean, self.deviation = (
            nn.Parameter(torch.zeros(lifting.FEATURES), False),
            nn.Parameter(torch.ones(lifting.FEATURES), False),
        )
        self.first, self.last = nn.Linear(lifting.FEATURES, width), nn.Linear(width, lifting.OUTPUTS)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(width, width)
            )
            for _ in range(2)
        )

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Joints (N, 22, 3), logarithm of their spread (N, 22, 3), two columns of the rotations (N, 22, 3, 2)."""
        bound = lifting.FEATURE_BOUND
        x = torch.relu(self.first(((features - self.mean) / self.deviation).clamp(-bound, bound)))
        for block in self.blocks:
            x = x + block(x)
        joints, spread, columns = self.last(x).split([66, 66, 132], dim=1)
        reach = lifting.SPREAD_REACH
        return (
            joints.unflatten(1, (22, 3)) * lifting.JOINT_SCALE,
            spread.unflatten(1, (22, 3)).clamp(-reach, reach) + lifting.SPREAD_CENTRE,
            columns.unflatten(1, (22, 3, 2)),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights under the names that LiftingNetwork reads; matrices in float16."""
        named = {
            "mean": self.mean,
            "deviation": self.deviation,
            "in_weight": self.first.weight,
            "in_bias": self.first.bias,
            "out_weight": self.last.weight,
            "out_bias": self.last.bias,
        }
        for number, block in enumerate(self.blocks):
            for part, layer in (("first", block[0]), ("norm", block[1]), ("second", block[4])):
                named |= {f"block{number}_{part}_weight": layer.weight, f"block{number}_{part}_bias": layer.bias}
        return {
            name: value.detach().numpy().astype(np.float16 if value.ndim > 1 else np.float32)
            for name, value in named.items()
        }


def train(examples: Examples, width: int, epochs: int, seed: int, report: Callable[[int, float], None]) -> Network:
    """Train from scratch.

    Args:
        report: called after every epoch with its number and the mean error in millimetres.
    """
    torch.manual_seed(seed)
    network = Network(width)
    network.mean.data, network.deviation.data = examples.features.mean(0), examples.features.std(0) + 0.02
    trained = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, RATE, weight_decay=WEIGHT_DECAY)
    batches = len(examples.features) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * batches, pct_start=0.1)
    for epoch in range(epochs):
        order, total = torch.randperm(len(examples.features)), 0.0
        for chosen in order[: batches * BATCH].split(BATCH):
            loss, error = _loss(network, _rolled(examples, chosen))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += error
        report(epoch, 1000 * total / batches)
    return network.eval()


def _rolled(examples: Examples, chosen: Tensor) -> Examples:
    """Some examples, each turned slightly about the line of sight, as if by a tilted camera."""
    angle = ROLL_NOISE * torch.randn(len(chosen))
    cosine, sine, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack((cosine, -sine, zero, sine, cosine, zero, zero, zero, one), -1).unflatten(-1, (3, 3))
    features = examples.features[chosen]
    world = (features[:, WORLD].unflatten(1, (COUNT, 3)) @ turn.mT).flatten(1)
    flat = (features[:, FLAT].unflatten(1, (COUNT, 2)) @ turn[:, :2, :2].mT).flatten(1)
    rest = features[:, FLAT.stop :]
    return Examples(
        torch.cat((world, flat, rest), 1), examples.joints[chosen] @ turn.mT, turn[:, None] @ examples.rotations[chosen]
    )


def _loss(network: Network, batch: Examples) -> tuple[Tensor, float]:
    joints, spread, columns = network(batch.features)
    away = joints - batch.joints
    likely = nn.functional.huber_loss(away / spread.exp(), torch.zeros_like(away), delta=2.0, reduction="none") + spread
    error = away[:, 1:].norm(dim=-1).mean()
    turned = ((columns - batch.rotations[..., :2]) ** 2).mean()
    return likely.mean() + POSITION_WEIGHT * error + ROTATION_WEIGHT * turned, float(error.detach())
