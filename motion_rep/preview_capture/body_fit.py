"""Fit the neutral body to a clip: to an estimate of its joints, to landmarks in the image, to smoothness and to joint
limits.

The source of estimate and landmarks does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.kinematics.array_chain import (
    PELVIS_AT_REST,
    ChainPose,
    chain_slopes,
    cross,
    frames_last,
    pose_chain,
    product,
    transform,
    vector_slopes,
)
from motion_rep.kinematics.array_rotations import orthonormal, rotation_matrices, rotation_vectors, turned
from motion_rep.kinematics.joints import JOINT_NAMES, PARENTS
from motion_rep.preview_capture.adam import minimise
from motion_rep.preview_capture.markers import Markers

LEFT_KNEE, RIGHT_KNEE, LEFT_ELBOW, RIGHT_ELBOW = (
    JOINT_NAMES.index(n) for n in ("left_knee", "right_knee", "left_elbow", "right_elbow")
)
# Joint, axis of its rotation vector, sign, and the largest angle with this sign.
LIMITS = (
    *((knee, 0, sign, limit) for knee in (LEFT_KNEE, RIGHT_KNEE) for sign, limit in ((-1, 0.0), (1, 2.6))),
    (LEFT_ELBOW, 1, 1, 0.0),
    (RIGHT_ELBOW, 1, -1, 0.0),
)
# Residuals beyond this bound pull less; a length of 0 counts as SHORT, so that its slope is smooth.
BOUND, SHORT = 9.0, 0.1
FEET = [JOINT_NAMES.index(n) for n in ("left_ankle", "right_ankle", "left_foot", "right_foot")]
NEAREST_DEPTH = 0.3
# Between neighbouring frames, second differences count as if at this rate, whatever the video's: the noise of the
# landmarks is per frame. Their share relative to those over ``smooth_seconds``:
NEIGHBOUR_RATE, NEIGHBOUR_SHARE = 30.0, 0.2
SLOWEST_FOR_NOISE = 20.0


@dataclass(frozen=True)
class BodyEstimate:
    """The estimate of each frame's body before the fit; camera axes (x right, y down, z forward).

    joints: (T, 22, 3) metres relative to the pelvis, of the neutral body.
    spread: (T, 22, 3) standard deviations of joints in metres, along the axes of view.
    view: (T, 3, 3) camera axes from an axis system whose z axis points at the person.
    rotations: (T, 22, 3, 3) global rotations.
    """

    joints: np.ndarray
    spread: np.ndarray
    view: np.ndarray
    rotations: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.joints)
        wanted = {
            "joints": (frames, 22, 3),
            "spread": (frames, 22, 3),
            "view": (frames, 3, 3),
            "rotations": (frames, 22, 3, 3),
        }
        for name, shape in wanted.items():
            if tuple(getattr(self, name).shape) != shape:
                raise InputError(
                    f"body estimate: {name} has shape {tuple(getattr(self, name).shape)}, expected {shape}."
                )


@dataclass(frozen=True)
class ImagePoints:
    """The image positions of the body's markers.

    pixels: (T, M, 2). weight: (T, M), zero or more. focal_length: pixels. centre: (2,) of the image, pixels.
    """

    pixels: np.ndarray
    weight: np.ndarray
    focal_length: float
    centre: np.ndarray

    def rays(self) -> np.ndarray:
        """(T, M, 2) x and y at depth 1."""
        return (self.pixels - self.centre) / self.focal_length


@dataclass(frozen=True)
class FitSettings:
    """Weights of the fit. Lengths in metres, times in seconds."""

    steps: int = 200
    rate: float = 0.02
    joint_weight: float = 0.5
    image_spread: float = 0.03
    image_weight: float = 1.0
    image_bound: float = 100.0
    rotation_spread: float = 0.35
    limit_weight: float = 30.0
    acceleration_spread: float = 6.0
    turn_spread: float = 40.0
    depth_speed_spread: float = 6.0
    smooth_weight: float = 0.25
    smooth_seconds: float = 1 / 15
    usual_noise: float = 0.0076
    most_smoothing: float = 8.0
    contact_weight: float = 1.0
    contact_speed: float = 0.25
    start_smoothing: float = 0.05


@dataclass(frozen=True)
class FittedBody:
    """SMPL-X parameters in the camera frame: root (T, 3, 3), body (T, 21, 3, 3), transl (T, 3)."""

    root: np.ndarray
    body: np.ndarray
    transl: np.ndarray

    def pose(self) -> ChainPose:
        """The poses of all joints."""
        return pose_chain(frames_last(self.root), frames_last(self.body), frames_last(self.transl + PELVIS_AT_REST))


def fit_body(
    estimate: BodyEstimate, points: ImagePoints, markers: Markers, fps: float, settings: FitSettings = FitSettings()
) -> FittedBody:
    """The body whose joints and markers fit the clip best.

    Args:
        points: one column for each marker; frames of weight 0 are bridged by smoothness.
        fps: frames per second, for speeds.
    """
    pelvis = place_pelvis(estimate, points, markers, fps)
    settings = replace(settings, smooth_weight=settings.smooth_weight * _smoothing(points, pelvis, fps, settings))
    start = _local_rotations(_calmed(estimate.rotations, settings.start_smoothing * fps))
    terms, root = _Terms(estimate, points, markers, fps, settings), frames_last(start[:, 0])
    bends = rotation_vectors(start[:, 1:]).clip(-2.6, 2.6)
    begin = np.concatenate((np.zeros_like(pelvis), bends.reshape(len(bends), -1), pelvis), axis=1)
    values = minimise(
        lambda values, step: terms.slope(root, values, step)[1], frames_last(begin), settings.steps, settings.rate
    )
    turn, bends, pelvis = np.split(values.T, (3, 66), axis=1)
    body = rotation_matrices(bends.reshape(len(bends), 21, 3))
    return FittedBody(start[:, 0] @ rotation_matrices(turn), body, pelvis - PELVIS_AT_REST)


def image_noise(points: ImagePoints, pelvis: np.ndarray) -> float:
    """Size of the landmarks' noise in metres at the person's depth, from fourth differences over time.

    Movement hardly affects a fourth difference; for white noise, it is sqrt(70) times the noise. The median ignores
    wrong frames.
    """
    sure = points.weight > 0.1 * points.weight.max()
    path = points.rays() * pelvis[:, None, 2:]
    shake = np.abs(np.diff(path, n=4, axis=0))
    known = np.stack([sure[k : len(sure) - 4 + k] for k in range(5)]).all(0)
    return float(np.median(shake[known])) / (0.6745 * 70**0.5) if known.any() else 0.0


def _smoothing(points: ImagePoints, pelvis: np.ndarray, fps: float, settings: FitSettings) -> float:
    """Factor on the usual smoothing for a clip; at low rates, movement cannot be distinguished from noise."""
    if len(pelvis) < 5 or fps < SLOWEST_FOR_NOISE:
        return 1.0
    noise = image_noise(points, pelvis) / settings.usual_noise
    return min(settings.most_smoothing, max(1.0, noise) ** 2)


def place_pelvis(estimate: BodyEstimate, points: ImagePoints, markers: Markers, fps: float) -> np.ndarray:
    """(T, 3) pelvis positions that put the estimated body on the image points, by linear least squares per frame.

    Frames without points are interpolated between their neighbours; the path is smoothed over time.
    """
    shape = markers.place(ChainPose(frames_last(estimate.rotations), frames_last(estimate.joints))).T
    rays, weight = points.rays(), np.sqrt(points.weight)
    one, zero = np.ones_like(weight), np.zeros_like(weight)
    across, down = rays[..., 0], rays[..., 1]
    rows = np.concatenate((np.stack((one, zero, -across), -1), np.stack((zero, one, -down), -1)), axis=1)
    known = np.concatenate((across * shape[..., 2] - shape[..., 0], down * shape[..., 2] - shape[..., 1]), axis=1)
    double = np.concatenate((weight, weight), axis=1)[..., None]
    rows, known = rows * double, known[..., None] * double
    normal = rows.swapaxes(1, 2) @ rows + 1e-6 * np.eye(3, dtype=rows.dtype)
    found = np.linalg.solve(normal, rows.swapaxes(1, 2) @ known)[..., 0]
    found[:, 2] = found[:, 2].clip(NEAREST_DEPTH)
    filled = bridge(found, points.weight.sum(-1) > 1e-3)
    return gaussian_smooth(median_smooth(filled, max(1, round(0.15 * fps))), 0.1 * fps)


def bridge(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(T, C) values with the unknown frames on the line between their known neighbours; at the ends the nearest known
    one.

    Args:
        known: (T,) bool, at least one True.
    """
    frames, there = np.arange(len(values)), np.flatnonzero(known)
    return np.stack([np.interp(frames, there, column[there]) for column in values.T], axis=1).astype(values.dtype)


def gaussian_smooth(values: np.ndarray, spread: float) -> np.ndarray:
    """A Gaussian filter over the frames of (T, C), edges repeated; spread in frames."""
    radius = max(1, round(3 * spread))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(spread, 1e-3)) ** 2)
    found: np.ndarray = _windows(values, radius) @ (kernel / kernel.sum()).astype(values.dtype)
    return found


def median_smooth(values: np.ndarray, radius: int) -> np.ndarray:
    """A median filter over the frames of (T, C), edges repeated."""
    found: np.ndarray = np.median(_windows(values, radius), axis=-1)
    return found


def _windows(values: np.ndarray, radius: int) -> np.ndarray:
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)


def _local_rotations(rotations: np.ndarray) -> np.ndarray:
    """Global (T, 22, 3, 3) to the root's and the others' relative to their parents."""
    local = rotations[:, PARENTS[1:]].swapaxes(-1, -2) @ rotations[:, 1:]
    return np.concatenate((rotations[:, :1], local), axis=1)


def _calmed(rotations: np.ndarray, spread: float) -> np.ndarray:
    """(T, J, 3, 3) rotations smoothed over time.

    Slow waves of a path converge last, so a calm start gives a calm result.
    """
    columns = rotations[..., :2]
    return orthonormal(gaussian_smooth(columns.reshape(len(columns), -1), spread).reshape(columns.shape))


class _Slopes(NamedTuple):
    """Slopes of a sum of terms: for positions (3, 22, T) and for rotation matrices (3, 3, 22, T) of the joints."""

    places: np.ndarray
    matrices: np.ndarray


class _Terms:
    """The terms that the fit minimises, and their slopes. All arrays have the frames as their last axis."""

    def __init__(
        self, estimate: BodyEstimate, points: ImagePoints, markers: Markers, fps: float, settings: FitSettings
    ) -> None:
        self._settings, self._fps, frames = settings, fps, len(estimate.joints)
        self._share = (points.weight.sum(-1) > 1e-3).astype(points.weight.dtype) / frames
        self._joints, self._rotations = frames_last(estimate.joints), frames_last(estimate.rotations)
        self._aim = -self._rotations * (self._share / settings.rotation_spread**2)
        axes = estimate.view[:, None] / estimate.spread[:, :, None]
        self._precision = frames_last(axes @ axes.swapaxes(-1, -2))
        self._rays = frames_last(points.rays())
        self._weight = frames_last(points.weight) * (settings.image_weight / frames)
        self._markers = markers
        self._moves = (np.arange(len(JOINT_NAMES))[:, None] == markers.joint).astype(markers.offset.dtype)
        self._stride = max(1, min(round(fps * settings.smooth_seconds), (frames - 1) // 2))
        self._standing: np.ndarray | None = None

    def slope(self, start: np.ndarray, values: np.ndarray, step: int) -> tuple[float, np.ndarray]:
        """The sum of the terms, and its slope.

        Args:
            start: (3, 3, T) orientation of the pelvis that the turn follows.
            values: (69, T) rotation vectors of the turn and of the other joints, and position of the pelvis.
            step: number of the step; which feet stand is decided once, when the body is roughly right.
        """
        vectors = values[:66].reshape(22, 3, -1).swapaxes(0, 1)
        local = turned(vectors)
        pose = pose_chain(product(start, local[:, :, 0]), local[:, :, 1:], values[66:])
        if step == self._settings.steps // 3:
            self._standing = _standing(pose.positions[:2, FEET], self._fps, self._settings)
        slopes = _Slopes(np.zeros_like(pose.positions), self._aim.copy())
        total = self._joint_term(pose, slopes) + self._smooth_term(pose, slopes) + self._contact_term(pose, slopes)
        image, torque = self._image_term(pose, slopes)
        torque += cross(pose.rotations, slopes.matrices).sum(1)
        place, turns = chain_slopes(pose, start, slopes.places, torque)
        found = vector_slopes(vectors, turns)
        limits = self._limit_term(vectors, found)
        return total + image + limits, np.concatenate((found.swapaxes(0, 1).reshape(66, -1), place))

    def _joint_term(self, pose: ChainPose, slopes: _Slopes) -> float:
        """Distance of joints and orientations from the estimate, in frames with a detection."""
        away = pose.positions - pose.positions[:, :1] - self._joints
        push = transform(self._precision, away)
        squared, weight = (away * push).sum(0), self._settings.joint_weight * self._share
        misses, push_share = _robust(squared, BOUND)
        push *= 2 * weight * push_share
        slopes.places[:] += push
        slopes.places[:, 0] -= push.sum(1)
        apart = ((pose.rotations - self._rotations) ** 2).sum((0, 1, 2))
        return float((misses * weight).sum() + (apart * self._share).sum() / (2 * self._settings.rotation_spread**2))

    def _image_term(self, pose: ChainPose, slopes: _Slopes) -> tuple[float, np.ndarray]:
        """Distance of the markers from their image positions, in metres at the person's depth; also the torque on each
        joint.
        """
        settings = self._settings
        arm = self._markers.arms(pose)
        placed = pose.positions[:, self._markers.joint] + arm
        depth = np.maximum(placed[2], NEAREST_DEPTH)
        scale = np.maximum(pose.positions[2, 0], NEAREST_DEPTH) / settings.image_spread
        miss = (placed[:2] / depth - self._rays) * scale
        misses, share = _robust((miss * miss).sum(0), settings.image_bound)
        across = miss * (2 * scale * self._weight * share / depth)
        along = -(across * placed[:2]).sum(0) / depth * (placed[2] > NEAREST_DEPTH)
        pull = np.concatenate((across, along[None]))
        slopes.places[:] += self._moves @ pull
        return float((misses * self._weight).sum()), self._moves @ cross(arm, pull)

    def _smooth_term(self, pose: ChainPose, slopes: _Slopes) -> float:
        """Penalty on accelerations, proportional to their size, so that slow motions stay calm and fast ones stay fast.

        Accelerations are measured over a fixed time, so that the frame rate hardly matters; a smaller term, between
        neighbouring frames, connects these.
        """
        settings, frames = self._settings, pose.positions.shape[-1]
        if frames < 3:
            return 0.0
        joints = pose.positions - pose.positions[:, :1]
        joints[:, 0] = pose.positions[:, 0]
        shares = ((1, NEIGHBOUR_RATE, NEIGHBOUR_SHARE), (self._stride, self._fps / self._stride, 1.0))
        matrices = pose.rotations.reshape(9, 22, frames)
        pushes, spins, total = np.zeros_like(joints), slopes.matrices.reshape(9, 22, frames), 0.0
        for step, rate, share in shares:
            weight = settings.smooth_weight * share / frames
            total += _calm(joints, step, rate**2 / settings.acceleration_spread, weight, pushes)
            total += _calm(matrices, step, rate**2 / settings.turn_spread, 0.5 * weight, spins)
        slopes.places[:] += pushes
        slopes.places[:, 0] -= pushes[:, 1:].sum(1)
        factor = self._fps / settings.depth_speed_spread
        glide = np.diff(pose.positions[2, 0]) * factor
        _add_difference(slopes.places[2, 0], glide * (2 * factor / frames))
        return total + float((glide * glide).sum()) / frames

    def _contact_term(self, pose: ChainPose, slopes: _Slopes) -> float:
        """Movement of standing feet."""
        if self._standing is None or pose.positions.shape[-1] < 2:
            return 0.0
        factor, frames = self._fps / self._settings.contact_speed, pose.positions.shape[-1]
        slide = np.diff(pose.positions[:, FEET]) * factor
        length = _length(slide)
        weight = self._standing * (self._settings.contact_weight / frames)
        pull = np.zeros_like(pose.positions[:, FEET])
        _add_difference(pull, slide * (factor * weight / length))
        slopes.places[:, FEET] += pull
        return float(((length - SHORT) * weight).sum())

    def _limit_term(self, vectors: np.ndarray, found: np.ndarray) -> float:
        """Penalty on impossible bends: knees bend only backwards, and only until the heel stops them; elbows bend only
        forwards.
        """
        weight, total = self._settings.limit_weight / vectors.shape[-1], 0.0
        for joint, axis, sign, limit in LIMITS:
            beyond = np.maximum(sign * vectors[axis, joint] - limit, 0)
            found[axis, joint] += 2 * weight * sign * beyond
            total += weight * float((beyond * beyond).sum())
        return total


def _robust(squared: np.ndarray, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Geman and McClure's loss of squared residuals, which saturates far above the bound, and its slope."""
    share = 1 / (1 + squared / bound)
    return squared * share, share * share


def _length(vectors: np.ndarray) -> np.ndarray:
    """(...) length of vectors (C, ...), smooth at zero; there it is SHORT."""
    return np.sqrt((vectors * vectors).sum(0) + SHORT**2)


def _calm(values: np.ndarray, step: int, factor: float, weight: float, slopes: np.ndarray) -> float:
    """Weighted length of the second differences of (C, J, T) values, times a factor; adds its slopes."""
    second = values[..., 2 * step :] - 2 * values[..., step:-step] + values[..., : -2 * step]
    second *= factor
    length = _length(second)
    second *= factor * weight / length
    slopes[..., 2 * step :] += second
    slopes[..., step:-step] -= 2 * second
    slopes[..., : -2 * step] += second
    return weight * float((length - SHORT).sum())


def _add_difference(slopes: np.ndarray, found: np.ndarray) -> None:
    """Add the slopes for (..., T) values, given those for their (..., T - 1) differences over time."""
    slopes[..., 1:] += found
    slopes[..., :-1] -= found


def _standing(feet: np.ndarray, fps: float, settings: FitSettings) -> np.ndarray:
    """(4, T - 1) certainty that each ankle and toe stands still from a frame to the next, 0 to 1.

    Decided by the speed across the view, because depth is not accurate enough.

    Args:
        feet: (2, 4, T) metres across the view.
    """
    calm = gaussian_smooth(feet.reshape(2 * len(FEET), -1).T, 0.05 * fps).T.reshape(feet.shape)
    speed = np.sqrt((np.diff(calm) ** 2).sum(0)) * fps
    return np.exp(-((speed / settings.contact_speed) ** 2))
