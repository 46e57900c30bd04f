"""Hold standing feet still on the floor.

First, the whole body is shifted along the ground: the smoothest path of shifts that removes the slide of the standing
toes, if it is larger than the legs can absorb. The legs absorb the rest, some millimetres to centimetres. Only toes in
contact are held; a heel alone is not, because the foot rolls over it.
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
# Weights for the path of shifts, at RATE frames per second: of the slide of a standing toe, of the curvature of the
# shift, and of the shift itself, which matters only if nothing else decides.
RATE = 16.0
SLIDE, BENDS, SHIFT = 10.0, 3.0, 1e-3
# m/s. Feet that slide apart at this speed, the limit of a contact, get half the weight.
APART = STILL
# Metres. If toes wander by less within their stands, the legs cause it and absorb it alone, without a shift of the
# body: a path that follows the noise of the legs would be worse. Noise of 1.3 degrees gives 0.02 to 0.05.
LEGS_TAKE, LEGS_TAKE_OF_NOISE = 0.04, 0.1
# Maximum metres by which a leg moves a toe; more would bend the knee visibly.
LEGS_REACH = 0.06
# Metres above the floor up to which standing toes may stay (the toe joint of a raised foot), and above which toes are
# not changed, because it is unknown what they stand on.
HIGHEST_TOE, HIGHEST_STAND = 0.02, 0.06
# Seconds before and after a stand over which the correction of the legs fades.
LETTING_GO = 0.25
# m/s: the speed from which the skate ratio counts a step as skating. Motion-captured clips have no such step in their
# stands, captures from video a quarter or more; up to this share, the feet already stand still.
SKATING, STILL_SHARE = in_seconds.SKATING, 0.05
# Allowed factor on the jitter before planting: feet that stop add some.
MOST_JITTER = 1.05
# Sliding feet must be found, too, so the limits of a contact follow the clip's own sliding more closely.
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
    """Plant the feet of a level body; the body is unchanged if no foot stands, or all standing feet are already still.

    Args:
        was_noisy: whether noise was removed before, of which some may remain.
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
    """The body shifted by (T, 3) in front of the camera, which does not move."""
    parameters = body.parameters
    return body.posed(parameters._replace(transl=parameters.transl + shift), body.joints + shift[:, None])


def _is_better(before: MovingBody, after: MovingBody) -> bool:
    """Whether fewer steps skate, contacts as defined by the benchmark do not slide more, and the legs do not
    tremble.
    """
    skate, slide, jitter = zip(*(_slides(body) for body in (before, after)))
    return skate[1] < skate[0] and slide[1] <= slide[0] and jitter[1] <= MOST_JITTER * jitter[0]


def _slides(body: MovingBody) -> tuple[float, float, float]:
    """Skate ratio, foot sliding and jitter."""
    places = y_up_from_z_up(body.joints - body.joints[..., 2].min() * body.joints.new_tensor((0.0, 0.0, 1.0))).numpy()
    jitter = float(benchmark.jitter_per_frame(places).mean()) if len(places) > 2 else 0.0
    return in_seconds.skate_ratio(places, body.fps), benchmark.foot_sliding(places), jitter


def _stands(joints: Tensor, contacts: Contacts, fps: float) -> list[Stand]:
    """The contacts of toes that are long enough and near the floor on which most of them stand."""
    toes, touching = joints.numpy()[:, FEET], contacts.toes.numpy()
    runs = [stand for foot in (0, 1) for stand in _runs(touching[:, foot], foot, SHORTEST_STAND * fps)]
    if not runs:
        return []
    floor = _floor(toes, runs)
    return [stand for stand in runs if middle(_heights(toes, stand)) - floor < HIGHEST_STAND]


def _steady(toes: np.ndarray, stand: Stand, fps: float) -> Iterator[Stand]:
    """The parts of a stand in which the toes are near its middle; farther away, they do not stand there."""
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

    If both feet are low and slide apart, the body's path is not the cause: the weight w falls with their relative
    speed.
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
    # The first frame does not move.
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
    """Fade the offsets (T, 3) of one foot out before and after its stands."""
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
