"""The two bodies in the rendered clips: the wooden mannequin with a painted face, and anny in painted clothes.

Both follow SMPL-X parameters. Anny has another skeleton, so its limbs get the directions, not the joint positions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from motion_rep.common.errors import UsageError
from motion_rep.kinematics.rotations import matrix_to_rotvec
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics, pelvis_at_rest, rest_joints

SKIN, HAIR, SHIRT, TROUSERS, SHOES = (
    (0.87, 0.68, 0.56),
    (0.16, 0.10, 0.07),
    (0.70, 0.24, 0.20),
    (0.20, 0.25, 0.38),
    (0.85, 0.85, 0.83),
)
EYE, LIPS = (0.07, 0.05, 0.05), (0.70, 0.32, 0.30)


class Figure(Protocol):
    """A body that can be drawn: faces (F, 3) int, colours (V, 3) float in 0..1."""

    faces: np.ndarray
    colours: np.ndarray

    def vertices(self, root: Tensor, body: Tensor, transl: Tensor) -> np.ndarray:
        """(T, V, 3) float metres, in the frame of the parameters."""
        ...


@dataclass(frozen=True)
class Mannequin:
    """The wooden mannequin of mannequin-x in the shape of ten betas, with hair, eyes and a mouth.

    Landmark networks distinguish front and back by the face; without the paint, they flip a faceless figure.
    """

    betas: tuple[float, ...] = (0.0,) * 10
    skin: tuple[float, float, float] = SKIN
    body: object = field(init=False, repr=False)
    faces: np.ndarray = field(init=False, repr=False)
    colours: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import mannequin

        body = mannequin.Mannequin("wooden", shape=np.asarray(self.betas, np.float32))
        object.__setattr__(self, "body", body)
        object.__setattr__(self, "faces", np.asarray(body.faces, np.int32))
        object.__setattr__(self, "colours", _mannequin_paint(body, self.skin))

    def vertices(self, root: Tensor, body: Tensor, transl: Tensor) -> np.ndarray:
        rest = self.body.joint_transforms(self.body.rest_pose())[..., self.body.joint_index("Pelvis"), :3, 3]
        pose = self.body.rest_pose(batch_dims=(len(root),))
        pose["body_pose"] = matrix_to_rotvec(body).numpy().astype(np.float32)
        pose["global_rotation"] = matrix_to_rotvec(root).numpy().astype(np.float32)
        pelvis = (transl + pelvis_at_rest(transl)).numpy()
        pose["global_translation"] = (pelvis - root.numpy() @ rest).astype(np.float32)
        return np.asarray(self.body.vertices(pose))


def _mannequin_paint(body, skin: tuple[float, float, float]) -> np.ndarray:
    rest = np.asarray(body.vertices(body.rest_pose()))
    joints = body.joint_transforms(body.rest_pose())[:, :3, 3]
    head, neck = joints[body.joint_index("Head")], joints[body.joint_index("Neck")]
    ankle, wrist, pelvis = (
        joints[body.joint_index("L_Ankle")],
        joints[body.joint_index("L_Wrist")],
        joints[body.joint_index("Pelvis")],
    )
    x, y, z = (rest - head).T
    colours = np.tile(np.asarray(SHIRT), (len(rest), 1))
    colours[rest[:, 1] < pelvis[1] - 0.02] = TROUSERS
    colours[rest[:, 1] < ankle[1] + 0.03] = SHOES
    above = rest[:, 1] > neck[1] + 0.03
    colours[above] = skin
    colours[np.abs(rest[:, 0]) > abs(wrist[0]) - 0.03] = skin
    face = above & (z > 0.02)
    top = rest[above, 1].max() - head[1]
    colours[above & ((z < 0.015) & (y > 0.0) | (y > top - 0.055))] = HAIR
    for side in (-1, 1):
        colours[face & (np.hypot(x - side * 0.032, y - (top - 0.11)) < 0.014)] = EYE
    colours[face & (np.abs(x) < 0.026) & (np.abs(y - (top - 0.178)) < 0.009)] = LIPS
    return colours.astype(np.float32)


# The SMPL-X joint that turns an anny bone, by the start of the bone's name; .L and .R follow.
_SPINE = {
    "root": "pelvis",
    "spine05": "pelvis",
    "spine04": "spine1",
    "spine03": "spine2",
    "spine02": "spine2",
    "spine01": "spine3",
    "neck": "neck",
    "head": "head",
    "eye": "head",
}
_LIMBS = {
    "pelvis": "pelvis",
    "upperleg": "hip",
    "lowerleg": "knee",
    "foot": "ankle",
    "toe": "foot",
    "clavicle": "collar",
    "shoulder": "collar",
    "upperarm": "shoulder",
    "lowerarm": "elbow",
    "wrist": "wrist",
    "finger": "wrist",
    "metacarpal": "wrist",
}
# Limbs with another rest direction (anny stands with lowered arms): the anny bones and SMPL-X joints at both ends.
_DIRECTIONS = {
    "upperleg": ("upperleg01", "lowerleg01", "hip", "knee"),
    "lowerleg": ("lowerleg01", "foot", "knee", "ankle"),
    "upperarm": ("upperarm01", "lowerarm01", "shoulder", "elbow"),
    "lowerarm": ("lowerarm01", "wrist", "elbow", "wrist"),
    "wrist": ("lowerarm01", "wrist", "elbow", "wrist"),
    "finger": ("lowerarm01", "wrist", "elbow", "wrist"),
    "metacarpal": ("lowerarm01", "wrist", "elbow", "wrist"),
}
_Y_UP_FROM_Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


class Anny:
    """A person of anny (code Apache-2.0, MakeHuman data CC0) in painted clothes.

    Args:
        phenotype: anny's sliders, 0..1.
        shirt, trousers: colours 0..1.
    """

    def __init__(self, phenotype: dict[str, float] | None = None, shirt=SHIRT, trousers=TROUSERS, skin=SKIN) -> None:
        self.model = _load_anny()
        self.phenotype = {
            "gender": 0.5,
            "age": 0.6,
            "muscle": 0.5,
            "weight": 0.5,
            "height": 0.5,
            "proportions": 0.5,
        } | (phenotype or {})
        rest = self.model(phenotype_kwargs=self.phenotype, pose_parameterization="local-ref")
        self._heads = {
            n: _Y_UP_FROM_Z_UP @ p
            for n, p in zip(self.model.bone_labels, rest["bone_poses"][0, :, :3, 3].numpy(), strict=True)
        }
        self._rest = {
            n: _Y_UP_FROM_Z_UP @ p
            for n, p in zip(self.model.bone_labels, rest["bone_poses"][0, :, :3, :3].numpy(), strict=True)
        }
        self._joint = np.array([JOINT_NAMES.index(_joint_of(n)) for n in self.model.bone_labels])
        self._bind = np.stack([self._bind_of(n) for n in self.model.bone_labels])
        self.faces = self.model.faces.numpy().astype(np.int32)
        self.colours = self._paint(rest["vertices"][0].numpy() @ _Y_UP_FROM_Z_UP.T, shirt, trousers, skin)

    def vertices(self, root: Tensor, body: Tensor, transl: Tensor) -> np.ndarray:
        pose = forward_kinematics(root, body, transl)
        bones = torch.eye(4, dtype=torch.float64).repeat(len(root), self.model.bone_count, 1, 1)
        bones[..., :3, :3] = pose.rotations[:, self._joint] @ torch.from_numpy(self._bind)
        hips = 0.5 * (self._heads["upperleg01.L"] + self._heads["upperleg01.R"]) - self._heads["root"]
        target = 0.5 * (pose.positions[:, 1] + pose.positions[:, 2])
        bones[:, 0, :3, 3] = target - pose.rotations[:, 0] @ torch.from_numpy(hips)
        parts = [self._skin(chunk) for chunk in bones.split(30)]
        return np.concatenate(parts)

    def _skin(self, bones: Tensor) -> np.ndarray:
        with torch.no_grad():
            return (
                self.model(pose_parameters=bones, phenotype_kwargs=self.phenotype)["vertices"]
                .numpy()
                .astype(np.float32)
            )

    def _bind_of(self, bone: str) -> np.ndarray:
        """Orientation of a bone, in the axes of SMPL-X at zero pose."""
        name, side = bone.split(".")[0].rstrip("0123456789-"), bone.rpartition(".")[2]
        ends = _DIRECTIONS.get(name)
        if ends is None:
            return self._rest[bone]
        word = "left" if side == "L" else "right"
        rest = rest_joints().numpy()
        start, end = (JOINT_NAMES.index(f"{word}_{j}") for j in ends[2:])
        here = self._heads[f"{ends[1]}.{side}"] - self._heads[f"{ends[0]}.{side}"]
        return _swing(here, rest[end] - rest[start]) @ self._rest[bone]

    def _paint(self, rest: np.ndarray, shirt, trousers, skin) -> np.ndarray:
        """Colours by the bone that moves a vertex most."""
        weights = torch.zeros(len(rest), self.model.bone_count, dtype=torch.float64)
        weights.scatter_add_(1, self.model.vertex_bone_indices.long(), self.model.vertex_bone_weights.double())
        joint = np.array([JOINT_NAMES[j] for j in self._joint])[weights.argmax(1).numpy()]
        bone = np.array(self.model.bone_labels)[weights.argmax(1).numpy()]
        colours = np.tile(np.asarray(skin), (len(rest), 1))
        colours[
            np.isin(
                joint, ["spine1", "spine2", "spine3", "left_collar", "right_collar", "left_shoulder", "right_shoulder"]
            )
        ] = shirt
        colours[np.isin(joint, ["pelvis", "left_hip", "right_hip", "left_knee", "right_knee"])] = trousers
        colours[np.isin(joint, ["left_ankle", "right_ankle", "left_foot", "right_foot"])] = SHOES
        head, eyes = joint == "head", np.char.startswith(bone, "eye")
        x, y, z = (rest - self._heads["head"]).T
        eye = rest[eyes].mean(0) - self._heads["head"]
        colours[
            head
            & (y > eye[1] - 0.03)
            & ((z < eye[2] - 0.085) | (y > eye[1] + 0.055 + 0.5 * np.minimum(z - eye[2] + 0.03, 0)))
        ] = HAIR
        colours[
            head & (np.abs(x) > 0.015) & (np.abs(x) < 0.05) & (np.abs(y - eye[1] - 0.022) < 0.005) & (z > eye[2] - 0.04)
        ] = HAIR
        colours[head & (np.abs(x) < 0.024) & (np.abs(y - eye[1] + 0.068) < 0.009) & (z > eye[2] - 0.02)] = LIPS
        colours[eyes] = (0.95, 0.95, 0.95)
        front = rest[eyes, 2].max() - self._heads["head"][2]
        colours[eyes & (z > front - 0.004)] = EYE
        return colours.astype(np.float32)


def _joint_of(bone: str) -> str:
    name, _, side = bone.partition(".")
    stem = name.rstrip("0123456789-")
    if name in _SPINE or stem in ("neck", "head", "eye"):
        return _SPINE.get(name) or _SPINE[stem]
    joint = _LIMBS[stem]
    return joint if joint == "pelvis" else f"{'left' if side == 'L' else 'right'}_{joint}"


def _swing(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The smallest rotation that turns one direction into another."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    v = np.cross(a, b)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / (1 + a @ b)


@lru_cache(maxsize=1)
def _load_anny():
    try:
        import warp

        warp.config.log_level = warp.LOG_ERROR
        import anny
    except ImportError:
        raise UsageError(
            "anny is not installed; it is needed to draw people for this script only. "
            "Install it with: pip install anny==0.6.2"
        ) from None
    return anny.Anny(pose_parameterization="world-orient")
