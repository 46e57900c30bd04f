"""Angles, heights and distances of a body over time, from joint positions (T, 22, 3) in metres, y up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from motion_rep.describing.cycles import smoothed
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.kinematics.vectors import lengths, unit

LEFT, RIGHT = "left", "right"
SIDES = (LEFT, RIGHT)
UP = np.array([0.0, 1.0, 0.0])
UPRIGHT = 0.6  # the hips show the facing direction only while the spine's vertical component is at least this
ANKLE_HEIGHT = 0.06  # metres above the sole
SOLE_TO_LEG = 0.17  # metres from the sole to the pelvis without thigh and shank
FLOOR_QUANTILE = 0.05
THIGHS = 0.77  # metres, both


@dataclass(frozen=True)
class BodySignals:
    """A clip with smoothed joints; angles in degrees, (T,) each."""

    joints: np.ndarray
    fps: float

    @classmethod
    def of(cls, joints: np.ndarray, fps: float) -> BodySignals:
        """The signals of joints (T, 22, 3) at ``fps`` frames per second."""
        return cls(smoothed(joints, fps), fps)

    def place(self, name: str) -> np.ndarray:
        """(T, 3) positions of a joint."""
        place: np.ndarray = self.joints[:, JOINT_NAMES.index(name)]
        return place

    def elevation(self, start: str, end: str) -> np.ndarray:
        """Angle from pointing down (0) through level (90) to pointing up (180)."""
        return np.degrees(np.arccos(-unit(self.place(end) - self.place(start))[:, 1].clip(-1, 1)))

    def bend(self, first: str, middle: str, last: str) -> np.ndarray:
        """Angle by which a knee or an elbow is bent; 0 is straight."""
        upper = unit(self.place(middle) - self.place(first))
        lower = unit(self.place(last) - self.place(middle))
        return np.degrees(np.arccos(np.einsum("tc,tc->t", upper, lower).clip(-1, 1)))

    def ahead(self, start: str, end: str) -> np.ndarray:
        """Metres by which a joint is in front of another, in the facing direction."""
        return np.einsum("tc,tc->t", self.place(end) - self.place(start), self.forward)

    def leftward(self, start: str, end: str) -> np.ndarray:
        """Metres by which a joint is to the left of another, relative to the facing direction."""
        return np.einsum("tc,tc->t", self.place(end) - self.place(start), np.cross(UP, self.forward))

    def speed(self, name: str) -> np.ndarray:
        """Metres per second."""
        return lengths(np.gradient(self.place(name), axis=0)) * self.fps

    @cached_property
    def forward(self) -> np.ndarray:
        """(T, 3) horizontal direction in which the hips face; while the body is not upright, the last known one."""
        across = self.place("left_hip") - self.place("right_hip")
        forward = np.stack((-across[:, 2], 0 * across[:, 1], across[:, 0]), axis=1)
        known = np.flatnonzero((self._spine[:, 1] > UPRIGHT) & (lengths(forward) > 0.03))
        if not len(known):
            return np.tile((0.0, 0.0, 1.0), (len(forward), 1))
        latest = np.maximum(np.searchsorted(known, np.arange(len(forward)), side="right") - 1, 0)
        return unit(forward[known[latest]])

    @cached_property
    def heading(self) -> np.ndarray:
        """Degrees by which the body has turned to the left since the first frame."""
        angle = np.degrees(np.unwrap(np.arctan2(self.forward[:, 0], self.forward[:, 2])))
        return angle - angle[0]

    @cached_property
    def lean(self) -> np.ndarray:
        """Angle of the trunk from upright: positive forward, negative backward; 90 is level."""
        trunk = unit(self.place("neck") - self.place("pelvis"))
        angle = np.degrees(np.arccos(trunk[:, 1].clip(-1, 1)))
        return np.where(np.einsum("tc,tc->t", trunk, self.forward) < 0, -angle, angle)

    @cached_property
    def floor(self) -> float:
        """Height of the floor, estimated from the lowest points of the soles."""
        return float(np.quantile(self._soles.min(axis=1), FLOOR_QUANTILE))

    @cached_property
    def clearance(self) -> np.ndarray:
        """(T, 2) metres from the floor to the lowest point of each sole."""
        lowest: np.ndarray = self._soles - self.floor
        return lowest

    @cached_property
    def drop(self) -> np.ndarray:
        """Metres by which the pelvis is lower than it would be over the lower foot with straight legs."""
        legs = [
            lengths(self.place(f"{side}_knee") - self.place(f"{side}_hip"))
            + lengths(self.place(f"{side}_ankle") - self.place(f"{side}_knee"))
            for side in SIDES
        ]
        return np.mean(legs, axis=0) + SOLE_TO_LEG - (self.place("pelvis")[:, 1] - self._soles.min(axis=1))

    @cached_property
    def thigh_swing(self) -> np.ndarray:
        """Degrees by which the left thigh is in front of the right thigh."""
        left, right = (self.ahead(f"{side}_hip", f"{side}_knee") for side in SIDES)
        angles: np.ndarray = np.degrees(np.arcsin(((left - right) / THIGHS).clip(-1, 1)))
        return angles

    @cached_property
    def _soles(self) -> np.ndarray:
        """(T, 2) height of the lowest point of each sole."""
        toes = np.stack([self.place(f"{side}_foot")[:, 1] for side in SIDES], axis=1)
        heels = np.stack([self.place(f"{side}_ankle")[:, 1] for side in SIDES], axis=1) - ANKLE_HEIGHT
        return np.minimum(toes, heels)

    @cached_property
    def _spine(self) -> np.ndarray:
        return unit(self.place("spine1") - self.place("pelvis"))
