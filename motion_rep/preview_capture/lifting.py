"""Estimate the neutral body's joints from the landmarks of a frame, with a small learned network.

The network corrects systematic errors of BlazePose's world landmarks: limbs bent too far, ankles too far back, other
bone lengths. It was trained only on renderings of random poses (``scripts/dev/train_capture_lifting.py``); its weights
are in ``lifting_network.npz``. Its z axis points at the hips, so that the person's position in the image does not
matter. Its depths are averaged with those of the world landmarks, because their errors differ.

The temporal network turns about a second of landmarks into the body of its middle frame. It uses movement and handles
tilted cameras: dilated convolutions over 15 frames at about 15 frames a second, trained on simulated landmarks only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.files.local_files import require_file
from motion_rep.kinematics.array_rotations import orthonormal, turns_between
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.markers import blazepose_markers

NETWORK_PATH = Path(__file__).with_name("lifting_network.npz")
JOINTS = 22
FEATURES = lm.COUNT * 6 + 1
OUTPUTS = JOINTS * (3 + 3 + 6)
WORLD_SCALE, JOINT_SCALE, SPREAD_CENTRE, SPREAD_REACH = 3.0, 0.3, -3.0, 2.5
FEATURE_BOUND = 6.0
BODY = (
    lm.LEFT_SHOULDER,
    lm.RIGHT_SHOULDER,
    lm.LEFT_HIP,
    lm.RIGHT_HIP,
    lm.LEFT_KNEE,
    lm.RIGHT_KNEE,
    lm.LEFT_ANKLE,
    lm.RIGHT_ANKLE,
)
MIRRORED_LANDMARKS = np.array([0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(n + 1 if n % 2 else n - 1 for n in range(11, 33))])
MIRRORED_JOINTS = np.array([0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20])
MIRROR = np.diag([-1.0, 1.0, 1.0])
# Share of the world landmarks in the depth of joints that have one; it gave the smallest error on drawn and real clips.
WORLD_SHARE = 0.75
HIP_JOINTS = [1, 2]
LIMB_JOINTS = [16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]
LIMB_LANDMARKS = [*range(lm.LEFT_SHOULDER, lm.RIGHT_WRIST + 1), *range(lm.LEFT_HIP, lm.RIGHT_ANKLE + 1)]
# How far spine, neck, head and collars follow the shoulders.
WITH_SHOULDERS = {3: 0.15, 6: 0.4, 9: 0.6, 12: 1.0, 13: 0.9, 14: 0.9, 15: 1.0}
_FRAMES_AT_ONCE = 512
TEMPORAL_PATH = Path(__file__).with_name("temporal_network.npz")
RATE = 15.0
DILATIONS = (1, 2, 4)
MARGIN = sum(DILATIONS)
TEMPORAL_OUTPUTS = JOINTS * 12 + 4
UP_SPREAD_CENTRE = -2.0
_SEEN = blazepose_markers().landmark
# The markers' columns among the features, for the temporal network.
COLUMNS = np.concatenate(
    (
        (3 * _SEEN[:, None] + np.arange(3)).ravel(),
        (3 * lm.COUNT + 2 * _SEEN[:, None] + np.arange(2)).ravel(),
        5 * lm.COUNT + _SEEN,
        [6 * lm.COUNT],
    )
)


@dataclass(frozen=True)
class Lens:
    """The assumed camera: focal length, width and height in pixels.

    The principal point is the image centre.
    """

    focal_length: float
    width: int
    height: int

    @classmethod
    def from_field_of_view(cls, degrees: float, width: int, height: int) -> Lens:
        """A lens by its vertical field of view."""
        return cls(float(0.5 * height / np.tan(np.radians(degrees) / 2)), width, height)

    def rays(self, image: np.ndarray) -> np.ndarray:
        """(..., 2) pixels to (..., 3) directions with z = 1."""
        flat = (image - (self.width / 2, self.height / 2)) / self.focal_length
        return np.concatenate((flat, np.ones_like(flat[..., :1])), axis=-1)


@dataclass(frozen=True)
class LiftedFrames:
    """A body in every frame, in camera axes.

    joints: (T, 22, 3) metres relative to the pelvis. spread: (T, 22, 3) metres along the axes of view (T, 3, 3).
    rotations: (T, 22, 3, 3).
    """

    joints: np.ndarray
    spread: np.ndarray
    view: np.ndarray
    rotations: np.ndarray


class _Network:
    """A trained network; weights as plain arrays."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    @classmethod
    def _read(cls, path: Path, what: str, **shapes: tuple[int, ...]) -> Self:
        """The network in a file; some arrays must have the given shapes."""
        with np.load(require_file(path), allow_pickle=False) as file:
            weights = {name: file[name] for name in file.files}
        if any(weights.get(name, np.empty(0)).shape != shape for name, shape in shapes.items()):
            raise InputError(f"{path}: does not contain {what}. Restore it from the project, or train it again.")
        return cls(weights)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        """Features in units of their deviation in the training set."""
        w = self._weights
        return np.clip((values - w["mean"]) / w["deviation"], -FEATURE_BOUND, FEATURE_BOUND)


class LiftingNetwork(_Network):
    """A residual multilayer perceptron."""

    @classmethod
    def load(cls, path: Path = NETWORK_PATH) -> LiftingNetwork:
        """Read the trained numbers.

        Raises:
            InputError: the file is missing or contains other arrays.
        """
        return cls._read(path, "the lifting network", mean=(FEATURES,), out_bias=(OUTPUTS,))

    def lift(self, track: LandmarkTrack, lens: Lens, level: np.ndarray | None = None) -> LiftedFrames:
        """Estimate every frame as the mean of the results for the frame and for its mirror image.

        Args:
            level: (3, 3) rotation to the axes of a level camera at the same place, for which the network was trained;
                the result is in the axes of the given camera.
        """
        pieces = [slice(start, start + _FRAMES_AT_ONCE) for start in range(0, len(track), _FRAMES_AT_ONCE)]
        parts = [self._lift_from(track[piece], lens, level) for piece in pieces]
        return LiftedFrames(
            *(np.concatenate([getattr(p, name) for p in parts]) for name in ("joints", "spread", "view", "rotations"))
        )

    def _lift_from(self, track: LandmarkTrack, lens: Lens, level: np.ndarray | None) -> LiftedFrames:
        if level is None:
            lifted = self._lift(track, lens)
        else:
            lifted = _turned_back(self._lift(_turned(track, lens, level), lens), level)
        return _with_world_depths(lifted, track)

    def _lift(self, track: LandmarkTrack, lens: Lens) -> LiftedFrames:
        view = view_axes(track.image, lens)
        joints, spread, rotations = self._run(features(track, lens))
        mirrored_joints, mirrored_spread, mirrored_rotations = self._run(features(mirrored(track, lens.width), lens))
        joints = 0.5 * (joints + mirrored_joints[:, MIRRORED_JOINTS] @ MIRROR)
        spread = 0.5 * (spread + mirrored_spread[:, MIRRORED_JOINTS])
        total = rotations + MIRROR @ mirrored_rotations[:, MIRRORED_JOINTS] @ MIRROR
        return LiftedFrames(joints @ view.transpose(0, 2, 1), spread, view, view[:, None] @ orthonormal(total[..., :2]))

    def _run(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Joints, spread and rotations in the axes of view."""
        w = self._weights
        x = np.maximum(self._scaled(values) @ w["in_weight"].T + w["in_bias"], 0)
        for block in ("block0", "block1"):
            y = x @ w[f"{block}_first_weight"].T + w[f"{block}_first_bias"]
            y = _standardised(y) * w[f"{block}_norm_weight"] + w[f"{block}_norm_bias"]
            x = x + np.maximum(y, 0) @ w[f"{block}_second_weight"].T + w[f"{block}_second_bias"]
        out = (x @ w["out_weight"].T + w["out_bias"]).astype(np.float64)
        joints, spread, columns = np.split(out, (JOINTS * 3, JOINTS * 6), axis=1)
        spread = np.exp(np.clip(spread, -SPREAD_REACH, SPREAD_REACH) + SPREAD_CENTRE)
        return (
            joints.reshape(-1, JOINTS, 3) * JOINT_SCALE,
            spread.reshape(-1, JOINTS, 3),
            orthonormal(columns.reshape(-1, JOINTS, 3, 2)),
        )


def _standardised(x: np.ndarray) -> np.ndarray:
    """(..., F) with mean 0 and variance 1 over the features."""
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def features(track: LandmarkTrack, lens: Lens) -> np.ndarray:
    """(T, FEATURES) float32.

    World landmarks, the image seen from a camera that looks at the hips, visibility, and apparent size.
    """
    rays = lens.rays(track.image) @ view_axes(track.image, lens)
    flat = rays[..., :2] / np.maximum(rays[..., 2:], 0.1)
    size = np.sqrt((flat[:, BODY] ** 2).sum(-1).mean(1)).clip(1e-4)
    parts = (
        track.world.reshape(len(track), -1) * WORLD_SCALE,
        (flat / size[:, None, None]).reshape(len(track), -1),
        track.visibility * 2 - 1,
        np.log(size)[:, None],
    )
    return np.concatenate(parts, axis=1).astype(np.float32)


def _with_world_depths(lifted: LiftedFrames, track: LandmarkTrack) -> LiftedFrames:
    """Joints whose depths along the view are a weighted mean of their own and those of the world landmarks."""
    world = (track.world @ lifted.view)[..., 2]
    joints = lifted.joints @ lifted.view
    depth = joints[..., 2] - joints[:, HIP_JOINTS, 2].mean(1, keepdims=True)
    away = world[:, LIMB_LANDMARKS] - world[:, [lm.LEFT_HIP, lm.RIGHT_HIP]].mean(1, keepdims=True)
    move = WORLD_SHARE * (away - depth[:, LIMB_JOINTS])
    joints[:, LIMB_JOINTS, 2] += move
    joints[:, list(WITH_SHOULDERS), 2] += move[:, :2].mean(1, keepdims=True) * list(WITH_SHOULDERS.values())
    return replace(lifted, joints=joints @ lifted.view.transpose(0, 2, 1))


def _turned(track: LandmarkTrack, lens: Lens, turn: np.ndarray) -> LandmarkTrack:
    """The landmarks as seen by a camera at the same place whose axes are ``turn`` times the camera's."""
    rays = lens.rays(track.image) @ turn.T
    flat = rays[..., :2] / np.maximum(rays[..., 2:], 0.1)
    image = flat * lens.focal_length + (lens.width / 2, lens.height / 2)
    return LandmarkTrack(image, track.world @ turn.T, track.visibility, track.detected)


def _turned_back(lifted: LiftedFrames, turn: np.ndarray) -> LiftedFrames:
    return LiftedFrames(lifted.joints @ turn, lifted.spread, turn.T @ lifted.view, turn.T @ lifted.rotations)


def view_axes(image: np.ndarray, lens: Lens) -> np.ndarray:
    """(T, 3, 3) camera axes from axes whose z points at the middle of the hips, by the smallest turn."""
    ray = lens.rays(image[:, [lm.LEFT_HIP, lm.RIGHT_HIP]].mean(1))
    return turns_between(np.array((0.0, 0.0, 1.0)), ray)


def mirrored(track: LandmarkTrack, width: int) -> LandmarkTrack:
    """The landmarks of the mirror image."""
    image, world = track.image[:, MIRRORED_LANDMARKS].copy(), track.world[:, MIRRORED_LANDMARKS] * (-1, 1, 1)
    image[..., 0] = width - image[..., 0]
    return LandmarkTrack(image, world, track.visibility[:, MIRRORED_LANDMARKS], track.detected)


@dataclass(frozen=True)
class MovingBody:
    """A body in every frame, and the up direction.

    frames: the body in camera axes. up: (T, 3) unit vectors in camera axes. up_spread: (T,) radians.
    """

    frames: LiftedFrames
    up: np.ndarray
    up_spread: np.ndarray

    def joined(self, single: LiftedFrames) -> LiftedFrames:
        """The mean with the estimate from single frames, in the axes of view of this one, because their errors
        differ.
        """
        columns = (self.frames.rotations + single.rotations)[..., :2]
        return LiftedFrames(
            (self.frames.joints + single.joints) / 2,
            np.sqrt((self.frames.spread**2 + single.spread**2) / 2),
            self.frames.view,
            orthonormal(columns),
        )


class TemporalNetwork(_Network):
    """Residual blocks of dilated convolutions."""

    @classmethod
    def load(cls, path: Path = TEMPORAL_PATH) -> TemporalNetwork:
        """Read the trained numbers.

        Raises:
            InputError: the file is missing or contains other arrays.
        """
        shapes = {"mean": (len(COLUMNS),), "last.bias": (TEMPORAL_OUTPUTS,)}
        return cls._read(path, "the temporal lifting network", **shapes)

    def lift(self, track: LandmarkTrack, lens: Lens, fps: float) -> MovingBody:
        """Estimate every frame as the mean of the results for the movement and for its mirror image."""
        view = view_axes(track.image, lens)
        straight = self._over_time(features(track, lens)[:, COLUMNS], fps)
        other = self._over_time(features(mirrored(track, lens.width), lens)[:, COLUMNS], fps)
        joints, spread, columns, up, doubt = (
            (a + b) / 2 for a, b in zip(_temporal_parts(straight), _mirrored_parts(other), strict=True)
        )
        body = LiftedFrames(
            joints @ view.transpose(0, 2, 1), np.exp(spread), view, view[:, None] @ orthonormal(columns)
        )
        up = (view @ up[..., None])[..., 0]
        return MovingBody(body, up / np.linalg.norm(up, axis=-1, keepdims=True), np.exp(doubt))

    def _over_time(self, values: np.ndarray, fps: float) -> np.ndarray:
        """(T, TEMPORAL_OUTPUTS); at higher rates every n-th frame is a sequence of its own."""
        step = max(1, round(fps / RATE))
        values = _box(values, step)
        out = np.empty((len(values), TEMPORAL_OUTPUTS), np.float64)
        for first in range(min(step, len(values))):
            out[first::step] = self._run(values[first::step])
        return out

    def _run(self, values: np.ndarray) -> np.ndarray:
        w = self._weights
        x = self._scaled(np.pad(values, ((MARGIN, MARGIN), (0, 0)), mode="edge"))
        x = np.maximum(x @ w["first.weight"].T + w["first.bias"], 0)
        for number, d in enumerate(DILATIONS):
            block = f"blocks.{number}."
            y = np.concatenate((x[: -2 * d], x[d:-d], x[2 * d :]), axis=1)
            y = y @ w[block + "first.weight"].T + w[block + "first.bias"]
            y = np.maximum(_standardised(y) * w[block + "norm.weight"] + w[block + "norm.bias"], 0)
            x = x[d:-d] + y @ w[block + "second.weight"].T + w[block + "second.bias"]
        return x @ w["last.weight"].T + w["last.bias"]


def _temporal_parts(out: np.ndarray) -> tuple[np.ndarray, ...]:
    """Joints, logarithm of their spread, columns of rotations, up, logarithm of its spread; axes of view."""
    joints, spread, columns, up, doubt = np.split(out, np.cumsum((66, 66, 132, 3)), axis=1)
    reach = SPREAD_REACH
    return (
        joints.reshape(-1, JOINTS, 3) * JOINT_SCALE,
        np.clip(spread.reshape(-1, JOINTS, 3), -reach, reach) + SPREAD_CENTRE,
        columns.reshape(-1, JOINTS, 3, 2),
        up,
        np.clip(doubt[:, 0], -reach, reach) + UP_SPREAD_CENTRE,
    )


def _mirrored_parts(out: np.ndarray) -> tuple[np.ndarray, ...]:
    joints, spread, columns, up, doubt = _temporal_parts(out)
    flat = MIRROR @ columns[:, MIRRORED_JOINTS] @ MIRROR[:2, :2]
    return joints[:, MIRRORED_JOINTS] @ MIRROR, spread[:, MIRRORED_JOINTS], flat, up @ MIRROR, doubt


def _box(values: np.ndarray, width: int) -> np.ndarray:
    """(T, F) means of ``width`` neighbouring frames, edges repeated."""
    before = width // 2
    padded = np.pad(values, ((before, width - 1 - before), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(-1).astype(np.float32)
