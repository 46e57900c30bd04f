"""Movements of the feet whose contacts are known: walks, a run, jumps, a turn, kicks; and those of the samples.

World frame of the figures: y up, floor at y = 0. A foot is in contact while its heel or its ball stands on the floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.foot_contact import FEET, heels
from motion_rep.kinematics.parameters import BodyParameters
from scripts.dev.samples.figure import Direction, Figure, Leg, about_y, pose
from scripts.dev.samples.motions import (
    FPS,
    FRAMES,
    STANDING,
    arm_raise,
    bump,
    circle_walk,
    hanging,
    jumping_jack,
    smooth,
    squat,
    stack,
    tilt,
    wave,
    zeros,
)

# Metres: a foot this near to its standing position has not left it, or has reached it.
LEFT = 0.01
Z_UP_FROM_FIGURE = ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True)
class Steps:
    """A body in the canonical axes (z up), and when its left and right foot are in contact, (T, 2) bool."""

    parameters: BodyParameters
    contacts: Tensor


@dataclass(frozen=True)
class Gait:
    """A walk or a run straight ahead.

    stride: seconds; length: metres per stride; stance: share of the stride that a foot is on the floor.
    clearance: metres by which the ball rises in the middle of the swing; flight: metres that the pelvis rises then.
    """

    stride: float
    length: float
    stance: float
    clearance: float
    flight: float = 0.0


GAITS = {
    "walk_slow": Gait(1.4, 1.0, 0.64, 0.045),
    "walk": Gait(1.1, 1.35, 0.60, 0.04),
    "walk_fast": Gait(0.9, 1.65, 0.56, 0.025),
    "run": Gait(0.70, 1.9, 0.36, 0.14, 0.05),
}


def gait(kind: Gait) -> tuple[Figure, Tensor]:
    """Steps straight ahead; the right foot is half a stride later."""
    phase = torch.arange(FRAMES, dtype=torch.float64) / (FPS * kind.stride)
    legs, contacts = {}, []
    for side, offset, sign in (("left", 0.0, 1.0), ("right", 0.5, -1.0)):
        leg, contact = _stepping_leg(phase - offset, offset, sign, kind)
        legs[side] = leg
        contacts.append(contact)
    hop = torch.sin(2 * math.pi * (phase - kind.stance / 2 - 0.25) * 2) if kind.flight else zeros()
    height = STANDING - 0.05 + kind.flight * hop - 0.012 * torch.cos(4 * math.pi * phase) * (kind.flight == 0)
    pelvis = stack(zeros(), height, kind.length * phase)
    return _posed(pelvis, 0.06 + zeros(), zeros(), legs), torch.stack(contacts, 1)


def _stepping_leg(phase: Tensor, offset: float, sign: float, kind: Gait) -> tuple[Leg, Tensor]:
    stride, part = phase.floor(), phase - phase.floor()
    stance = kind.stance
    travelled = smooth(part, stance, 1.0)
    ahead = (stride + offset + stance / 2 + travelled) * kind.length
    swing = torch.sin(math.pi * ((part - stance) / (1 - stance)).clamp(0, 1))
    heel_up = 0.8 * smooth(part, 0.6 * stance, stance + 0.03) * (1 - smooth(part, stance + 0.02, 0.86))
    toes_up = 0.28 * (1 - smooth(part, 0.0, 0.15 * stance)) * (part < stance) + 0.28 * smooth(part, 0.78, 1.0)
    ball = stack(sign * 0.09 + zeros(), kind.clearance * swing + 0.17 * torch.sin(toes_up), ahead)
    return Leg(ball, sign * 0.1 + zeros(), heel_up - toes_up, sign * 0.04 + zeros()), part < stance


def jumps() -> tuple[Figure, Tensor]:
    """Two jumps forward from both feet, in free fall while in the air."""
    frame = torch.arange(FRAMES, dtype=torch.float64)
    crouch, lift, ahead, air = zeros(), zeros(), zeros(), zeros().bool()
    duration = 0.5
    for start in (22.0, 58.0):
        part = ((frame - start) / (duration * FPS)).clamp(0, 1)
        air = air | ((part > 0) & (part < 1))
        lift = lift + 9.81 / 2 * (duration * part) * (duration - duration * part)
        ahead = ahead + 0.5 * part
        crouch = crouch + bump(frame, start - 9, 6, 0, 3) + bump(frame, start + 8, 3, 0, 8)
    legs = {
        side: Leg(
            stack(sign * 0.13 + zeros(), lift, 0.05 + ahead), sign * 0.15 + zeros(), zeros(), sign * 0.1 + zeros()
        )
        for side, sign in (("left", 1.0), ("right", -1.0))
    }
    pelvis = stack(zeros(), STANDING - 0.02 - 0.22 * crouch + lift, ahead - 0.06 * crouch)
    return _posed(pelvis, 0.04 + 0.35 * crouch, zeros(), legs), ~torch.stack((air, air), 1)


def turn() -> tuple[Figure, Tensor]:
    """Once around on the spot in small steps."""
    phase = torch.arange(FRAMES, dtype=torch.float64) / (FPS * 1.2)
    per_stride, stance = 2 * math.pi / 4, 0.66
    legs, contacts = {}, []
    for side, offset, sign in (("left", 0.0, 1.0), ("right", 0.5, -1.0)):
        part, stride = (phase - offset) % 1.0, (phase - offset).floor()
        angle = (stride + offset + stance / 2 + smooth(part, stance, 1.0)) * per_stride
        swing = torch.sin(math.pi * ((part - stance) / (1 - stance)).clamp(0, 1))
        ball = stack(
            sign * 0.12 * angle.cos() + 0.05 * angle.sin(),
            0.05 * swing**2,
            -sign * 0.12 * angle.sin() + 0.05 * angle.cos(),
        )
        legs[side] = Leg(ball, angle + sign * 0.1, 0.25 * swing, angle + sign * 0.05)
        contacts.append(part < stance)
    pelvis = stack(zeros(), STANDING - 0.02 + zeros(), zeros())
    return _posed(pelvis, 0.03 + zeros(), phase * per_stride, legs), torch.stack(contacts, 1)


def kick() -> tuple[Figure, Tensor]:
    """Two kicks of the right leg; the left foot stands."""
    frame = torch.arange(FRAMES, dtype=torch.float64)
    up = bump(frame, 10, 7, 1, 8) + bump(frame, 45, 7, 1, 8)
    legs = {
        "left": Leg(stack(0.08 + zeros(), zeros(), 0.05 + zeros()), 0.2 + zeros(), zeros(), 0.1 + zeros()),
        "right": Leg(stack(-0.12 + zeros(), 0.75 * up**1.5, 0.05 + 0.65 * up), -0.1 + zeros(), -0.6 * up, zeros()),
    }
    pelvis = stack(0.05 * smooth(frame, 0, 8), STANDING - 0.02 + zeros(), -0.05 * up)
    return _posed(pelvis, 0.02 - 0.15 * up, zeros(), legs), torch.stack((frame > -1, up == 0), 1)


def _posed(pelvis: Tensor, lean: Tensor, heading: Tensor, legs: dict[str, Leg]) -> Figure:
    arm = hanging(zeros(), zeros())
    spine = stack(0.02 + zeros(), zeros(), zeros())
    root = about_y(heading) @ tilt(lean, zeros(), zeros())
    return pose(Direction(pelvis, root, spine, spine, legs, {"left": arm, "right": arm}))


def _walk_of_the_samples() -> tuple[Figure, Tensor]:
    part = torch.arange(FRAMES, dtype=torch.float64) / 20.0
    return circle_walk(3), torch.stack((part % 1.0 < 0.58, (part - 0.5) % 1.0 < 0.58), 1)


def _jack_of_the_samples() -> tuple[Figure, Tensor]:
    figure = jumping_jack(1)
    air = figure.joints()[:, (10, 11), 1] > 0.004
    return figure, ~air


def _standing(figure: Figure) -> tuple[Figure, Tensor]:
    return figure, torch.ones(FRAMES, 2, dtype=torch.bool)


MAKERS: dict[str, Callable[[], tuple[Figure, Tensor]]] = {
    **{name: (lambda kind=kind: gait(kind)) for name, kind in GAITS.items()},
    "jumps": jumps,
    "turn": turn,
    "kick": kick,
    "sample_walk": _walk_of_the_samples,
    "sample_jack": _jack_of_the_samples,
    "sample_squat": lambda: _standing(squat(2)),
    "sample_wave": lambda: _standing(wave(4)),
    "sample_arm_raise": lambda: _standing(arm_raise(5)),
}


def make_steps(name: str) -> Steps:
    """One of MAKERS."""
    figure, contacts = MAKERS[name]()
    body = BodyParameters(figure.root, figure.body, figure.transl)
    body = body.turned(torch.tensor(Z_UP_FROM_FIGURE, dtype=torch.float64))
    return Steps(body, _with_places_reached(contacts, body.joints()))


def _with_places_reached(contacts: Tensor, joints: Tensor) -> Tensor:
    """Add the frames next to a contact in which the toe or the heel is within LEFT of its standing position."""
    places = joints.numpy()
    points = np.stack((places[:, FEET], heels(places)))
    near = torch.from_numpy((np.linalg.norm(np.diff(points, axis=1), axis=-1) < LEFT).any(axis=0))
    reached = contacts.clone()
    reached[1:] |= contacts[:-1] & near
    reached[:-1] |= contacts[1:] & near
    return reached
