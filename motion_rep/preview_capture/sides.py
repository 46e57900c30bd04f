"""Decide over time which landmarks are left and which are right, because single frames often exchange them.

A path through the frames (Viterbi, https://doi.org/10.1109/TIT.1967.1054010) chooses for trunk, arms and legs whether
the labels are exchanged. It prefers small movement from frame to frame, limbs of constant length, and the labels of the
network.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import LandmarkTrack

TRUNK, ARMS, LEGS = range(3)
# The left landmarks that represent a group; the right one follows each.
_WATCHED = {
    TRUNK: (lm.LEFT_SHOULDER, lm.LEFT_HIP),
    ARMS: (lm.LEFT_ELBOW, lm.LEFT_WRIST),
    LEGS: (lm.LEFT_KNEE, lm.LEFT_ANKLE),
}
_ALL = {TRUNK: (*range(1, 4), 7, 9, 11, 23), ARMS: tuple(range(13, 23, 2)), LEGS: tuple(range(25, 33, 2))}
_BONES = {ARMS: (lm.LEFT_SHOULDER, lm.LEFT_ELBOW), LEGS: (lm.LEFT_HIP, lm.LEFT_KNEE)}
STATES = np.array(list(product((0, 1), repeat=3)))
# An exchange that lasts longer than about this many seconds is accepted, because the network sees the person's face and
# back.
SECONDS_BELIEVED = 3.0
FARTHEST_TORSOS, FARTHEST_METRES = 1.0, 0.5
BONE_WEIGHT = 0.5
LONGEST_BRIDGE_SECONDS = 0.6
# World landmarks change by 2 cm if the network's region moves by 1 %, so a bridge begins and ends with means over about
# this time.
PIER_SECONDS = 0.06
SPIKE_SECONDS, SPIKE_TORSOS = 1 / 30, 0.25


def exchanged_sides(track: LandmarkTrack, fps: float) -> np.ndarray:
    """(T, 3) bool: whether the sides of trunk, arms and legs are exchanged.

    Args:
        track: one person without a cut; frames without a detection have the landmarks of a neighbour.
        fps: frames per second.
    """
    moves = np.stack([_move_costs(track, group) for group in _WATCHED], axis=1)
    states = STATES.astype(bool)
    changed = states[:, None] != states[None]
    steps = np.where(changed[None], moves[:, None, None, :, 1], moves[:, None, None, :, 0]).sum(-1)
    own = np.stack([_state_cost(track, state, fps) for state in states], axis=1)
    return states[_cheapest_path(own, steps)]


def repaired(track: LandmarkTrack, fps: float) -> LandmarkTrack:
    """The landmarks with correct sides; world landmarks that the network gave with wrong sides are interpolated over
    time.

    A network that mistakes left for right sees the person from behind, so its depths are wrong, too.
    """
    exchanged = exchanged_sides(track, fps)
    sided = with_sides(track, exchanged)
    world = sided.world.copy()
    for group, lefts in _ALL.items():
        landmarks = [*lefts, *(_right_of(left) for left in lefts)]
        wrong = exchanged[:, group] | exchanged[:, TRUNK]
        world[:, landmarks] = _interpolated(world[:, landmarks], wrong, fps)
    return LandmarkTrack(sided.image, world, sided.visibility, sided.detected)


def spike_weights(track: LandmarkTrack, fps: float) -> np.ndarray:
    """(T, 33) weights in 0..1, low where a landmark leaves its path for a moment and comes back.

    A median over time keeps steady movement of any speed and removes such spikes.
    """
    radius = max(1, round(SPIKE_SECONDS * fps))
    padded = np.pad(track.image, ((radius, radius), (0, 0), (0, 0)), mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0), axis=-1)
    off = np.linalg.norm(track.image - usual, axis=-1) / torso_sizes(track.image)[:, None]
    return 1 / (1 + (off / SPIKE_TORSOS) ** 4)


def _right_of(left: int) -> int:
    return left + 3 if left < 4 else left + 1


def _interpolated(values: np.ndarray, wrong: np.ndarray, fps: float) -> np.ndarray:
    """(T, N, 3) with short runs of wrong frames on the line between the means of their neighbours."""
    good = np.flatnonzero(~wrong)
    if not wrong.any() or not len(good):
        return values
    bridge = np.flatnonzero(wrong)
    after = good[np.searchsorted(good, bridge).clip(max=len(good) - 1)]
    before = good[(np.searchsorted(good, bridge, side="right") - 1).clip(min=0)]
    short = after - before <= round(LONGEST_BRIDGE_SECONDS * fps) + 1
    bridge, before, after = bridge[short], before[short], after[short]
    share = ((bridge - before) / np.maximum(after - before, 1)).clip(0, 1)[:, None, None]
    start, end = (_mean_near(values, ~wrong, piers, PIER_SECONDS * fps) for piers in (before, after))
    filled = values.copy()
    filled[bridge] = start * (1 - share) + end * share
    return filled


def _mean_near(values: np.ndarray, good: np.ndarray, centres: np.ndarray, spread: float) -> np.ndarray:
    """(C, N, 3) Gaussian means of the good frames around (C,) good frames; spread in frames."""
    frames, where = np.unique(centres, return_inverse=True)
    radius = max(1, round(3 * spread))
    away = np.arange(-radius, radius + 1)
    near = frames[:, None] + away
    there = near.clip(0, len(values) - 1)
    weight = np.exp(-0.5 * (away / spread) ** 2) * good[there] * (near == there)
    return np.einsum("cw,cwnk->cnk", weight / weight.sum(1, keepdims=True), values[there])[where]


def with_sides(track: LandmarkTrack, exchanged: np.ndarray) -> LandmarkTrack:
    """The landmarks with left and right exchanged where (T, 3) ``exchanged`` is true."""
    order = np.tile(np.arange(lm.COUNT), (len(track), 1))
    for group, lefts in _ALL.items():
        for left in lefts:
            right = _right_of(left)
            turned = exchanged[:, group]
            order[turned, left], order[turned, right] = right, left
    rows = np.arange(len(track))[:, None]
    return LandmarkTrack(
        track.image[rows, order], track.world[rows, order], track.visibility[rows, order], track.detected
    )


def torso_sizes(image: np.ndarray) -> np.ndarray:
    """(T,) pixels from the middle of the hips to the middle of the shoulders, at least the clip's median."""
    hips, shoulders = (image[:, [left, left + 1]].mean(1) for left in (lm.LEFT_HIP, lm.LEFT_SHOULDER))
    sizes = np.linalg.norm(shoulders - hips, axis=-1)
    return np.maximum(sizes, max(float(np.median(sizes)), 1.0))


def _move_costs(track: LandmarkTrack, group: int) -> np.ndarray:
    """(T - 1, 2) how far a group's landmarks move to the next frame: labels kept, labels exchanged."""
    lefts = np.array(_WATCHED[group])
    pairs = np.stack((lefts, lefts + 1))
    image = track.image / torso_sizes(track.image)[:, None, None]
    weight = (
        np.sqrt(track.visibility[:-1][:, pairs] * track.visibility[1:][:, pairs])
        * (track.detected[1:] & track.detected[:-1])[:, None, None]
    )
    costs = []
    for then in (pairs, pairs[::-1]):
        flat = np.linalg.norm(image[1:][:, then] - image[:-1][:, pairs], axis=-1) / FARTHEST_TORSOS
        deep = np.linalg.norm(track.world[1:][:, then] - track.world[:-1][:, pairs], axis=-1) / FARTHEST_METRES
        costs.append(((flat.clip(max=1) + deep.clip(max=1)) * weight).sum((1, 2)))
    return np.stack(costs, axis=1)


def _state_cost(track: LandmarkTrack, state: np.ndarray, fps: float) -> np.ndarray:
    """(T,) cost of a state: exchanging costs per second; limbs that change their length cost per frame."""
    total = np.full(len(track), state.sum() / (SECONDS_BELIEVED * fps))
    for group, (near, far) in _BONES.items():
        crossed = bool(state[group] != state[TRUNK])
        for side in (0, 1):
            length = np.linalg.norm(track.world[:, near + side] - track.world[:, far + (side ^ crossed)], axis=-1)
            usual = np.median(np.linalg.norm(track.world[:, near + side] - track.world[:, far + side], axis=-1))
            total = total + BONE_WEIGHT * np.abs(np.log((length / max(usual, 1e-3)).clip(1e-2, 1e2)))
    return total


def _cheapest_path(own: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(T,) state numbers; own is (T, S), steps (T - 1, S, S) from the row's state to the column's."""
    total, back = own[0], []
    for cost, step in zip(own[1:], steps, strict=True):
        ways = total[:, None] + step
        back.append(ways.argmin(0))
        total = ways.min(0) + cost
    path = [int(total.argmin())]
    for choice in reversed(back):
        path.append(int(choice[path[-1]]))
    return np.array(path[::-1])
