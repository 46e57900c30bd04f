"""Estimate which way is up from the balance of the body.

A tilted camera tilts the person, and the file does not record it. In calm frames, the centre of mass of a standing
person is above the support, so the line from the support to the centre of mass points up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.foot_contact import heels
from motion_rep.kinematics.frames import turn_between
from motion_rep.kinematics.vectors import lengths
from motion_rep.measures.in_seconds import ANKLES, TOES, calm_frames, central_steps, centre_of_mass, support
from motion_rep.refining.medians import middle

# Maximum number of rounds, and the cosine of the turn between two rounds that ends them: a hundredth of a degree.
ROUNDS, SETTLED = 4, 1 - 1.5e-8
# Degrees; limit for the median angle between the lines of single frames and their median. In synthetic walks with 5 to
# 7, the direction was wrong by 16 or more; in standing clips with less than 3, it was right to 1.4.
LARGEST_SPREAD = 3.0
# Degrees. A smaller tilt, or one below this factor times the spread, is within the error of the estimate and a person's
# usual lean; a tilt above the last value does not come from the camera, but from a person who does not stand.
LEAST_TILT, LEAST_TILT_PER_SPREAD, LARGEST_TILT = 2.0, 1.5, 35.0
# Minimum metres from the support to the centre of mass of a person who stands or squats; below, the person sits or
# lies.
LEAST_HEIGHT = 0.45
# m/s. A faster person travels, and the balance is that of steps, not of standing.
FASTEST_MASS = 0.25
FEWEST_FRAMES = 8
# Degrees. In real captures, the soles of standing people were within 2 of the ground that balance shows; more means
# that the heels are up, or that the person leans for another reason than the camera.
STEEPEST_SOLE = 4.0
# Both feet stand on one floor if they rest (m/s), are this far apart (metres), and their line is at most this steep
# (tangent).
RESTING, LEAST_STANCE, STEEPEST_STANCE = 0.2, 0.12, 0.15


@dataclass(frozen=True)
class Balance:
    """The direction from the support to the centre of mass.

    up: (3,) unit vector in the axes of the joints.
    spread: degrees, median angle of single frames to it.
    height: metres, median length.
    speed: m/s, median of the centre of mass in calm frames.
    slope: degrees between the sole of a resting foot and the ground that balance shows; of the steeper foot.
    """

    up: Tensor
    spread: float
    height: float
    speed: float
    slope: float

    @property
    def tilt(self) -> float:
        """Degrees from the z axis."""
        return math.degrees(math.acos(max(-1.0, min(1.0, float(self.up[2])))))

    @property
    def doubt(self) -> str | None:
        """Why this direction is not reliable as up; None if it is."""
        if self.height < LEAST_HEIGHT:
            return "the person does not stand"
        if self.speed > FASTEST_MASS:
            return "the person never stands still"
        if self.spread > LARGEST_SPREAD:
            return f"the body's balance wanders by {self.spread:.0f} degrees"
        if self.slope > STEEPEST_SOLE:
            return f"the soles are {self.slope:.0f} degrees off the ground that balance shows"
        if self.tilt > LARGEST_TILT:
            return f"the body leans by {self.tilt:.0f} degrees, more than a tilted camera explains"
        return None

    @property
    def is_level(self) -> bool:
        """Whether the tilt is within the error of the estimate."""
        return self.tilt < max(LEAST_TILT, LEAST_TILT_PER_SPREAD * self.spread)


def balance(joints: Tensor, fps: float) -> Balance | None:
    """The balance line of a clip; None if it has too few frames.

    Args:
        joints: (T, 22, 3) metres, z about up.
    """
    if len(joints) < FEWEST_FRAMES:
        return None
    places = joints.numpy()
    calm = calm_frames(places)
    mass = centre_of_mass(places)
    speed = float(middle(lengths(central_steps(mass))[calm])) * fps
    up = _unit(middle(mass - places[:, (*ANKLES, *TOES)].mean(axis=1)))
    calm_mass, calm_places = mass[calm], places[calm]
    for _ in range(ROUNDS):
        lines = calm_mass - support(calm_places, up)
        before, up = up, _unit(middle(lines))
        if before @ up > SETTLED:
            break
    heights = lengths(lines)
    angles = np.degrees(np.arccos((lines @ up / np.maximum(heights, 1e-9)).clip(-1, 1)))
    rest = _resting(places, fps) & calm[:, None]
    up = _agreed_with_feet(up, places[rest.all(axis=1)])
    slope = _slope_of_soles(up, places, rest)
    return Balance(torch.from_numpy(up), float(middle(angles)), float(middle(heights)), speed, slope)


def _resting(places: np.ndarray, fps: float) -> np.ndarray:
    """(T, 2) bool: whether the toes are at rest."""
    return lengths(central_steps(places[:, TOES])) * fps < RESTING


def _slope_of_soles(up: np.ndarray, places: np.ndarray, rest: np.ndarray) -> float:
    """Degrees between the sole of a resting foot and the ground, of the steeper foot; 0 where no foot rests."""
    soles = places[:, TOES] - heels(places)
    slopes = np.degrees(np.arcsin((soles @ up / lengths(soles)).clip(-1, 1)))
    return max((abs(float(middle(slopes[rest[:, k], k]))) for k in (0, 1) if rest[:, k].any()), default=0.0)


def _agreed_with_feet(up: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Up, corrected along the line between two standing feet.

    A person may put the weight on either foot, so balance is least reliable along this line. There, the feet show the
    tilt as well, because they stand on one floor. The smaller of the two tilts is used; none if they disagree.

    Args:
        places: (n, 22, 3) joints of the frames in which both feet rest.
    """
    if up[2] <= 0 or len(places) < FEWEST_FRAMES // 2:
        return up
    line = middle(places[:, TOES[1]] - places[:, TOES[0]])
    apart = float(np.hypot(*line[:2]))
    if apart < LEAST_STANCE or abs(line @ up) > STEEPEST_STANCE * apart:
        return up
    along = line[:2] / apart
    by_balance, by_feet = up[:2] @ along / up[2], -line[2] / apart
    agreed = min(by_balance, by_feet, key=abs) if by_balance * by_feet > 0 else 0.0
    return _unit(up / up[2] + (agreed - by_balance) * np.array((*along, 0.0)))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / lengths(vector)


def level_from(up: Tensor) -> Tensor:
    """(3, 3) the smallest turn that brings ``up`` (3,) to the z axis."""
    return turn_between(up, up.new_tensor((0.0, 0.0, 1.0)))


def up_of_tilted_camera(pitch: float, roll: float) -> Tensor:
    """(3,) up in the OpenCV axes of a tilted camera; both angles in degrees.

    Args:
        pitch: how far it looks down. roll: how far it is turned clockwise, seen from behind.
    """
    down, turned = math.radians(pitch), math.radians(roll)
    return torch.tensor(
        (-math.sin(turned) * math.cos(down), -math.cos(turned) * math.cos(down), -math.sin(down)), dtype=torch.float64
    )
