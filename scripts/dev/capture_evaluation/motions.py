"""Short synthetic motions with known SMPL-X parameters, for rendered clips with known truth.

Axes of the body: x left, y up, z forward. Every motion stands on a floor: the lowest foot touches it, and a foot that
carries weight does not slide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics, pelvis_at_rest, rest_joints

FPS = 30.0
SOLE_BELOW_TOE_JOINT = 0.02
REST = rest_joints()


@dataclass(frozen=True)
class BodyMotion:
    """A motion of the neutral body in a world with y up and the floor at y = 0.

    root (T, 3, 3), body (T, 21, 3, 3), transl (T, 3) in metres; float64.
    """

    name: str
    root: Tensor
    body: Tensor
    transl: Tensor


class Sketch:
    """Joint angles in degrees while a motion is composed; converted to a BodyMotion at the end."""

    def __init__(self, frames: int, fps: float = FPS) -> None:
        self.seconds = torch.arange(frames, dtype=torch.float64) / fps
        self.local = torch.eye(3, dtype=torch.float64).repeat(frames, 22, 1, 1)
        self.lift = torch.zeros(frames, dtype=torch.float64)
        # Whether feet and lift agree in every frame, so that no smoothing is needed.
        self.is_exact = False
        self.bend("left_shoulder", z=-70)
        self.bend("right_shoulder", z=70)
        for side in ("left", "right"):
            self.arm(side, elbow=12)

    def wave(self, hertz: float, phase: float = 0.0) -> Tensor:
        """A sine of the time, phase in turns."""
        return torch.sin(2 * math.pi * (hertz * self.seconds + phase))

    def pulse(self, hertz: float, phase: float = 0.0) -> Tensor:
        """A wave between 0 and 1 that starts at 0."""
        return 0.5 - 0.5 * torch.cos(2 * math.pi * (hertz * self.seconds + phase))

    def bend(self, joint: str, x=0.0, y=0.0, z=0.0) -> None:
        """Turn a joint further, about x, then y, then z of its parent's axes."""
        index = JOINT_NAMES.index(joint)
        for axis, degrees in ((2, z), (1, y), (0, x)):
            angle = torch.as_tensor(degrees, dtype=torch.float64).expand(len(self.seconds)) * (math.pi / 180)
            rotvec = torch.zeros(len(self.seconds), 3, dtype=torch.float64)
            rotvec[:, axis] = angle
            self.local[:, index] = rotvec_to_matrix(rotvec) @ self.local[:, index]

    def leg(self, side: str, flexion=0.0, knee=0.0, out=0.0, ankle=0.0) -> None:
        """Hip flexion forward, knee flexion, hip abduction, toes up; degrees."""
        sign = 1.0 if side == "left" else -1.0
        self.bend(f"{side}_hip", x=-torch.as_tensor(flexion), z=sign * torch.as_tensor(out))
        self.bend(f"{side}_knee", x=knee)
        self.bend(f"{side}_ankle", x=-torch.as_tensor(ankle), z=-sign * torch.as_tensor(out) * 0.8)

    def standing_leg(self, side: str, aside: Tensor, shorter: Tensor) -> None:
        """A flat foot straight below the hip, but ``aside`` to its side, with the leg ``shorter``; metres."""
        hip, knee, ankle = (REST[JOINT_NAMES.index(f"{side}_{part}")] for part in ("hip", "knee", "ankle"))
        sign = 1.0 if side == "left" else -1.0
        thigh, shank = knee - hip, ankle - knee
        first, second = math.hypot(*thigh[1:].tolist()), math.hypot(*shank[1:].tolist())
        # Seen from the side: the law of cosines, and the angles of the bones at rest.
        length = first + second - shorter
        bent = torch.acos((length**2 - first**2 - second**2) / (2 * first * second))
        knee_turn = bent + math.atan2(shank[2], -shank[1]) - math.atan2(thigh[2], -thigh[1])
        along = _turned_about_x(shank, knee_turn) + thigh
        hip_turn = -torch.atan2(along[:, 2], -along[:, 1])
        # Seen from the front, the leg has an additional small offset to the side.
        own = float(sign * (thigh[0] + shank[0]))
        out = torch.asin((aside + own) / torch.hypot(length, torch.tensor(own))) - torch.atan2(
            torch.tensor(own), length
        )
        hip_bend, knee_bend, out = (torch.rad2deg(angle) for angle in (hip_turn, knee_turn, out))
        self.bend(f"{side}_hip", x=-hip_bend)
        self.bend(f"{side}_hip", z=sign * out)
        self.bend(f"{side}_knee", x=knee_bend)
        self.bend(f"{side}_ankle", x=hip_bend - knee_bend, z=-sign * out)

    def arm(self, side: str, raise_forward=0.0, raise_side=0.0, elbow=0.0, twist=0.0) -> None:
        """Shoulder flexion, shoulder abduction, elbow flexion, twist of the upper arm; degrees."""
        sign = 1.0 if side == "left" else -1.0
        shoulder = JOINT_NAMES.index(f"{side}_shoulder")
        twisted = torch.zeros(len(self.seconds), 3, dtype=torch.float64)
        twisted[:, 0] = torch.as_tensor(twist, dtype=torch.float64) * (math.pi / 180)
        self.local[:, shoulder] = self.local[:, shoulder] @ rotvec_to_matrix(twisted)
        self.bend(f"{side}_shoulder", z=sign * torch.as_tensor(raise_side))
        self.bend(f"{side}_shoulder", x=-torch.as_tensor(raise_forward))
        self.bend(f"{side}_elbow", y=-sign * torch.as_tensor(elbow))

    def spine(self, x=0.0, y=0.0, z=0.0) -> None:
        """Lean forward, turn left, lean right, spread over three joints; degrees."""
        for joint in ("spine1", "spine2", "spine3"):
            self.bend(joint, x=torch.as_tensor(x) / 3, y=torch.as_tensor(y) / 3, z=torch.as_tensor(z) / 3)


def _walk(s: Sketch, stride: float = 27.0, hertz: float = 0.95) -> None:
    for side, phase in (("left", 0.0), ("right", 0.5)):
        swing = s.wave(hertz, phase)
        s.leg(
            side,
            flexion=8 + stride * swing,
            knee=10 + 45 * s.wave(hertz, phase + 0.22).clamp(min=0) ** 1.5,
            ankle=4 * swing,
        )
        s.arm(side, raise_forward=-swing * stride * 0.9, elbow=10 + 10 * (1 - swing))
    s.spine(x=4, y=6 * s.wave(hertz))


def _fast_walk(s: Sketch) -> None:
    _walk(s, stride=34, hertz=1.2)


def _run_in_place(s: Sketch) -> None:
    for side, phase in (("left", 0.0), ("right", 0.5)):
        up = s.wave(1.4, phase).clamp(min=0)
        s.leg(side, flexion=5 + 62 * up, knee=12 + 85 * up, ankle=-12 * up)
        s.arm(side, raise_forward=-38 * s.wave(1.4, phase), elbow=75)
    s.spine(x=7)
    s.lift = s.lift + 0.05 * s.wave(2.8, 0.1).clamp(min=0)


def _jumping_jack(s: Sketch, hertz: float = 0.9, height: float = 0.07) -> None:
    """Feet open and close in the air only. Between two jumps they stand, and the knees give way."""
    halves = 2 * hertz * s.seconds
    number, part = halves.floor(), halves - halves.floor()
    air = (2 * part - 0.5).clamp(0, 1)
    moved = air**2 * (3 - 2 * air)
    apart = torch.where(number % 2 == 0, moved, 1 - moved)
    # The body leaves the floor as fast as the legs stretch.
    dip = 4 * height / math.pi * torch.cos(math.pi * 2 * (part - part.round())).clamp(min=0) * (air * (1 - air) == 0)
    for side in ("left", "right"):
        s.standing_leg(side, aside=0.02 + 0.28 * apart, shorter=0.01 + dip)
        s.arm(side, raise_side=125 * s.pulse(hertz), elbow=8)
    s.lift, s.is_exact = s.lift + 4 * height * air * (1 - air), True


def _squat(s: Sketch, depth: float = 100.0) -> None:
    down = s.pulse(0.5)
    for side in ("left", "right"):
        s.leg(side, flexion=depth * 0.95 * down, knee=depth * down, out=10 + 8 * down, ankle=22 * down)
        s.arm(side, raise_forward=80 * down, elbow=5)
    s.spine(x=14 * down)
    s.bend("pelvis", x=26 * down)


def _half_squat(s: Sketch) -> None:
    _squat(s, depth=60)


def _lunge(s: Sketch) -> None:
    left, right = s.pulse(0.5), torch.zeros_like(s.seconds)
    s.leg("left", flexion=72 * left, knee=80 * left, ankle=4 * left)
    s.leg("right", flexion=right - 18 * left, knee=55 * left, ankle=-25 * left)
    for side in ("left", "right"):
        s.arm(side, raise_side=22 * left, elbow=55 * left)
    s.spine(x=6 * left)


def _kick(s: Sketch) -> None:
    up = s.pulse(0.75) ** 2
    s.leg("right", flexion=78 * up, knee=35 * s.pulse(0.75, 0.2) * (1 - up), ankle=-20 * up)
    s.leg("left", knee=10 * up, flexion=5 * up)
    s.arm("left", raise_forward=50 * up, elbow=25)
    s.arm("right", raise_forward=-30 * up, raise_side=15 * up, elbow=25)
    s.spine(x=-8 * up, y=12 * up)


def _turn(s: Sketch) -> None:
    s.bend("pelvis", y=360 * (s.seconds / s.seconds[-1]))
    for side, phase in (("left", 0.0), ("right", 0.5)):
        up = s.wave(1.25, phase).clamp(min=0)
        s.leg(side, flexion=4 + 24 * up, knee=6 + 42 * up, out=4)
        s.arm(side, raise_forward=12 * s.wave(1.25, phase), raise_side=14, elbow=22)


def _wave_hand(s: Sketch) -> None:
    up = (s.seconds / 0.8).clamp(max=1) ** 2 * (3 - 2 * (s.seconds / 0.8).clamp(max=1))
    s.arm("right", raise_side=85 * up, elbow=(60 + 28 * s.wave(1.4)) * up, twist=-80 * up)
    s.arm("left", raise_forward=5 * s.wave(0.4))
    s.spine(z=4 * s.wave(0.5))


def _boxing(s: Sketch) -> None:
    for side, phase in (("left", 0.0), ("right", 0.5)):
        hit = s.wave(1.0, phase).clamp(min=0) ** 2
        s.arm(side, raise_forward=42 + 43 * hit, elbow=98 - 92 * hit, twist=-15 * (1 - hit))
        s.leg(side, flexion=16, knee=24 + 5 * s.wave(1.0, phase), out=7, ankle=8)
    s.spine(x=10, y=-20 * s.wave(1.0))


def _bow(s: Sketch) -> None:
    down = s.pulse(0.4)
    s.bend("pelvis", x=42 * down)
    s.spine(x=32 * down)
    for side in ("left", "right"):
        s.leg(side, flexion=42 * down, knee=6 * down)
        s.arm(side, raise_forward=35 * down, elbow=8)
    s.bend("neck", x=12 * down)


def _side_step(s: Sketch) -> None:
    for side, phase in (("left", 0.0), ("right", 0.5)):
        up = s.wave(0.9, phase).clamp(min=0)
        s.leg(side, out=6 + 17 * up, flexion=5 + 14 * up, knee=8 + 32 * up)
        s.arm(side, raise_side=20 + 20 * s.wave(0.9, 0.1), elbow=25)


def _arm_circles(s: Sketch) -> None:
    for side, phase in (("left", 0.0), ("right", 0.07)):
        s.arm(side, raise_side=62 + 40 * s.wave(0.7, phase), raise_forward=32 * s.wave(0.7, phase + 0.25), elbow=14)
        s.leg(side, out=6)
    s.spine(y=8 * s.wave(0.35))


def _dance(s: Sketch) -> None:
    s.spine(y=16 * s.wave(0.8), z=10 * s.wave(1.6, 0.2), x=4)
    s.bend("pelvis", y=14 * s.wave(0.8, 0.5), z=5 * s.wave(1.6))
    for side, phase in (("left", 0.0), ("right", 0.5)):
        s.arm(
            side,
            raise_forward=30 + 28 * s.wave(0.8, phase),
            raise_side=34 + 20 * s.wave(1.6, phase),
            elbow=70 + 28 * s.wave(1.6, phase + 0.3),
        )
        s.leg(side, flexion=14 + 14 * s.wave(0.8, phase), knee=24 + 20 * s.wave(0.8, phase), out=8, ankle=6)
    s.bend("head", x=6 * s.wave(1.6), y=10 * s.wave(0.8))


def _throw(s: Sketch) -> None:
    back, forward = s.wave(0.6).clamp(min=0), s.wave(0.6, 0.5).clamp(min=0)
    s.arm("right", raise_forward=75 * back + 60 * forward, raise_side=50 * back, elbow=70 * back + 8, twist=-60 * back)
    s.arm("left", raise_forward=50 * back, elbow=20)
    s.spine(y=-26 * back + 24 * forward, x=12 * forward)
    s.leg("left", flexion=26 * forward + 10 * back, knee=28 * forward + 8, ankle=4)
    s.leg("right", flexion=-12 * forward + 4, knee=14 + 12 * forward)


def _high_knees(s: Sketch) -> None:
    for side, phase in (("left", 0.0), ("right", 0.5)):
        up = s.wave(0.9, phase).clamp(min=0)
        s.leg(side, flexion=88 * up, knee=95 * up, ankle=-8 * up)
        s.arm(side, raise_forward=-32 * s.wave(0.9, phase), elbow=60)


MOTIONS: dict[str, Callable[[Sketch], None]] = {
    "walk": _walk,
    "fast_walk": _fast_walk,
    "run_in_place": _run_in_place,
    "jumping_jack": _jumping_jack,
    "squat": _squat,
    "half_squat": _half_squat,
    "lunge": _lunge,
    "kick": _kick,
    "turn": _turn,
    "wave_hand": _wave_hand,
    "boxing": _boxing,
    "bow": _bow,
    "side_step": _side_step,
    "arm_circles": _arm_circles,
    "dance": _dance,
    "throw": _throw,
    "high_knees": _high_knees,
}


def make_motion(name: str, frames: int, heading_degrees: float = 0.0, fps: float = FPS) -> BodyMotion:
    """One of MOTIONS, from its start.

    Args:
        heading_degrees: 0 faces +z (a camera in front), 90 faces +x, 180 shows the back.
    """
    sketch = Sketch(frames, fps)
    MOTIONS[name](sketch)
    sketch.bend("pelvis", y=heading_degrees)
    root, body = sketch.local[:, 0], sketch.local[:, 1:]
    return BodyMotion(name, root, body, _stand_on_floor(root, body, sketch.lift, sketch.is_exact))


def _stand_on_floor(root: Tensor, body: Tensor, lift: Tensor, is_exact: bool) -> Tensor:
    """The translation that puts the lowest toe or ankle on the floor and keeps weight-bearing points from sliding."""
    still = forward_kinematics(root, body, torch.zeros_like(root[:, 0]))
    contacts = sole_points(still)
    height = contacts[..., 1]
    weight = torch.softmax(-height / 0.012, dim=-1)
    step = contacts[1:] - contacts[:-1]
    carrying = 0.5 * (weight[1:] + weight[:-1])
    slide = torch.cat((torch.zeros_like(step[:1, 0]), (step * carrying[..., None]).sum(1)))
    lowest = height.amin(-1)[:, None]
    slide, lowest = (slide, lowest) if is_exact else (_smooth(slide), _smooth(lowest))
    transl = -slide.cumsum(0)
    transl[:, 1] = lift - lowest[:, 0]
    centre = transl[:, [0, 2]].mean(0) + pelvis_at_rest(transl)[[0, 2]]
    transl[:, [0, 2]] -= centre
    return transl


def _turned_about_x(vector: Tensor, angle: Tensor) -> Tensor:
    """(T, 3) a vector (3,) turned by (T,) radians."""
    x, y, z = vector.tolist()
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack((torch.full_like(angle, x), cosine * y - sine * z, sine * y + cosine * z), dim=-1)


def sole_points(pose) -> Tensor:
    """(T, 4, 3) below both heels and both balls of the feet."""
    ankles, toes = (
        [JOINT_NAMES.index(n) for n in ("left_ankle", "right_ankle")],
        [JOINT_NAMES.index(n) for n in ("left_foot", "right_foot")],
    )
    heel = torch.tensor([0.0, -0.075, -0.04], dtype=torch.float64)
    ball = torch.tensor([0.0, -SOLE_BELOW_TOE_JOINT, 0.0], dtype=torch.float64)
    heels = pose.positions[:, ankles] + (pose.rotations[:, ankles] @ heel)
    balls = pose.positions[:, toes] + (pose.rotations[:, toes] @ ball)
    return torch.cat((heels, balls), dim=1)


def _smooth(values: Tensor, radius: int = 2) -> Tensor:
    """A short binomial filter over time, edges repeated."""
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=values.dtype) / 16
    padded = torch.cat((values[:1].expand(radius, -1), values, values[-1:].expand(radius, -1)))
    return (padded.unfold(0, 2 * radius + 1, 1) * kernel).sum(-1)
