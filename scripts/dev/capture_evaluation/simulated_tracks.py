"""Landmark tracks of simulated movement, as the landmark network would give them; no picture is drawn.

Movement: motion-captured clips and smooth paths through random poses, mixed, mirrored, slowed down and sped up.
Errors: those of drawn examples in similar poses, blended over time, and slow errors of depth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motion_rep.common.errors import UsageError
from motion_rep.kinematics.array_chain import ChainPose, frames_last
from motion_rep.kinematics.rotations import matrix_to_rot6d, rot6d_to_matrix, rotvec_to_matrix
from motion_rep.kinematics.skeleton import PARENTS, REST_JOINTS, forward_kinematics
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture import lifting
from motion_rep.preview_capture.lifting import Lens
from motion_rep.preview_capture.markers import blazepose_markers
from scripts.dev.capture_evaluation.mocap import HELD_OUT, clip_files, read_clip
from scripts.dev.capture_evaluation.random_poses import random_local, random_tilt

RATE = 15.0
MARKERS = blazepose_markers()
SEEN = MARKERS.landmark.tolist()
M = len(SEEN)
HIPS = [SEEN.index(lm.LEFT_HIP), SEEN.index(lm.RIGHT_HIP)]
BODY = [SEEN.index(n) for n in lifting.BODY]
FEATURES = M * 6 + 1
MIRRORED_MARKERS = [SEEN.index(int(lifting.MIRRORED_LANDMARKS[n])) for n in SEEN]
# Bones that grow together, left and right.
BONES = ((1, 2), (4, 5), (7, 8), (3, 6, 9), (13, 14), (16, 17), (18, 19), (20, 21), (12, 15))
ARM_JOINTS = list(range(12, 22))
# Limbs with independent errors of depth: landmarks that follow the middle joint, landmarks that follow the end.
LIMBS = tuple(
    ([SEEN.index(middle + side)], [SEEN.index(end + side) for end in ends])
    for side in (0, 1)
    for middle, ends in (
        (lm.LEFT_ELBOW, (lm.LEFT_WRIST, lm.LEFT_PINKY, lm.LEFT_INDEX)),
        (lm.LEFT_KNEE, (lm.LEFT_ANKLE, lm.LEFT_HEEL, lm.LEFT_TOE)),
    )
)
RANDOM_POSES, NEIGHBOURS = 12000, 8
MOCAP_SHARE, MIXED_SHARE, STILL_SHARE = 0.4, 0.3, 0.1


@dataclass(frozen=True)
class Batch:
    """B sequences of L frames at RATE.

    features: (B, L, FEATURES). joints (B, L, 22, 3) metres relative to the pelvis, rotations (B, L, 22, 3, 3), up
    (B, L, 3): of the neutral body, in the axes of view.
    """

    features: Tensor
    joints: Tensor
    rotations: Tensor
    up: Tensor


@dataclass(frozen=True)
class Errors:
    """The landmark network's results for N drawn examples.

    true: (N, M, 3) metres, true positions of the markers relative to the hips, in the axes of view. world: (N, M, 3)
    and flat: (N, M, 2) errors of the world landmarks and of the normalised image. lean: (N,) radians by which the world
    landmarks must be turned about the x axis to match the markers. visibility: (N, M).
    """

    true: Tensor
    world: Tensor
    flat: Tensor
    lean: Tensor
    visibility: Tensor


def read_errors(paths: list[Path]) -> Errors:
    """The errors in the files of drawn examples, and in their mirror images.

    Raises:
        UsageError: there is no file.
    """
    if not paths:
        raise UsageError(
            "there are no examples; make some first with: "
            "python scripts/dev/train_capture_lifting.py make --seed 1 --count 400"
        )
    rows = [row for path in paths for row in _errors_of(dict(np.load(path)))]
    true, world, flat, lean, visibility = (torch.from_numpy(np.stack(c)).float() for c in zip(*rows, strict=True))
    swap, flip = MIRRORED_MARKERS, torch.tensor([-1.0, 1.0, 1.0])
    return Errors(
        torch.cat((true, true[:, swap] * flip)),
        torch.cat((world, world[:, swap] * flip)),
        torch.cat((flat, flat[:, swap] * flip[:2])),
        torch.cat((lean, lean)),
        torch.cat((visibility, visibility[:, swap])),
    )


def _errors_of(data: dict[str, np.ndarray]) -> Iterator[tuple[np.ndarray, ...]]:
    local = torch.from_numpy(data["rot"]).double()
    pose = forward_kinematics(local[:, 0], local[:, 1:], torch.zeros(len(local), 3, dtype=torch.float64))
    shift = torch.from_numpy(data["joints"][:, :1]) - pose.positions[:, :1]
    chain = ChainPose(frames_last(pose.rotations.numpy()), frames_last(pose.positions.numpy()))
    placed = blazepose_markers(np.float64).place(chain).T + shift.numpy()
    for k, points in enumerate(placed):
        lens = Lens(float(data["f"][k]), int(data["W"][k]), int(data["H"][k]))
        image = np.zeros((1, lm.COUNT, 2))
        image[0, SEEN] = points[:, :2] / points[:, 2:] * lens.focal_length + (lens.width / 2, lens.height / 2)
        about = (points - points[HIPS].mean(0)) @ lifting.view_axes(image, lens)[0]
        found = data["world"][k][SEEN] - data["world"][k][[lm.LEFT_HIP, lm.RIGHT_HIP]].mean(0)
        flat = _normalised(data["image"][k : k + 1], lens) - _normalised(image, lens)
        across = (found[:, 1] * about[:, 2] - found[:, 2] * about[:, 1]).sum()
        lean = np.arctan2(across, (found[:, 1:] * about[:, 1:]).sum())
        yield about, found - about, flat[0], lean, data["vis"][k][SEEN]


def _normalised(image: np.ndarray, lens: Lens) -> np.ndarray:
    rays = lens.rays(image[:, SEEN]) @ lifting.view_axes(image, lens)
    flat = rays[..., :2] / np.maximum(rays[..., 2:], 0.1)
    return flat / np.sqrt((flat[:, BODY] ** 2).sum(-1).mean(1)).clip(1e-4)[:, None, None]


def training_clips() -> list[tuple[Tensor, float]]:
    """Local rotations (T, 22, 3, 3) and rate of the motion-captured clips, without the excluded ones.

    Raises:
        UsageError: pybullet is not installed.
    """
    clips = [read_clip(path) for name, path in clip_files().items() if name not in HELD_OUT]
    return [(torch.cat((motion.root[:, None], motion.body), 1).float(), fps) for motion, fps in clips]


class Simulation:
    """Draws batches; the same seed gives the same ones."""

    def __init__(self, errors: Errors, seed: int, clips: list[tuple[Tensor, float]]) -> None:
        """Prepare movement from clips: local rotations (T, 22, 3, 3) of each, the first global, and its rate."""
        self._errors = errors
        self._random = np.random.default_rng(seed)
        poses = _facing(random_local(RANDOM_POSES, self._random)).float()
        # Rows of six numbers a joint: first the poses, then the clips.
        self._bank = torch.cat([matrix_to_rot6d(part) for part in (poses, *(clip for clip, _ in clips))])
        starts = RANDOM_POSES + np.cumsum([0, *(len(clip) for clip, _ in clips)])
        self._clips = [(int(at), len(clip), fps) for at, (clip, fps) in zip(starts, clips, strict=False)]
        rest = torch.tensor(REST_JOINTS)
        self._offsets = (rest - rest[[max(p, 0) for p in PARENTS]]).float()

    def batch(self, count: int, frames: int) -> Batch:
        """``count`` sequences of ``frames`` frames."""
        return self._seen(self._shaken(self._movement(count, frames)))

    def _movement(self, count: int, frames: int) -> Tensor:
        """(B, L, 22, 3, 3) local rotations."""
        first, second = self._paths(count, frames), self._paths(count, frames)
        mixed = self._random.random(count) < MIXED_SHARE
        first[np.ix_(mixed, np.arange(frames), ARM_JOINTS)] = second[np.ix_(mixed, np.arange(frames), ARM_JOINTS)]
        local = rot6d_to_matrix(first)
        mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
        turned = torch.from_numpy(self._random.random(count) < 0.5)
        return torch.where(
            turned[:, None, None, None, None], mirror @ local[:, :, lifting.MIRRORED_JOINTS.tolist()] @ mirror, local
        )

    def _paths(self, count: int, frames: int) -> Tensor:
        """(B, L, 22, 6): each sequence is a piece of a clip or a path through random poses."""
        rows = [
            self._clip_rows(frames) if self._random.random() < MOCAP_SHARE else self._pose_rows(frames)
            for _ in range(count)
        ]
        low, high, share = (np.stack(column) for column in zip(*rows, strict=True))
        weight = torch.from_numpy(share).float()[..., None, None]
        return self._bank[low] * (1 - weight) + self._bank[high] * weight

    def _clip_rows(self, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A piece of a clip, slowed down or sped up, reflected at its ends; sometimes a single frame."""
        r = self._random
        start, length, fps = self._clips[r.integers(len(self._clips))]
        step = 0.0 if r.random() < STILL_SHARE else fps / RATE * math.exp(r.normal(0, 0.35))
        where = r.uniform(0, length) + step * np.arange(frames)
        where = np.abs((where + length - 1) % (2 * (length - 1)) - (length - 1))
        low = where.astype(int).clip(0, length - 2)
        return start + low, start + low + 1, where - low

    def _pose_rows(self, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A path through random poses, sometimes back and forth between two."""
        r = self._random
        spacing = RATE * math.exp(r.normal(-0.2, 0.6))
        keys = int(frames / spacing) + 3
        chosen = r.integers(RANDOM_POSES, size=keys)
        if r.random() < 0.3:
            chosen = chosen[np.arange(keys) % 2]
        where = r.uniform(0, 1) + np.arange(frames) / spacing
        low = where.astype(int)
        share = where - low
        return chosen[low], chosen[low + 1], share * share * (3 - 2 * share)

    def _normal(self, spread: float | np.ndarray, *shape: int) -> Tensor:
        return torch.from_numpy(self._random.normal(0, spread, shape)).float()

    def _slow(self, spread: float, seconds: float, count: int, frames: int, *shape: int) -> Tensor:
        """(B, L, ...) noise that changes over some seconds."""
        spacing = max(1.0, seconds * RATE)
        knots = self._normal(spread, count, int(frames / spacing) + 3, *shape)
        return _between(knots, torch.arange(frames) / spacing + float(self._random.random()))

    def _shaken(self, local: Tensor) -> Tensor:
        """A constant and a slow offset of every joint, and a heading that may turn."""
        count, frames = local.shape[:2]
        r = self._random
        size = torch.from_numpy(r.uniform(2, 10, (count, 1, 1, 1))).float().deg2rad()
        offset = self._normal(1.0, count, 1, 22, 3) + self._slow(0.8, 0.7, count, frames, 22, 3)
        local = local @ rotvec_to_matrix(offset * size)
        speed = np.where(r.random((count, 1)) < 0.5, r.normal(0, 0.7, (count, 1)), 0)
        turn = torch.zeros(count, frames, 3)
        turn[..., 1] = torch.from_numpy(r.uniform(-math.pi, math.pi, (count, 1)) + speed * np.arange(frames) / RATE)
        return torch.cat(((rotvec_to_matrix(turn) @ local[:, :, 0])[:, :, None], local[:, :, 1:]), 2)

    def _seen(self, local: Tensor) -> Batch:
        """The movement as seen by a random camera."""
        count, frames = local.shape[:2]
        camera = self._cameras(count)
        pose = forward_kinematics(local[:, :, 0], local[:, :, 1:], torch.zeros(count, frames, 3))
        about, wide = self._marked(pose.rotations) @ camera[:, None].mT, self._fields(count)
        points = about + self._places(wide, frames)[:, :, None]
        axes = _axes(points[..., HIPS, :].mean(-2))
        flat, size = self._images(points, wide)
        world, shift, visibility = self._erring((points - points[..., HIPS, :].mean(-2, keepdim=True)) @ axes)
        features = (
            (world * lifting.WORLD_SCALE).flatten(2),
            (flat + shift).flatten(2),
            visibility * 2 - 1,
            size.log()[..., None],
        )
        neutral = (pose.positions - pose.positions[:, :, :1]) @ camera[:, None].mT
        turned = (axes.mT @ camera[:, None])[:, :, None]
        up = (axes.mT @ camera[:, None])[..., 1]
        return Batch(torch.cat(features, -1), neutral @ axes, turned @ pose.rotations, up)

    def _cameras(self, count: int) -> Tensor:
        """(B, 3, 3) camera axes from the world's."""
        tilt = torch.tensor([random_tilt(self._random) for _ in range(count)], dtype=torch.float32)
        zero = torch.zeros(count)
        pitch = rotvec_to_matrix(torch.stack((math.pi + tilt[:, 0], zero, zero), -1))
        return rotvec_to_matrix(torch.stack((zero, zero, tilt[:, 1]), -1)) @ pitch

    def _fields(self, count: int) -> np.ndarray:
        """(B,) tangents of half the vertical fields of view."""
        return np.tan(np.radians(self._random.uniform(28, 92, count)) / 2)

    def _places(self, wide: np.ndarray, frames: int) -> Tensor:
        """(B, L, 3) position of the person's pelvis, camera axes."""
        r, count = self._random, len(wide)
        depth = (1.75 / (r.uniform(0.3, 0.95, count) * 2 * wide)).clip(1.4, 14)
        ray = np.stack((wide * r.uniform(-0.7, 0.7, count), wide * r.uniform(-0.3, 0.3, count), np.ones(count)), -1)
        speed = r.normal(0, 0.35, (count, 1, 3)) * (r.random((count, 1, 1)) < 0.6)
        path = (ray * depth[:, None])[:, None] + speed * (np.arange(frames) / RATE - frames / RATE / 2)[None, :, None]
        path[..., 2] = path[..., 2].clip(1.2)
        return torch.from_numpy(path).float()

    def _images(self, points: Tensor, wide: np.ndarray) -> tuple[Tensor, Tensor]:
        """Normalised images (B, L, M, 2) and sizes (B, L) under an assumed lens, often a wrong one."""
        r, count = self._random, len(wide)
        usual = wide / math.tan(math.radians(55) / 2)
        ratio = np.where(r.random(count) < 0.5, usual, np.exp(r.normal(0, 0.12, count)))
        rays = points / points[..., 2:].clamp(min=0.2)
        rays = torch.cat((rays[..., :2] / torch.from_numpy(ratio).float()[:, None, None, None], rays[..., 2:]), -1)
        rays = rays @ _axes(rays[..., HIPS, :].mean(-2))
        flat = rays[..., :2] / rays[..., 2:].clamp(min=0.1)
        size = (flat[..., BODY, :] ** 2).sum(-1).mean(-1).sqrt().clamp(min=1e-4)
        return flat / size[..., None, None], size

    def _marked(self, rotations: Tensor) -> Tensor:
        """(B, L, M, 3) landmarks relative to the pelvis of people of other proportions, in the world's axes."""
        count = len(rotations)
        scale = torch.ones(count, 22)
        for bones in BONES:
            scale[:, list(bones)] = 1 + self._normal(0.05, count, 1)
        scale = scale * (1 + self._normal(0.04, count, 1))
        places = [torch.zeros_like(rotations[:, :, 0, :, 0])]
        for joint in range(1, 22):
            bone = (self._offsets[joint] * scale[:, joint, None])[:, None, :, None]
            places.append(places[PARENTS[joint]] + (rotations[:, :, PARENTS[joint]] @ bone)[..., 0])
        off = torch.from_numpy(MARKERS.offset) + self._normal(0.01, count, 1, M, 3)
        turned = (rotations[:, :, MARKERS.joint] @ off[..., None])[..., 0]
        return torch.stack(places, 2)[:, :, MARKERS.joint] + turned

    def _erring(self, about: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """World landmarks (B, L, M, 3), shift of the image (B, L, M, 2), visibility (B, L, M) of markers (B, L, M, 3).

        Errors are those of a sequence of examples in similar poses.
        """
        count, frames = about.shape[:2]
        r = self._random
        spacing = max(2.0, RATE * math.exp(r.normal(-1.2, 0.4)))
        where = torch.arange(frames) / spacing + float(r.random())
        knots = int(where[-1]) + 2
        nearest = (torch.arange(knots) * spacing).long().clamp(max=frames - 1)
        pick = self._similar(about[:, nearest].flatten(0, 1)).view(count, knots)
        e = self._errors
        world, flat, back, visibility = (_between(v[pick], where) for v in (e.world, e.flat, e.lean, e.visibility))
        strength = torch.from_numpy(r.uniform(0.7, 1.4, (count, 1, 1, 1))).float()
        lean = rotvec_to_matrix(self._normal(np.radians([6.0, 3.0, 3.0]), count, 1, 3))
        stretch = 1 + self._normal(0.05, count, 1, 1, 1)
        # With tilted cameras, landmarks of real people lean less than those of drawn ones: keep a share of the lean.
        share = torch.from_numpy(r.uniform(0, 1.2, (count, 1))).float()
        zero = torch.zeros_like(back)
        upright = rotvec_to_matrix(torch.stack((back.clamp(-0.6, 0.6) * share, zero, zero), -1))
        world = ((about + world * strength) * stretch) @ (lean @ upright).mT + self._normal(0.012, count, 1, M, 3)
        world[..., 2] += self._limb_depths(count, frames)
        shift = flat * strength + self._normal(0.015, count, 1, M, 2) + self._jumps(count, frames)
        return world + self._normal(0.007, *world.shape), shift + self._normal(0.008, *shift.shape), visibility

    def _similar(self, wanted: Tensor) -> Tensor:
        """(N,) numbers of examples near (N, M, 3) markers, each chosen among the nearest."""
        near = torch.cdist(wanted.flatten(1), self._errors.true.flatten(1)).topk(NEIGHBOURS, largest=False).indices
        return near[torch.arange(len(near)), torch.from_numpy(self._random.integers(NEIGHBOURS, size=len(near)))]

    def _limb_depths(self, count: int, frames: int) -> Tensor:
        """(B, L, M) metres: limbs lean towards the camera or away, for a long or a short time."""
        off = torch.zeros(count, frames, M)
        strength = torch.from_numpy(self._random.uniform(0, 1.5, (count, 1, 1))).float()
        for middle, end in LIMBS:
            bends = self._normal(0.025, count, 1, 2) + self._slow(0.03, 0.5, count, frames, 2)
            off[..., middle] += bends[..., :1]
            off[..., end] += bends.sum(-1, keepdim=True)
        return off * strength

    def _jumps(self, count: int, frames: int) -> Tensor:
        """(B, L, M, 2) limbs that are misplaced for a few frames, in few sequences."""
        off = torch.zeros(count, frames, M, 2)
        for middle, end in LIMBS:
            for row in np.flatnonzero(self._random.random(count) < 0.06):
                first = self._random.integers(frames)
                where = slice(first, first + self._random.integers(1, 5))
                off[row, where][:, middle + end] += self._normal(0.4, 2)
        return off


def _between(values: Tensor, where: Tensor) -> Tensor:
    """(B, K, ...) at fractional positions (L,) of K, interpolated linearly."""
    low = where.long().clamp(max=values.shape[1] - 2)
    share = (where - low).clamp(0, 1).view(1, -1, *[1] * (values.ndim - 2))
    return values[:, low] * (1 - share) + values[:, low + 1] * share


def _axes(ray: Tensor) -> Tensor:
    """(..., 3) rays to (..., 3, 3) camera axes from axes of view, by the smallest turn."""
    x, y, z = (ray / ray.norm(dim=-1, keepdim=True)).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, zero, x, zero, zero, y, -x, -y, zero), -1).unflatten(-1, (3, 3))
    return torch.eye(3) + cross + cross @ cross / (1 + z)[..., None, None]


def _facing(local: Tensor) -> Tensor:
    """Poses (N, 22, 3, 3) turned about the vertical so that their left is the world's left."""
    left = local[:, 0, :, 0]
    turn = torch.zeros(len(local), 3, dtype=local.dtype)
    turn[:, 1] = -torch.atan2(-left[:, 2], left[:, 0])
    return torch.cat(((rotvec_to_matrix(turn) @ local[:, 0])[:, None], local[:, 1:]), 1)
