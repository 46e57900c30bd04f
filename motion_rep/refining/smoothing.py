"""Smooth a motion as much as its own noise requires.

Noise is estimated joint by joint. Each joint's path is then the most likely one for white noise of that size and a
random acceleration whose size changes over time (Whittaker's smoother with a penalty for each frame). The size of the
acceleration comes from the clip itself, by expectation and maximisation: a joint at rest is smoothed much, a joint in
fast movement hardly at all.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import torch

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import continuous_quaternions, matrix_to_quaternion, quaternion_to_matrix
from motion_rep.kinematics.vectors import lengths
from motion_rep.measures.tremble import alternation, tremble
from motion_rep.refining.banded import penalised
from motion_rep.refining.medians import quantile
from motion_rep.refining.moving_body import MovingBody

# Quantiles of fourth differences need some frames to be meaningful.
FEWEST_FRAMES = 12
# Variance of the fourth difference of white noise, relative to that of the noise.
FOURTH = 70.0
# Every frame has noise, only some have movement: the size of the noise is read at this quantile of the fourth
# differences, where the length of three standard normal numbers is 1.194.
QUIET, QUIET_LENGTH = 0.3, 1.194
# The tremble (1 for white noise of any size) of motion-captured clips without noise is at most 0.57 at 16 frames per
# second and less at higher rates. Up to the first limit, nothing is smoothed; from the second on, all noise is removed.
CLEAN, NOISY = 0.585, 0.7
# The path of the pelvis has one point per frame, not 21, so its figure varies more.
CLEAN_PATH, NOISY_PATH = 0.62, 0.75
LEAST_BEND = 1e-3
# Estimates of the acceleration: frames at 16 per second over which they are averaged, to each side, and rounds.
AVERAGED_SECONDS, ROUNDS = 2 / 16, 3


class Smoothed(NamedTuple):
    """The smoothed body, and the removed share of its estimated noise (0 to 1): in the pose and in the path."""

    body: MovingBody
    pose: float
    path: float


def smoothed(body: MovingBody, strength: float | None = None) -> Smoothed:
    """Remove the noise from a motion.

    Args:
        strength: factor on the estimated noise, even if the clip is clean; None lets the clip decide.
    Returns:
        The body itself if there is nothing to do.
    """
    if len(body) < FEWEST_FRAMES:
        return Smoothed(body, 0.0, 0.0)
    pose, path = (strength, strength) if strength is not None else noise_shares(body)
    if pose == 0.0 and path == 0.0:
        return Smoothed(body, 0.0, 0.0)
    parameters = body.parameters
    rotations = torch.cat((parameters.root[:, None], parameters.body), dim=1)
    quaternions = continuous_quaternions(matrix_to_quaternion(rotations))
    tracks = np.zeros((len(rotations), rotations.shape[1] + 1, 4))
    tracks[:, :-1], tracks[:, -1, :3] = quaternions.numpy(), parameters.transl.numpy()
    shares = np.array([pose] * rotations.shape[1] + [path])
    result = torch.from_numpy(np.ascontiguousarray(_without_noise(tracks, shares, body.fps)))
    turned = quaternion_to_matrix(result[:, :-1]) if pose else rotations
    transl = result[:, -1, :3] if path else parameters.transl
    return Smoothed(body.posed(BodyParameters(turned[:, 0], turned[:, 1:], transl)), pose, path)


def noise_shares(body: MovingBody) -> tuple[float, float]:
    """Certainty that the pose and the path of the pelvis have noise, 0 to 1 each."""
    joints = body.joints.numpy()
    pose, path = tremble(joints), alternation(joints[:, :1])
    return _share(pose, CLEAN, NOISY), _share(path, CLEAN_PATH, NOISY_PATH)


def noise_sizes(tracks: np.ndarray) -> np.ndarray:
    """(K,) standard deviation of the noise in one column of each track (T, K, C) with three independent columns."""
    fourth = lengths(np.diff(tracks, n=4, axis=0))
    return quantile(fourth, QUIET) / (QUIET_LENGTH * FOURTH**0.5)


def _share(ratio: float, clean: float, noisy: float) -> float:
    return min(max((ratio - clean) / (noisy - clean), 0.0), 1.0)


def _without_noise(tracks: np.ndarray, shares: np.ndarray, fps: float) -> np.ndarray:
    """Tracks (T, K, 4) from which the shares (K,) of their noise are removed."""
    noise = np.maximum((noise_sizes(tracks) * shares) ** 2, 1e-18)
    reach = max(1, round(AVERAGED_SECONDS * fps))
    bends = np.ones((len(tracks) - 2, len(noise)))
    result = tracks
    for _ in range(ROUNDS):
        result = penalised(tracks, 1.0, 0.0, bends)
        bend = result[2:] - 2 * result[1:-1] + result[:-2]
        size = np.vecdot(bend, bend) / 3
        # The uncertainty of the acceleration due to the noise counts as acceleration.
        size = _averaged(size, reach) + noise * _unknown_bend(bends)
        bends = noise / np.maximum(size, LEAST_BEND * noise)
    return penalised(tracks, 1.0, 0.0, bends)


def _averaged(values: np.ndarray, reach: int) -> np.ndarray:
    """(T, K) means over the values around each frame, fewer at the ends."""
    sums = np.concatenate((np.zeros_like(values[:1]), values.cumsum(axis=0)))
    frames = np.arange(len(values))
    first, last = np.maximum(frames - reach, 0), np.minimum(frames + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)[:, None]


def _unknown_bend(bends: np.ndarray) -> np.ndarray:
    """Remaining variance of the second difference in a solution with a constant penalty, relative to that of the
    noise.
    """
    logs, values = _unknown_bend_table()
    return np.interp(np.log10(bends), logs, values)


@functools.cache
def _unknown_bend_table() -> tuple[np.ndarray, np.ndarray]:
    logs = np.linspace(-6, 6, 121)
    power = (2 - 2 * np.cos(np.linspace(0, np.pi, 400))) ** 2
    return logs, (power / (1 + 10.0 ** logs[:, None] * power)).mean(axis=1)
