"""The sample movements: smooth curves over time, standing feet that do not slide, a body that is never quite still."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motion_rep.kinematics.rotations import rotvec_to_matrix
from scripts.dev.samples.figure import Arm, Direction, Figure, Leg, about_y, pose

FPS = 16
FRAMES = 81
# Height of the pelvis above the balls of the feet when standing at ease.
STANDING = 0.935
FOOT_WIDTH = 0.13
# A jumping jack has two halves: out and in.
JACK_HALVES = 4


@dataclass(frozen=True)
class Sway:
    """Slow drifts that make a standing person look alive; the same for the same seed."""

    seed: int

    def __call__(self, channel: int, size: float) -> Tensor:
        """(T,) a sum of slow waves of about this size."""
        random = torch.Generator().manual_seed(1000 * self.seed + channel)
        rates = 0.15 + 0.55 * torch.rand(3, generator=random, dtype=torch.float64)
        phases = 2 * math.pi * torch.rand(3, generator=random, dtype=torch.float64)
        return size * torch.sin(2 * math.pi * rates[:, None] * seconds() + phases[:, None]).mean(0)


def seconds() -> Tensor:
    """(T,) times of the frames."""
    return torch.arange(FRAMES, dtype=torch.float64) / FPS


def jumping_jack(seed: int) -> Figure:
    """Two jumping jacks between two moments of standing."""
    sway, period = Sway(seed), 31
    count = (torch.arange(FRAMES, dtype=torch.float64) - 10) / (period / 2)
    half = count.clamp(0, JACK_HALVES)
    part, opening = half % 1.0, (half.floor() % 2 == 0).double()
    going = smooth(part, 0.22, 0.74)
    spread = torch.where(opening > 0, going, 1 - going)
    spread = torch.where(half >= JACK_HALVES, 0.0, spread)
    moving = smooth(half, 0.0, 0.25) * (1 - smooth(half, JACK_HALVES - 0.15, JACK_HALVES))
    hop = torch.sin(math.pi * ((part - 0.22) / 0.52).clamp(0, 1)) ** 2 * moving
    # The knees straighten only after the last landing, when arms and feet have come to rest.
    crouch = dips(count, width=0.30, settling=0.42)
    pelvis = stack(
        sway(1, 0.006), STANDING - 0.065 * spread - 0.075 * crouch + 0.075 * hop, sway(2, 0.008) - 0.03 * crouch
    )
    arm_part = smooth(part, 0.05, 0.95)
    raised = torch.where(half >= JACK_HALVES, 0.0, torch.where(opening > 0, arm_part, 1 - arm_part))
    legs = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ball = stack(sign * (FOOT_WIDTH + 0.25 * spread), 0.085 * hop, 0.05 + zeros())
        legs[side] = Leg(ball, sign * (0.15 + 0.12 * spread), 0.45 * hop + 0.10 * crouch, sign * (0.12 + 0.25 * spread))
    angle = -1.28 + 2.55 * raised
    arm = Arm(
        upper=stack(angle.cos(), angle.sin(), 0.10 + 0.08 * torch.sin(math.pi * raised)),
        fore=stack((angle + 0.18 * raised + 0.02).cos(), (angle + 0.18 * raised + 0.02).sin(), 0.26 - 0.10 * raised),
        shrug=0.05 + 0.42 * smooth(raised, 0.2, 1.0),
        twist=0.9 * raised,
        hand=stack(zeros(), zeros(), 0.10 * torch.sin(2 * math.pi * half / 2)),
    )
    lean = 0.04 + 0.16 * crouch
    return pose(
        Direction(
            pelvis=pelvis,
            root=tilt(lean, sway(3, 0.02), sway(4, 0.01)),
            spine=stack(0.05 * crouch + breath(0.012), sway(5, 0.02), sway(6, 0.012)),
            neck=stack(-0.6 * lean + sway(7, 0.03), sway(8, 0.06), zeros()),
            legs=legs,
            arms={"left": arm, "right": arm},
        )
    )


def squat(seed: int) -> Figure:
    """Two deep squats with the arms reaching ahead."""
    sway, frame = Sway(seed), torch.arange(FRAMES, dtype=torch.float64)
    depth = sum(bump(frame, start, 15, 4, 15) for start in (5, 43))
    knees_out, toes_out = 0.38, 0.30
    legs = {
        side: Leg(
            stack(sign * 0.23 + zeros(), zeros(), 0.05 + zeros()),
            sign * toes_out + zeros(),
            zeros(),
            sign * knees_out + zeros(),
        )
        for side, sign in (("left", 1.0), ("right", -1.0))
    }
    pelvis = stack(sway(1, 0.010), STANDING - 0.016 - 0.45 * depth, 0.01 - 0.235 * depth + sway(2, 0.008))
    lean = 0.03 + 0.58 * depth
    reach = -1.27 + 1.66 * depth
    arm = Arm(
        upper=stack(0.30 - 0.12 * depth, reach.sin(), 0.05 + reach.cos() * depth + lean * 0.05),
        fore=stack(0.10 - 0.22 * depth, (reach + 0.10).sin(), 0.22 + (reach + 0.10).cos() * depth),
        shrug=0.03 + 0.06 * depth,
        twist=0.15 + zeros(),
        hand=stack(zeros(), zeros(), -0.05 + zeros()),
    )
    # Reaching level with the floor, for any pose of the chest.
    lift = rotvec_to_matrix(stack(1.05 * lean * depth, zeros(), zeros()))
    arm = replace(arm, upper=turned(lift.mT, arm.upper), fore=turned(lift.mT, arm.fore))
    return pose(
        Direction(
            pelvis=pelvis,
            root=tilt(lean, sway(3, 0.02), sway(4, 0.012)),
            spine=stack(0.10 * depth + breath(0.015), sway(5, 0.02), sway(6, 0.012)),
            neck=stack(-0.72 * lean + sway(7, 0.03), sway(8, 0.05), zeros()),
            legs=legs,
            arms={"left": arm, "right": arm},
        )
    )


def circle_walk(seed: int) -> Figure:
    """Once around a circle of 0.75 m radius, counter-clockwise seen from above, four strides."""
    sway, radius, stride = Sway(seed), 0.75, 20.0
    phase = torch.arange(FRAMES, dtype=torch.float64) / stride
    turn_per_stride = 2 * math.pi / 4
    legs = {
        side: _walking_leg(phase - offset, offset, sign, radius, turn_per_stride)
        for side, offset, sign in (("left", 0.0, 1.0), ("right", 0.5, -1.0))
    }
    along = phase * turn_per_stride
    wave, double = 2 * math.pi * phase, 4 * math.pi * phase
    # Middle of the left stance is at a phase of 0.29, of the right at 0.79.
    over_left = torch.cos(wave - 2 * math.pi * 0.29)
    inward = radius - 0.022 * over_left + 0.02
    height = STANDING - 0.032 - 0.016 * torch.cos(double - 4 * math.pi * 0.06)
    pelvis = on_circle(inward, along, height)
    swing = torch.cos(wave - 2 * math.pi * 0.02)
    root = about_y(along) @ tilt(0.06 + zeros(), -0.09 * swing + sway(1, 0.02), -0.05 + 0.045 * over_left)
    arms = {side: _walking_arm(sign * swing) for side, sign in (("left", 1.0), ("right", -1.0))}
    return pose(
        Direction(
            pelvis=pelvis,
            root=root,
            spine=stack(0.03 + breath(0.01), 0.20 * swing + 0.10, -0.035 * over_left),
            neck=stack(-0.05 + sway(3, 0.03), -0.06 * swing + 0.12 + sway(4, 0.06), zeros()),
            legs=legs,
            arms=arms,
        )
    )


def wave(seed: int, side: str = "right") -> Figure:
    """Shift the weight, raise one hand, wave it four times, lower it again."""
    sway, frame = Sway(seed), torch.arange(FRAMES, dtype=torch.float64)
    up = bump(frame, 6, 13, 38, 15)
    sign = -1.0 if side == "right" else 1.0
    away = up * -sign
    active = bump(frame, 15, 8, 28, 8)
    swing = torch.sin(2 * math.pi * (frame - 17) / 11.0) * active
    legs = {
        name: Leg(
            stack(s * 0.155 + zeros(), zeros(), 0.05 - 0.04 * s + zeros()),
            s * 0.24 + zeros(),
            zeros(),
            s * 0.15 + zeros(),
        )
        for name, s in (("left", 1.0), ("right", -1.0))
    }
    pelvis = stack(0.038 * away + sway(1, 0.015), STANDING - 0.012 - 0.004 * up + sway(2, 0.003), sway(3, 0.014))
    raised = -1.30 + 1.42 * up
    fore_angle = -1.22 + 2.72 * up - 0.36 * swing
    waving = Arm(
        upper=stack(raised.cos(), raised.sin(), 0.08 + 0.22 * up),
        fore=stack(fore_angle.cos(), fore_angle.sin(), 0.20 + 0.10 * up),
        shrug=0.03 + 0.16 * up,
        twist=1.15 * up,
        hand=stack(zeros(), zeros(), -0.20 * torch.sin(2 * math.pi * (frame - 18.5) / 11.0) * active),
    )
    resting = hanging(sway(9, 0.05), 0.02 * up)
    other = "left" if side == "right" else "right"
    return pose(
        Direction(
            pelvis=pelvis,
            root=tilt(0.02 + sway(4, 0.01), 0.05 * away + sway(5, 0.04), -0.035 * away),
            spine=stack(breath(0.02), -0.06 * away + sway(6, 0.04), 0.075 * away + 0.02 * swing),
            neck=stack(-0.02 + sway(7, 0.05), sway(8, 0.10), 0.10 * away + 0.02 * swing),
            legs=legs,
            arms={side: waving, other: resting},
        )
    )


def arm_raise(seed: int) -> Figure:
    """Raise both arms at the sides until they are overhead, and lower them again, twice."""
    sway, frame = Sway(seed), torch.arange(FRAMES, dtype=torch.float64)
    up = sum(bump(frame, start, 15, 3, 15) for start in (4, 42))
    legs = {
        name: Leg(stack(s * 0.16 + zeros(), zeros(), 0.05 + zeros()), s * 0.2 + zeros(), zeros(), s * 0.15 + zeros())
        for name, s in (("left", 1.0), ("right", -1.0))
    }
    angle = -1.28 + 2.60 * up
    arm = Arm(
        upper=stack(angle.cos(), angle.sin(), 0.10 + zeros()),
        fore=stack((angle + 0.10).cos(), (angle + 0.10).sin(), 0.20 - 0.05 * up),
        shrug=0.04 + 0.45 * smooth(up, 0.2, 1.0),
        twist=0.7 * up,
        hand=torch.zeros(FRAMES, 3, dtype=torch.float64),
    )
    return pose(
        Direction(
            pelvis=stack(sway(1, 0.014), STANDING - 0.014 + 0.004 * up, sway(2, 0.012)),
            root=tilt(0.02 - 0.03 * up, sway(3, 0.03), sway(4, 0.014)),
            spine=stack(-0.06 * up + breath(0.02), sway(5, 0.03), sway(6, 0.02)),
            neck=stack(-0.14 * up + sway(7, 0.03), sway(8, 0.06), zeros()),
            legs=legs,
            arms={"left": arm, "right": arm},
        )
    )


def with_jitter(figure: Figure, seed: int, degrees: float = 1.3, metres: float = 0.006) -> Figure:
    """The tremble of a capture that processes each frame alone: noise on every joint angle and on the position."""
    random = torch.Generator().manual_seed(seed)
    angles = math.radians(degrees) * torch.randn(FRAMES, 22, 3, generator=random, dtype=torch.float64)
    shift = (
        metres
        * torch.randn(FRAMES, 3, generator=random, dtype=torch.float64)
        * torch.tensor([0.5, 0.5, 2.0], dtype=torch.float64)
    )
    noise = rotvec_to_matrix(angles)
    return Figure(figure.root @ noise[:, 0], figure.body @ noise[:, 1:], figure.transl + shift)


def _walking_leg(phase: Tensor, offset: float, sign: float, radius: float, turn: float) -> Leg:
    """One leg of a walk on a circle; a stride begins with the heel's touch at a whole phase."""
    stance = 0.58
    stride, part = phase.floor(), phase - phase.floor()
    travelled = smooth(part, stance, 1.0)
    # A planted foot stands where the body is in the middle of its stance.
    angle = (stride + offset + stance / 2 + travelled) * turn
    swing = torch.sin(math.pi * ((part - stance) / (1 - stance)).clamp(0, 1))
    heel_up = 0.95 * smooth(part, 0.36, stance + 0.03) * (1 - smooth(part, stance + 0.02, 0.86))
    toes_up = 0.30 * (1 - smooth(part, 0.0, 0.10)) * (part < stance) + 0.30 * smooth(part, 0.78, 1.0)
    ball = on_circle(radius - sign * 0.105, angle, 0.045 * swing**2 + 0.20 * torch.sin(toes_up))
    return Leg(ball, angle + sign * 0.10, heel_up - toes_up, angle + sign * 0.04)


def _walking_arm(swing: Tensor) -> Arm:
    """An arm that swings back (swing 1) and ahead (-1); the elbow bends more in front."""
    angle = -0.05 - 0.42 * swing
    bend = 0.30 - 0.16 * swing
    return Arm(
        upper=stack(0.17 + zeros(), -angle.cos(), angle.sin()),
        fore=stack(0.06 + zeros(), -(angle + bend).cos(), (angle + bend).sin()),
        shrug=0.02 + zeros(),
        twist=-0.15 + zeros(),
        hand=torch.zeros(FRAMES, 3, dtype=torch.float64),
    )


def hanging(drift: Tensor, shrug: Tensor) -> Arm:
    """An arm at rest."""
    return Arm(
        upper=stack(0.24 + 0.3 * drift, -1.0 + zeros(), 0.02 + drift),
        fore=stack(0.13 + 0.3 * drift, -1.0 + zeros(), 0.20 + 1.5 * drift),
        shrug=shrug,
        twist=-0.1 + zeros(),
        hand=torch.zeros(FRAMES, 3, dtype=torch.float64),
    )


def smooth(value: Tensor, start: float, end: float) -> Tensor:
    """0 before start, 1 after end, and the path of minimum jerk in between."""
    x = ((value - start) / (end - start)).clamp(0, 1)
    return x**3 * (10 - 15 * x + 6 * x * x)


def bump(frame: Tensor, start: float, rise: float, hold: float, fall: float) -> Tensor:
    """0, up to 1, hold, and back to 0; in frames."""
    return smooth(frame, start, start + rise) - smooth(frame, start + rise + hold, start + rise + hold + fall)


def dips(half: Tensor, width: float, settling: float) -> Tensor:
    """1 at every whole number of a count, 0 between: the knees before a jump and after it; they take longer after the
    last landing.
    """
    distance = (half - half.round().clamp(max=JACK_HALVES)).abs()
    reach = torch.where(half > JACK_HALVES, settling, width)
    return torch.cos(math.pi / 2 * (distance / reach).clamp(max=1)) ** 2 * smooth(half, 0.0, 0.4)


def breath(size: float) -> Tensor:
    """(T,) the chest rising and falling, slightly more than four seconds per breath."""
    return size * torch.sin(2 * math.pi * seconds() / 4.2)


def tilt(forward: Tensor, turn: Tensor, aside: Tensor) -> Tensor:
    """(T, 3, 3) of the pelvis: leaning forward, turned to the left, tipped so that the left hip rises; radians."""
    return rotvec_to_matrix(stack(zeros(), turn, zeros())) @ rotvec_to_matrix(stack(forward, zeros(), aside))


def on_circle(radius: Tensor | float, angle: Tensor, height: Tensor) -> Tensor:
    """(T, 3) on a circle about the origin; at angle 0 the walker stands at -x and faces +z, turning to the left."""
    return stack(radius * angle.cos() * -1.0, height, radius * angle.sin())


def turned(rotation: Tensor, vectors: Tensor) -> Tensor:
    """(T, 3) vectors turned by (T, 3, 3)."""
    return (rotation @ vectors[..., None]).squeeze(-1)


def stack(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """(T,) three times to (T, 3)."""
    return torch.stack((x, y, z), dim=-1)


def zeros() -> Tensor:
    return torch.zeros(FRAMES, dtype=torch.float64)


MOTIONS: dict[str, Callable[[], Figure]] = {
    "jumping_jack": lambda: jumping_jack(1),
    "squat": lambda: squat(2),
    "circle_walk": lambda: circle_walk(3),
    "wave": lambda: wave(4),
    "arm_raise_jittery": lambda: with_jitter(arm_raise(5), 5),
    "wave_cartwheel_text": lambda: wave(6, "left"),
}
