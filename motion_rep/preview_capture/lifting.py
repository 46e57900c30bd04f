"""From the landmarks of a frame to an estimate of the neutral body's joints, with a small learned network.

The network corrects systematic errors of BlazePose's world landmarks: limbs bent too far, ankles too far back, other
bone lengths. It was trained only on renderings of random poses (``scripts/dev/train_capture_lifting.py``); its weights
are in ``lifting_network.npz``. Its z axis points at the hips, so that the person's position in the image does not
matter. Its depths are averaged with those of the world landmarks, since each errs in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.files.local_files import require_file
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import LandmarkTrack

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
# The world landmarks' part in the depth of the joints that have one; it gave the least error on drawn and real clips.
WORLD_SHARE = 0.75
HIP_JOINTS = [1, 2]
LIMB_JOINTS = [16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]
LIMB_LANDMARKS = [*range(lm.LEFT_SHOULDER, lm.RIGHT_WRIST + 1), *range(lm.LEFT_HIP, lm.RIGHT_ANKLE + 1)]
# How far spine, neck, head and collars follow the shoulders.
WITH_SHOULDERS = {3: 0.15, 6: 0.4, 9: 0.6, 12: 1.0, 13: 0.9, 14: 0.9, 15: 1.0}
_FRAMES_AT_ONCE = 512


@dataclass(frozen=True)
class Lens:
    """The camera as far as it is assumed: focal length, width and height in pixels.

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


class LiftingNetwork:
    """A residual multilayer perceptron; weights as plain arrays."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}

    @classmethod
    def load(cls, path: Path = NETWORK_PATH) -> LiftingNetwork:
        """Read the trained numbers.

        Raises:
            InputError: the file is missing or holds other arrays.
        """
        with np.load(require_file(path), allow_pickle=False) as file:
            weights = {name: file[name] for name in file.files}
        if weights.get("mean", np.empty(0)).shape != (FEATURES,) or weights.get("out_bias", np.empty(0)).shape != (
            OUTPUTS,
        ):
            raise InputError(
                f"{path}: does not hold the lifting network. Restore it from the project, or train it again."
            )
        return cls(weights)

    def lift(self, track: LandmarkTrack, lens: Lens, level: np.ndarray | None = None) -> LiftedFrames:
        """Estimate every frame; the mean of the frame and of its mirror image.

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
        return LiftedFrames(
            joints @ view.transpose(0, 2, 1), spread, view, view[:, None] @ _orthonormal(total[..., :2])
        )

    def _run(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Joints, spread and rotations in the axes of view."""
        w = self._weights
        x = np.clip((values - w["mean"]) / w["deviation"], -FEATURE_BOUND, FEATURE_BOUND)
        x = np.maximum(x @ w["in_weight"].T + w["in_bias"], 0)
        for block in ("block0", "block1"):
            y = x @ w[f"{block}_first_weight"].T + w[f"{block}_first_bias"]
            y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5) * w[
                f"{block}_norm_weight"
            ] + w[f"{block}_norm_bias"]
            x = x + np.maximum(y, 0) @ w[f"{block}_second_weight"].T + w[f"{block}_second_bias"]
        out = (x @ w["out_weight"].T + w["out_bias"]).astype(np.float64)
        joints, spread, columns = np.split(out, (JOINTS * 3, JOINTS * 6), axis=1)
        spread = np.exp(np.clip(spread, -SPREAD_REACH, SPREAD_REACH) + SPREAD_CENTRE)
        return (
            joints.reshape(-1, JOINTS, 3) * JOINT_SCALE,
            spread.reshape(-1, JOINTS, 3),
            _orthonormal(columns.reshape(-1, JOINTS, 3, 2)),
        )


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
    """The landmarks as a camera at the same place sees them whose axes are ``turn`` times the camera's."""
    rays = lens.rays(track.image) @ turn.T
    flat = rays[..., :2] / np.maximum(rays[..., 2:], 0.1)
    image = flat * lens.focal_length + (lens.width / 2, lens.height / 2)
    return LandmarkTrack(image, track.world @ turn.T, track.visibility, track.detected)


def _turned_back(lifted: LiftedFrames, turn: np.ndarray) -> LiftedFrames:
    return LiftedFrames(lifted.joints @ turn, lifted.spread, turn.T @ lifted.view, turn.T @ lifted.rotations)


def view_axes(image: np.ndarray, lens: Lens) -> np.ndarray:
    """(T, 3, 3) camera axes from axes whose z points at the middle of the hips, by the smallest turn."""
    ray = lens.rays(image[:, [lm.LEFT_HIP, lm.RIGHT_HIP]].mean(1))
    x, y, z = (ray / np.linalg.norm(ray, axis=1, keepdims=True)).T
    zero = np.zeros_like(x)
    cross = np.stack((zero, zero, x, zero, zero, y, -x, -y, zero), axis=-1).reshape(-1, 3, 3)
    return np.eye(3) + cross + cross @ cross / (1 + z)[:, None, None]


def mirrored(track: LandmarkTrack, width: int) -> LandmarkTrack:
    """The landmarks of the mirror image."""
    image, world = track.image[:, MIRRORED_LANDMARKS].copy(), track.world[:, MIRRORED_LANDMARKS] * (-1, 1, 1)
    image[..., 0] = width - image[..., 0]
    return LandmarkTrack(image, world, track.visibility[:, MIRRORED_LANDMARKS], track.detected)


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    """(..., 3, 2) to rotation matrices by Gram-Schmidt."""
    first, second = columns[..., 0], columns[..., 1]
    x = first / np.linalg.norm(first, axis=-1, keepdims=True)
    y = second - (x * second).sum(-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack((x, y, np.cross(x, y)), axis=-1)
