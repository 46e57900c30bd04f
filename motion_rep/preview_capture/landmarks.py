"""The input of the fit: 33 landmarks per frame in the image and in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion_rep.common.errors import InputError

COUNT = 33
NOSE, LEFT_EAR, RIGHT_EAR = 0, 7, 8
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST = 11, 12, 13, 14, 15, 16
LEFT_PINKY, RIGHT_PINKY, LEFT_INDEX, RIGHT_INDEX = 17, 18, 19, 20
LEFT_HIP, RIGHT_HIP, LEFT_KNEE, RIGHT_KNEE, LEFT_ANKLE, RIGHT_ANKLE = 23, 24, 25, 26, 27, 28
LEFT_HEEL, RIGHT_HEEL, LEFT_TOE, RIGHT_TOE = 29, 30, 31, 32
LIMBS = np.array([*range(LEFT_SHOULDER, RIGHT_WRIST + 1), *range(LEFT_HIP, RIGHT_ANKLE + 1)])
PARTS = {
    "head": (NOSE,),
    "left arm": (LEFT_ELBOW, LEFT_WRIST),
    "right arm": (RIGHT_ELBOW, RIGHT_WRIST),
    "left leg": (LEFT_KNEE, LEFT_ANKLE),
    "right leg": (RIGHT_KNEE, RIGHT_ANKLE),
}


@dataclass(frozen=True)
class LandmarkTrack:
    """One person's landmarks over the frames of a clip, in the order and names of BlazePose.

    image: (T, 33, 2) pixels. world: (T, 33, 3) metres about the hips, camera-like axes (x right, y down, z forward).
    visibility: (T, 33) in 0..1. detected: (T,) bool; the other arrays contain zeros where it is False.
    """

    image: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    detected: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.detected)
        wanted = {"image": (frames, COUNT, 2), "world": (frames, COUNT, 3), "visibility": (frames, COUNT)}
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found.shape != shape or not np.isfinite(found).all():
                raise InputError(f"landmarks: {name} has shape {found.shape} or is not finite, expected {shape}.")

    def __len__(self) -> int:
        return len(self.detected)

    def __getitem__(self, frames: slice | np.ndarray) -> LandmarkTrack:
        return LandmarkTrack(self.image[frames], self.world[frames], self.visibility[frames], self.detected[frames])
