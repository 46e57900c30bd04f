"""Random still poses of random people and cameras, for learning the errors of the landmark networks.

The motions of the evaluation are not used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import forward_kinematics, pelvis_at_rest
from scripts.dev.capture_evaluation.figures import Anny, Figure, Mannequin
from scripts.dev.capture_evaluation.motions import Sketch
from scripts.dev.capture_evaluation.stage import draw_mesh, lit_colours

STANDING, WALKING, CROUCHING, KICKING, BENDING = range(5)
SHARES = (0.32, 0.26, 0.2, 0.12, 0.1)
# The mannequin resembles a person less than anny does, but its skeleton is that of SMPL-X.
MANNEQUIN_SHARE = 0.35
HIDDEN_SHARE = 0.15
LEVEL_SHARE = 0.35


@dataclass(frozen=True)
class Shot:
    """A picture of one random pose.

    rgb: (height, width, 3) uint8. focal_length: pixels. root, body, transl: parameters in OpenCV camera axes.
    """

    rgb: np.ndarray
    focal_length: float
    root: Tensor
    body: Tensor
    transl: Tensor


def random_shots(count: int, seed: int, people: int = 12) -> Iterator[Shot]:
    """Pictures of random poses, in groups of the same person."""
    random = np.random.default_rng(seed)
    for start in range(0, count, max(1, count // people)):
        number = min(max(1, count // people), count - start)
        figure = _random_person(random)
        local = random_local(number, random)
        for index in range(number):
            yield _photograph(figure, local[index], random)


def _random_person(random: np.random.Generator) -> Figure:
    if random.random() < MANNEQUIN_SHARE:
        return Mannequin(
            tuple(random.normal(0, 1.2, 10)), skin=tuple(np.array([0.9, 0.72, 0.6]) * random.uniform(0.4, 1.0))
        )
    phenotype = {
        name: float(random.uniform(*span))
        for name, span in {
            "gender": (0, 1),
            "age": (0.45, 0.85),
            "muscle": (0.2, 0.9),
            "weight": (0.15, 0.85),
            "height": (0.2, 0.8),
            "proportions": (0.2, 0.9),
        }.items()
    }
    shirt, trousers = random.uniform(0.05, 0.95, 3), random.uniform(0.05, 0.8, 3)
    return Anny(
        phenotype,
        shirt=tuple(shirt),
        trousers=tuple(trousers),
        skin=tuple(np.array([0.9, 0.72, 0.6]) * random.uniform(0.4, 1.0)),
    )


def random_local(count: int, random: np.random.Generator) -> Tensor:
    """(count, 22, 3, 3) joint rotations; the first is a heading and a tilt of the whole body."""
    sketch = Sketch(count)

    def normal(mean, spread):
        return torch.from_numpy(random.normal(mean, spread, count))

    def uniform(low, high):
        return torch.from_numpy(random.uniform(low, high, count))

    mode = torch.from_numpy(random.choice(5, count, p=SHARES))
    together = torch.from_numpy(random.random(count)) < 0.25
    crouch, bend, stride = uniform(15, 115), uniform(15, 85), uniform(-38, 38)
    kicker = torch.from_numpy(random.random(count)) < 0.5
    shared = {"raise": uniform(0, 150), "fore": uniform(-30, 110), "elbow": uniform(0, 140), "out": normal(8, 10)}
    for side in ("left", "right"):
        sign = 1.0 if side == "left" else -1.0
        kicks = (mode == KICKING) & (kicker == (side == "left"))
        flexion, knee = normal(5, 9), normal(8, 12).abs()
        flexion, knee = (
            torch.where(mode == WALKING, 6 + sign * stride + normal(0, 6), flexion),
            torch.where(mode == WALKING, uniform(0, 75), knee),
        )
        crouching = mode == CROUCHING
        flexion, knee = (
            torch.where(crouching, crouch + normal(0, 12), flexion),
            torch.where(crouching, (crouch + normal(5, 15)).clamp(0, 135), knee),
        )
        flexion, knee = torch.where(kicks, uniform(-25, 105), flexion), torch.where(kicks, uniform(0, 115), knee)
        flexion = torch.where(mode == BENDING, bend * 0.7 + normal(0, 8), flexion)
        out = torch.where(together, shared["out"], normal(6, 10)).clamp(-8, 40)
        flat = torch.where(crouching, (knee - flexion).clamp(-10, 25), torch.zeros_like(knee))
        sketch.bend(f"{side}_hip", y=normal(0, 12))
        sketch.leg(side, flexion=flexion, knee=knee, out=out, ankle=flat + normal(0, 10))
        hanging = torch.from_numpy(random.random(count)) < 0.35
        up = torch.where(hanging, normal(6, 8), torch.where(together, shared["raise"], uniform(0, 150)))
        fore = torch.where(hanging, normal(0, 20), torch.where(together, shared["fore"], uniform(-35, 120)))
        elbow = torch.where(hanging, normal(15, 15).abs(), torch.where(together, shared["elbow"], uniform(0, 145)))
        sketch.bend(f"{side}_collar", z=sign * (up - 60).clamp(min=0) * 0.15 + normal(0, 4), y=normal(0, 5))
        sketch.arm(
            side,
            raise_side=up * 0.9,
            raise_forward=fore,
            elbow=elbow,
            twist=torch.where(hanging, normal(0, 15), uniform(-85, 45)),
        )
        sketch.bend(f"{side}_wrist", x=normal(0, 12), y=normal(0, 12), z=normal(0, 15))
    for joint in ("spine1", "spine2", "spine3"):
        sketch.bend(
            joint,
            x=normal(1.5, 5) + torch.where(mode == BENDING, bend * 0.15, torch.zeros_like(bend)),
            y=normal(0, 7),
            z=normal(0, 4),
        )
    for joint in ("neck", "head"):
        sketch.bend(joint, x=normal(2, 8), y=normal(0, 12), z=normal(0, 4))
    tilt = normal(3, 7) + torch.where(mode == CROUCHING, uniform(0, 0.35) * crouch, torch.zeros_like(crouch))
    tilt = tilt + torch.where(mode == BENDING, bend * 0.7, torch.zeros_like(bend))
    fallen = torch.where(torch.from_numpy(random.random(count)) < 0.03, uniform(-90, 90), torch.zeros_like(tilt))
    sketch.bend("pelvis", x=tilt, z=normal(0, 5))
    sketch.bend("pelvis", x=fallen)
    sketch.bend("pelvis", y=uniform(-180, 180))
    return sketch.local


def random_tilt(random: np.random.Generator) -> tuple[float, float]:
    """Pitch (positive looks down) and roll of a camera in radians: a third of them nearly level, the others up to 42
    and 17 degrees.
    """
    if random.random() < LEVEL_SHARE:
        return random.normal(0.05, 0.08), random.normal(0, 0.03)
    return float(np.clip(random.normal(0.15, 0.35), -0.73, 0.73)), float(np.clip(random.normal(0, 0.12), -0.3, 0.3))


def _photograph(figure: Figure, local: Tensor, random: np.random.Generator) -> Shot:

    width, height = [(640, 480), (480, 640), (800, 450)][random.integers(3)]
    field = math.radians(random.uniform(28, 92))
    focal = 0.5 * height / math.tan(field / 2)
    pitch, roll = random_tilt(random)
    camera = rotvec_to_matrix(torch.tensor([[math.pi + pitch, 0, 0], [0, 0, roll]], dtype=torch.float64))
    root = camera[1] @ camera[0] @ local[0]
    depth = 1.75 * focal / (random.uniform(0.35, 0.95) * height)
    place = np.array([width * random.uniform(0.25, 0.75), height * random.uniform(0.4, 0.6)])
    ray = np.append((place - (width / 2, height / 2)) / focal, 1.0)
    transl = torch.from_numpy(ray * depth) - pelvis_at_rest(root)
    points = figure.vertices(root[None], local[None, 1:], transl[None])[0]
    big = (height * 2, width * 2)
    tones = random.uniform(0.2, 0.9, (random.integers(2, 9), random.integers(2, 9), 3))
    image = cv2.resize(
        tones, big[::-1], interpolation=cv2.INTER_LINEAR if random.random() < 0.6 else cv2.INTER_NEAREST
    ).astype(np.float32)
    buffer = np.full(big, 100.0, np.float32)
    _draw_lit(points, figure, image, buffer, field, random)
    _hide(image, random)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) + random.normal(
        0, random.uniform(0, 0.03), (height, width, 3)
    )
    return Shot((small.clip(0, 1) * 255).astype(np.uint8), focal, root, local[1:], transl)


def _hide(image: np.ndarray, random: np.random.Generator) -> None:
    """Sometimes cover a part of the person."""
    if random.random() < HIDDEN_SHARE:
        height, width = image.shape[:2]
        left, top = int(random.uniform(0.2, 0.8) * width), int(random.uniform(0.2, 0.9) * height)
        image[
            top : top + int(random.uniform(0.05, 0.4) * height), left : left + int(random.uniform(0.03, 0.3) * width)
        ] = random.uniform(0.1, 0.9, 3)


def _draw_lit(
    points: np.ndarray, figure: Figure, image: np.ndarray, buffer: np.ndarray, field: float, random: np.random.Generator
) -> None:

    lamp = random.normal(0, 1, 3) * (1, 0.4, 0.4) + (0, -1.2, -1.0)
    shade = lit_colours(
        points,
        figure.faces,
        figure.colours,
        lamps=((tuple(lamp), random.uniform(0.3, 0.7)),),
        everywhere=random.uniform(0.3, 0.6),
    )
    draw_mesh(points, figure.faces, shade, image, buffer, field)


def joints_of(shot: Shot) -> np.ndarray:
    """(22, 3) joints of the neutral body in camera axes, metres."""
    return forward_kinematics(shot.root, shot.body, shot.transl).positions.numpy()
