"""Make feet that stand stand still, on the floor.

First the whole body is moved on the ground: the smoothest path of shifts that takes the slide out of the standing
toes, where that is more than the legs take. What is left, some millimetres to centimetres, the legs take up. Only toes
that are in contact are held; a heel alone is not, because the foot rolls over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.foot_contact import FEET, STILL, Contacts, contacts_by_leniency
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.measures import benchmark, in_seconds
from motion_rep.refining.banded import penalised
from motion_rep.refining.leg_reach import with_feet_moved
from motion_rep.refining.medians import middle, quantile
from motion_rep.refining.moving_body import MovingBody

# Seconds. A shorter contact is a touch, not a stand.
SHORTEST_STAND = 0.15
# Weights of the path of shifts, at RATE frames per second: of the slide of a standing toe, of the shift's bends, and of
# the shift itself, which only decides where nothing else does.
RATE = 16.0
SLIDE, BENDS, SHIFT = 10.0, 3.0, 1e-3
# m/s. Feet that slide apart by this have half of the weight: the limit of a contact.
APART = STILL
# Metres. Toes that wander by less within their stands do so because of the legs, which then take it up alone, and the
# body stays: a path that follows the noise of the legs would be wrong by more. Noise of 1.3 degrees leaves 0.02 to
# 0.05.
LEGS_TAKE, LEGS_TAKE_OF_NOISE = 0.04, 0.1
# Metres by which a leg moves a toe at most; more bends the knee visibly.
LEGS_REACH = 0.06
# Metres above the floor at which standing toes may stay (the toe joint of a raised foot), and above which it is unknown
# what they stand on, so that they are left alone.
HIGHEST_TOE, HIGHEST_STAND = 0.02, 0.06
# Seconds before and after a stand over which the legs let go.
LETTING_GO = 0.25
# m/s: what the skate ratio calls skating. Motion-captured clips have no such step in their stands, captures from video
# a quarter or more; up to this share the feet stand already.
SKATING, STILL_SHARE = in_seconds.SKATING, 0.05
# Times the jitter before that planting may make: feet that stop make some.
MOST_JITTER = 1.05
# Feet that slide are to be found as well, so the limits of a contact follow the clip's own sliding more closely.
STRICT, LENIENT = 0.5, 3.0


class Stand(NamedTuple):
    """A run of frames (first to before last) in which the toes of a foot (0 left, 1 right) stand."""

    foot: int
    first: int
    last: int


class Planted(NamedTuple):
    """The body with its feet planted, and the stands."""

    body: MovingBody
    stands: tuple[Stand, ...]


def planted(body: MovingBody, was_noisy: bool = False) -> Planted:
    """Plant the feet of a level body; it comes back as it is where none stands, or all that stand do so already.

    Args:
        was_noisy: whether noise was taken out of it before, some of which is left.
    """
    untouched = Planted(body, ())
    contacts, shifted = contacts_by_leniency(body.joints, body.fps, STRICT, LENIENT), body
    found = _stands(body.joints, next(contacts), body.fps)
    if _sliding_share(body.joints, found, body.fps) <= STILL_SHARE:
        return untouched
    slid = _stands(body.joints, next(contacts), body.fps)
    toes = body.joints.numpy()[:, FEET]
    if _wander(toes, slid) > (LEGS_TAKE_OF_NOISE if was_noisy else LEGS_TAKE):
        shifted = _shifted(body, torch.from_numpy(_shift(toes, slid, body.fps)))
        found = _stands(shifted.joints, next(contacts_by_leniency(shifted.joints, body.fps, STRICT)), body.fps)
    joints = shifted.joints.numpy()
    toes = joints[:, FEET]
    stands = [part for stand in found for part in _steady(toes, stand, body.fps)]
    if not stands:
        return untouched
    parameters, places = with_feet_moved(shifted.parameters, joints, _offsets(toes, stands, body.fps))
    moved = body.posed(parameters, torch.from_numpy(places))
    return Planted(moved, tuple(stands)) if _is_better(body, moved) else untouched


def _shifted(body: MovingBody, shift: Tensor) -> MovingBody:
    """The body moved by (T, 3) before the camera, which stays."""
    parameters = body.parameters
    return body.posed(parameters._replace(transl=parameters.transl + shift), body.joints + shift[:, None])


def _is_better(before: MovingBody, after: MovingBody) -> bool:
    """Whether fewer steps skate, contacts as the benchmark sees them do not slide more, and the legs do not tremble."""
    skate, slide, jitter = zip(*(_slides(body) for body in (before, after)))
    return skate[1] < skate[0] and slide[1] <= slide[0] and jitter[1] <= MOST_JITTER * jitter[0]


def _slides(body: MovingBody) -> tuple[float, float, float]:
    """Skate ratio, foot sliding and jitter."""
    places = y_up_from_z_up(body.joints - body.joints[..., 2].min() * body.joints.new_tensor((0.0, 0.0, 1.0))).numpy()
    jitter = float(benchmark.jitter_per_frame(places).mean()) if len(places) > 2 else 0.0
    return in_seconds.skate_ratio(places, body.fps), benchmark.foot_sliding(places), jitter


def _stands(joints: Tensor, contacts: Contacts, fps: float) -> list[Stand]:
    """The contacts of toes that are long enough and near the floor of most of them."""
    toes, touching = joints.numpy()[:, FEET], contacts.toes.numpy()
    runs = [stand for foot in (0, 1) for stand in _runs(touching[:, foot], foot, SHORTEST_STAND * fps)]
    if not runs:
        return []
    floor = _floor(toes, runs)
    return [stand for stand in runs if middle(_heights(toes, stand)) - floor < HIGHEST_STAND]


def _steady(toes: np.ndarray, stand: Stand, fps: float) -> Iterator[Stand]:
    """The parts of a stand in which the toes are near to its middle; farther away they do not stand there."""
    path = toes[stand.first : stand.last, stand.foot, :2]
    near = np.linalg.norm(path - middle(path), axis=1) < LEGS_REACH
    if near.all():
        yield stand
        return
    for part in _runs(near, stand.foot, SHORTEST_STAND * fps):
        yield Stand(stand.foot, stand.first + part.first, stand.first + part.last)


def _sliding_share(joints: Tensor, stands: list[Stand], fps: float) -> float:
    """The share of the steps of standing toes that are faster than SKATING."""
    speeds = joints[:, FEET, :2].diff(dim=0).norm(dim=-1).numpy() * fps
    steps = [speeds[first : last - 1, foot] for foot, first, last in stands]
    return float((np.concatenate(steps) > SKATING).mean()) if steps else 0.0


def _wander(toes: np.ndarray, stands: list[Stand]) -> float:
    """Metres on the ground from standing toes to the middle of their stand, exceeded in a tenth of the frames."""
    paths = [toes[first:last, foot, :2] for foot, first, last in stands]
    away = [np.linalg.norm(path - middle(path), axis=1) for path in paths]
    return float(quantile(np.concatenate(away), 0.9))


def _floor(toes: np.ndarray, stands: list[Stand]) -> float:
    return float(middle(np.concatenate([_heights(toes, stand) for stand in stands])))


def _runs(flags: np.ndarray, foot: int, shortest: float) -> Iterator[Stand]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    for first, last in edges.reshape(-1, 2).tolist():
        if last - first >= shortest:
            yield Stand(foot, first, last)


def _heights(toes: np.ndarray, stand: Stand) -> np.ndarray:
    return toes[stand.first : stand.last, stand.foot, 2]


def _shift(toes: np.ndarray, stands: list[Stand], fps: float) -> np.ndarray:
    """(T, 3) by which the whole body moves on the ground: the shift r that minimises
    ``SLIDE sum w |step + r[t+1] - r[t]|^2 + BENDS |r''|^2 + SHIFT |r|^2`` over the steps of standing toes.

    Where both feet are low and slide apart, the body's path is not to blame: the weight w falls with how fast they do.
    """
    frames, rate = len(toes), fps / RATE
    steps, weights = np.diff(toes[..., :2], axis=0), np.zeros((frames - 1, 2))
    for foot, first, last in stands:
        weights[first : last - 1, foot] = SLIDE
    low = toes[..., 2] - _floor(toes, stands) < HIGHEST_STAND
    both = (low[1:] & low[:-1]).all(axis=1)
    apart = np.linalg.norm(steps[:, 0] - steps[:, 1], axis=-1) * fps
    weights[both] /= 1 + (apart[both, None] / APART) ** 2
    pull = np.zeros((frames, 1, 2))
    moves = (weights[..., None] * steps).sum(axis=1, keepdims=True)
    pull[:-1] += moves
    pull[1:] -= moves
    shift = penalised(pull, SHIFT / rate**2, weights.sum(axis=1, keepdims=True), BENDS * rate**2)
    # The first frame stays where it is.
    return np.pad((shift - shift[:1])[:, 0], ((0, 0), (0, 1)))


def _offsets(toes: np.ndarray, stands: list[Stand], fps: float) -> np.ndarray:
    """(T, 2, 3) by which the feet move to stand still; it fades out before and after each stand. No toe stays below the
    floor.
    """
    offsets, fading, floor = np.zeros_like(toes), max(1, round(LETTING_GO * fps)), _floor(toes, stands)
    for foot, first, last in stands:
        place = middle(toes[first:last, foot])
        place[2] = floor + min(max(place[2] - floor, 0.0), HIGHEST_TOE)
        offsets[first:last, foot] = place - toes[first:last, foot]
    for foot in (0, 1):
        _fade(offsets[:, foot], [stand for stand in stands if stand.foot == foot], fading)
    offsets[..., 2] += np.maximum(floor - toes[..., 2] - offsets[..., 2], 0.0)
    return offsets


def _fade(offsets: np.ndarray, stands: list[Stand], frames: int) -> None:
    """Continue the offsets (T, 3) of one foot from the ends of its stands into the frames beside them."""
    held = np.zeros(len(offsets), bool)
    for stand in stands:
        held[stand.first : stand.last] = True
    steps = np.arange(1, frames + 1) / (frames + 1)
    weights = 1 - steps**2 * (3 - 2 * steps)
    for stand in stands:
        for edge, way in ((stand.first, -1), (stand.last - 1, 1)):
            for number, weight in enumerate(weights, start=1):
                frame = edge + way * number
                if not 0 <= frame < len(offsets) or held[frame]:
                    break
                offsets[frame] += weight * offsets[edge]
