"""Fit the neutral body to keypoints with metric depth (SAM 3D Body's 70): aim it bone by bone, then fit it over time.

People differ in size: keypoints are compared after scaling the clip's median bone length to the neutral body's. The
pelvis keeps its metric position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import matrix_to_rotvec, rotvec_to_matrix, slerp
from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS, forward_kinematics, pelvis_at_rest, rest_joints
from motion_rep.preview_capture.adam import minimise
from motion_rep.preview_capture.body_fit import FittedBody
from motion_rep.preview_capture.chunks import fit_in_chunks
from motion_rep.preview_capture.markers import Markers

# Functions that give the rest position (3,) of a joint by name, and that set the global rotations (T, 3, 3) of joints.
Rest = Callable[[str], Tensor]
Put = Callable[[Sequence[str], Tensor], None]

COUNT = 70
# Indices of the keypoints (https://github.com/facebookresearch/sam-3d-body, the MHR70 order).
NOSE, EAR, SHOULDER, ELBOW, HIP, KNEE, ANKLE, NECK = 0, (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), 69
BIG_TOE, SMALL_TOE, HEEL = (15, 18), (16, 19), (17, 20)
WRIST, INDEX, MIDDLE, PINKY = (62, 41), (49, 28), (53, 32), (61, 40)

# Keypoint of the left and right side, joint, offset in the left joint's axes (metres; x left, y up, z forward), trust.
SIDES = (
    (EAR, "head", (0.075, 0.02, 0.01), 0.3),
    (SHOULDER, "shoulder", (0.0, 0.0, 0.0), 1.0),
    (ELBOW, "elbow", (0.0, 0.0, 0.0), 1.0),
    (WRIST, "wrist", (0.0, 0.0, 0.0), 1.0),
    (INDEX, "wrist", (0.09, -0.005, 0.022), 0.5),
    (PINKY, "wrist", (0.078, -0.012, -0.035), 0.5),
    (HIP, "hip", (0.0, 0.0, 0.0), 1.0),
    (KNEE, "knee", (0.0, 0.0, 0.0), 1.0),
    (ANKLE, "ankle", (0.0, 0.0, 0.0), 1.0),
    (HEEL, "ankle", (0.005, -0.05, -0.045), 0.5),
    (BIG_TOE, "foot", (-0.02, 0.0, 0.06), 0.7),
    (SMALL_TOE, "foot", (0.03, -0.005, 0.035), 0.5),
)
MIDDLE_POINTS = ((NOSE, "head", (0.0, 0.0, 0.11), 0.5), (NECK, "neck", (0.0, 0.03, 0.01), 0.3))

STEPS, RATE = 150, 0.02
POINT_SPREAD, BOUND = 0.02, 9.0
TURN_SPREAD, HINGE_WEIGHT = 0.5, 30.0
# A second difference over a time step of 1/30 s that is as unlikely as a keypoint at a distance of one spread.
ACCELERATION, TURN_ACCELERATION = 30.0, 200.0


class Segment(NamedTuple):
    """The orientation of a joint: a direction that is matched exactly and one that is matched as closely as
    possible, with their rest directions.
    """

    exact: Tensor
    near: Tensor
    rest_exact: Tensor
    rest_near: Tensor

    def rotation(self) -> Tensor:
        """(T, 3, 3) global rotation."""
        return _axes(self.exact, self.near) @ _axes(self.rest_exact, self.rest_near).mT


def keypoint_markers() -> Markers:
    """The keypoints attached to the 22 joints."""
    rows = list(MIDDLE_POINTS)
    for (left, right), part, (x, y, z), trust in SIDES:
        joints = (part, part) if part == "head" else (f"left_{part}", f"right_{part}")
        rows += [(left, joints[0], (x, y, z), trust), (right, joints[1], (-x, y, z), trust)]
    return Markers.of(rows, np.float64)


def fit_keypoints(points: Tensor, fps: float) -> BodyParameters:
    """The body of a clip.

    Args:
        points: (T, 70, 3) metres, camera axes (x right, y down, z forward).
        fps: frames per second, for smoothness.
    """
    points = points.double()
    scale = body_scale(points)
    body = fit_in_chunks(len(points), lambda chunk: _fit(points[chunk], scale, fps))
    return BodyParameters(*map(torch.from_numpy, (body.root, body.body, body.transl)))


def body_scale(points: Tensor) -> float:
    """Length of the person's bones relative to the neutral body's: the median over bones and frames."""
    rest = rest_joints(points.dtype)
    ratios = []
    for above, below in ((HIP, KNEE), (KNEE, ANKLE), (SHOULDER, ELBOW), (ELBOW, WRIST)):
        for side, name in enumerate(("left", "right")):
            parts = {HIP: "hip", KNEE: "knee", ANKLE: "ankle", SHOULDER: "shoulder", ELBOW: "elbow", WRIST: "wrist"}
            start, end = (JOINT_NAMES.index(f"{name}_{parts[part]}") for part in (above, below))
            length = (points[:, above[side]] - points[:, below[side]]).norm(dim=-1)
            ratios.append(length / (rest[start] - rest[end]).norm())
    return float(torch.cat(ratios).median())


def _fit(points: Tensor, scale: float, fps: float) -> FittedBody:
    markers = keypoint_markers()
    offset, trust = torch.from_numpy(markers.offset)[..., None], torch.from_numpy(markers.trust)
    start = aimed(points)
    middle = points[:, HIP].mean(1, keepdim=True)
    targets = (points[:, markers.landmark] - middle) / scale
    hips = [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")]

    def loss(values: Tensor) -> Tensor:
        turn, bends, shift = _split(values)
        pose = forward_kinematics(start[:, 0] @ rotvec_to_matrix(turn), rotvec_to_matrix(bends), torch.zeros_like(turn))
        centre = pose.positions[:, hips].mean(1, keepdim=True) + shift[:, None]
        placed = pose.positions[:, markers.joint] + (pose.rotations[:, markers.joint] @ offset)[..., 0]
        away = (((placed - centre - targets) / POINT_SPREAD) ** 2).sum(-1)
        misses = (away / (1 + away / BOUND) * trust).sum()
        changes = ((rotvec_to_matrix(bends) - start[:, 1:]) ** 2).sum() / (2 * TURN_SPREAD**2)
        calm = _calm(pose.positions, ACCELERATION, fps) + _calm(pose.rotations.flatten(-2), TURN_ACCELERATION, fps)
        return (misses + changes + calm + HINGE_WEIGHT * _beyond_hinges(bends)) / len(points)

    def slope(values: np.ndarray, _step: int) -> np.ndarray:
        tensor = torch.from_numpy(values).requires_grad_()
        return torch.autograd.grad(loss(tensor), tensor)[0].numpy()

    still = torch.zeros_like(points[:, 0])
    begin = torch.cat((still, matrix_to_rotvec(start[:, 1:]).flatten(1), still), dim=1)
    turn, bends, _ = _split(torch.from_numpy(minimise(slope, begin.numpy(), STEPS, RATE)))
    root, body = start[:, 0] @ rotvec_to_matrix(turn), rotvec_to_matrix(bends)
    rest = forward_kinematics(root, body, torch.zeros_like(turn)).positions
    to_pelvis = (rest[:, 0] - rest[:, hips].mean(1)) * scale
    pelvis = middle[:, 0] + to_pelvis
    return FittedBody(root.numpy(), body.numpy(), (pelvis - pelvis_at_rest(pelvis)).numpy())


def _split(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(T, 69) to rotation vectors of the root (T, 3) and of the other joints (T, 21, 3), and a shift (T, 3)."""
    turn, bends, shift = values.split((3, 63, 3), dim=1)
    return turn, bends.unflatten(1, (21, 3)), shift


def _calm(values: Tensor, spread: float, fps: float) -> Tensor:
    """Squared accelerations in units of ``spread`` (per square second)."""
    second = values[2:] - 2 * values[1:-1] + values[:-2]
    return 0.1 * ((second * fps**2 / spread) ** 2).sum()


def _beyond_hinges(bends: Tensor) -> Tensor:
    """Penalty on impossible bends: knees bend only backwards, elbows only forwards."""
    knees = bends[:, [JOINT_NAMES.index(f"{side}_knee") - 1 for side in ("left", "right")], 0]
    left, right = (bends[:, JOINT_NAMES.index(f"{side}_elbow") - 1, 1] for side in ("left", "right"))
    return (torch.relu(-knees) ** 2).sum() + (torch.relu(left) ** 2).sum() + (torch.relu(-right) ** 2).sum()


def aimed(points: Tensor) -> Tensor:
    """(T, 22, 3, 3) local rotations, the root's global, that point each bone of the neutral body along the person's."""
    rest = rest_joints(points.dtype)
    world = torch.eye(3, dtype=points.dtype).repeat(len(points), 22, 1, 1)

    def at(name: str) -> Tensor:
        return rest[JOINT_NAMES.index(name)]

    def put(names: Sequence[str], rotation: Tensor) -> None:
        for name in names:
            world[:, JOINT_NAMES.index(name)] = rotation

    hips, shoulders = points[:, HIP].mean(1), points[:, SHOULDER].mean(1)
    rest_hips = (at("left_hip") + at("right_hip")) / 2
    rest_up = (at("left_shoulder") + at("right_shoulder")) / 2 - rest_hips
    across = points[:, HIP[0]] - points[:, HIP[1]]
    pelvis = Segment(across, shoulders - hips, at("left_hip") - at("right_hip"), rest_up).rotation()
    wide = points[:, SHOULDER[0]] - points[:, SHOULDER[1]]
    chest = Segment(shoulders - hips, wide, rest_up, at("left_shoulder") - at("right_shoulder")).rotation()
    ears = points[:, EAR[0]] - points[:, EAR[1]]
    forward = points[:, NOSE] - points[:, EAR].mean(1)
    left, ahead = points.new_tensor((1.0, 0.0, 0.0)), points.new_tensor((0.0, -0.02, 0.1))
    head = Segment(ears, forward, left, ahead).rotation()
    put(["pelvis"], pelvis)
    for share, name in ((1 / 3, "spine1"), (2 / 3, "spine2")):
        put([name], slerp(pelvis, chest, torch.full((len(points),), share, dtype=points.dtype)))
    put(["spine3", "left_collar", "right_collar"], chest)
    put(["neck"], slerp(chest, head, torch.full((len(points),), 0.5, dtype=points.dtype)))
    put(["head"], head)
    for side, name in enumerate(("left", "right")):
        _aim_leg(points, side, name, pelvis, at, put)
        _aim_arm(points, side, name, chest, at, put)
    parents = torch.tensor([max(parent, 0) for parent in PARENTS])
    return torch.cat((world[:, :1], (world[:, parents].mT @ world)[:, 1:]), dim=1)


def _aim_leg(points: Tensor, side: int, name: str, pelvis: Tensor, at: Rest, put: Put) -> None:
    """The thigh's twist follows the knee's plane; for a straight leg, the foot and the pelvis."""
    thigh = points[:, KNEE[side]] - points[:, HIP[side]]
    shank = points[:, ANKLE[side]] - points[:, KNEE[side]]
    foot = points[:, BIG_TOE[side]] - points[:, HEEL[side]]
    ahead, left = points.new_tensor((0.0, 0.0, 1.0)), points.new_tensor((1.0, 0.0, 0.0))
    facing = -_across(shank, thigh) + 0.2 * _across(foot, thigh) + 0.05 * _across(pelvis @ ahead, thigh)
    upper = Segment(thigh, facing, at(f"{name}_knee") - at(f"{name}_hip"), ahead).rotation()
    lower = Segment(shank, upper @ left, at(f"{name}_ankle") - at(f"{name}_knee"), left).rotation()
    offsets = {part[0]: points.new_tensor(part[2]) * points.new_tensor((1.0 - 2 * side, 1.0, 1.0)) for part in SIDES}
    toe, small = at(f"{name}_foot") + offsets[BIG_TOE], at(f"{name}_foot") + offsets[SMALL_TOE]
    heel = at(f"{name}_ankle") + offsets[HEEL]
    outwards = points[:, SMALL_TOE[side]] - points[:, BIG_TOE[side]]
    sole = Segment(foot, outwards, toe - heel, small - toe).rotation()
    put([f"{name}_hip"], upper)
    put([f"{name}_knee"], lower)
    put([f"{name}_ankle", f"{name}_foot"], sole)


def _aim_arm(points: Tensor, side: int, name: str, chest: Tensor, at: Rest, put: Put) -> None:
    """The upper arm's twist follows the elbow's plane; for a straight arm, the chest."""
    upper = points[:, ELBOW[side]] - points[:, SHOULDER[side]]
    lower = points[:, WRIST[side]] - points[:, ELBOW[side]]
    ahead, up = points.new_tensor((0.0, 0.0, 1.0)), points.new_tensor((0.0, 1.0, 0.0))
    rest_upper, rest_lower = (
        at(f"{name}_elbow") - at(f"{name}_shoulder"),
        at(f"{name}_wrist") - at(f"{name}_elbow"),
    )
    carried = _smallest_turn(chest @ rest_upper, upper) @ chest
    facing = _across(lower, upper) + 0.05 * _across(carried @ ahead, upper)
    arm = Segment(upper, facing, rest_upper, ahead).rotation()
    forearm = Segment(lower, arm @ up, rest_lower, up).rotation()
    knuckles = points[:, INDEX[side]] - points[:, PINKY[side]]
    palm = points[:, (INDEX[side], PINKY[side])].mean(1) - points[:, WRIST[side]]
    offsets = {part[0]: points.new_tensor(part[2]) * points.new_tensor((1.0 - 2 * side, 1.0, 1.0)) for part in SIDES}
    rest_palm, rest_knuckles = (offsets[INDEX] + offsets[PINKY]) / 2, offsets[INDEX] - offsets[PINKY]
    put([f"{name}_shoulder"], arm)
    put([f"{name}_elbow"], forearm)
    put([f"{name}_wrist"], Segment(palm, knuckles, rest_palm, rest_knuckles).rotation())


def _axes(exact: Tensor, near: Tensor) -> Tensor:
    """(..., 3, 3) whose columns are the unit direction, the perpendicular part of the other one, and their cross
    product.
    """
    first = torch.nn.functional.normalize(exact, dim=-1)
    second = torch.nn.functional.normalize(_across(near, first), dim=-1)
    return torch.stack((first, second, torch.linalg.cross(first, second)), dim=-1)


def _across(vector: Tensor, direction: Tensor) -> Tensor:
    """The part of a vector at right angles to a direction of length 1."""
    along = torch.nn.functional.normalize(direction, dim=-1)
    unit = torch.nn.functional.normalize(vector, dim=-1)
    return unit - (unit * along).sum(-1, keepdim=True) * along


def _smallest_turn(start: Tensor, end: Tensor) -> Tensor:
    """(T, 3, 3) rotations that bring one direction to another."""
    axis = torch.linalg.cross(start, end)
    length = axis.norm(dim=-1, keepdim=True)
    angle = torch.atan2(length, (start * end).sum(-1, keepdim=True))
    return rotvec_to_matrix(axis / length.clamp(min=1e-12) * angle)
