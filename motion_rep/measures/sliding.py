"""Find the points of the feet that stand and those that slide, for marks in pictures and curves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from motion_rep.kinematics.foot_contact import FEET, heels, point_contacts
from motion_rep.measures.in_seconds import SKATING


class FootPoints(NamedTuple):
    """Left toes, right toes, left heel and right heel.

    places: (N, 4, 3) metres, z up.
    standing: (N, 4) bool.
    speeds: (N, 4) m/s along the ground for standing points (the faster of the steps before and after a frame); else 0.
    """

    places: np.ndarray
    standing: np.ndarray
    speeds: np.ndarray

    @property
    def sliding(self) -> np.ndarray:
        """(N, 4) bool: faster than :data:`motion_rep.measures.in_seconds.SKATING`. A point that slides also stands."""
        return self.speeds > SKATING

    def of_foot(self, foot: int) -> tuple[np.ndarray, np.ndarray]:
        """(N,) bool each: whether a foot (0 left, 1 right) stands, and whether one of its points slides."""
        return np.any(self.standing[:, foot::2], axis=1), np.any(self.sliding[:, foot::2], axis=1)


def foot_points(joints: np.ndarray, fps: float) -> FootPoints:
    """The points of the feet over time.

    Only steps between two frames of contact count as steps of a standing point.

    Args:
        joints: (N, 22, 3) metres, z up. fps: frames per second.
    """
    contacts = point_contacts(torch.from_numpy(joints), fps)
    standing = np.concatenate((contacts.toes.numpy(), contacts.heels.numpy()), axis=1)
    places = np.concatenate((joints[:, FEET], heels(joints)), axis=1)
    steps = np.linalg.norm(np.diff(places[..., :2], axis=0), axis=-1) * fps * (standing[1:] & standing[:-1])
    edge = np.zeros((1, standing.shape[1]))
    return FootPoints(places, standing, np.maximum(np.concatenate((steps, edge)), np.concatenate((edge, steps))))
