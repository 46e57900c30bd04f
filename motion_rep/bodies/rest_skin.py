"""The built-in body at rest with four weights per vertex, as real-time formats require."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from motion_rep.bodies.linear_skin import LinearSkin
from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.kinematics.skeleton import rest_joints

INFLUENCES = 4


@dataclass(frozen=True)
class RestSkin:
    """A mesh in the rest pose of the 22 joints.

    vertices: (V, 3) float32 metres, y up, facing +z.
    normals: (V, 3) float32 unit vectors.
    faces: (F, 3) int32.
    joints: (V, 4) uint8; 0 where the weight is 0.
    weights: (V, 4) float32, largest first, sums to one.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    weights: np.ndarray

    def weights_of_joints(self) -> np.ndarray:
        """(V, 22) float32, one column per joint."""
        table = np.zeros((len(self.vertices), 22), np.float32)
        np.add.at(table, (np.arange(len(table))[:, None], self.joints), self.weights)
        return table


@functools.cache
def mannequin_rest_skin() -> RestSkin:
    """The built-in body."""
    return rest_skin(MannequinBody().skin)


def rest_skin(skin: LinearSkin) -> RestSkin:
    """Unfold a bound mesh: a vertex at rest is the weighted sum of its local coordinates and their joints at rest."""
    local = skin.points.numpy().reshape(-1, 22, 4).astype(np.float64)
    weights = local[..., 3]
    vertices = local[..., :3].sum(1) + weights @ rest_joints().numpy()
    normals = skin.directions.numpy().reshape(-1, 22, 3).sum(1)
    order = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    kept = np.take_along_axis(weights, order, axis=1).astype(np.float32)
    kept /= kept.sum(1, keepdims=True)
    return RestSkin(
        vertices.astype(np.float32),
        (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32),
        skin.faces,
        np.where(kept > 0, order, 0).astype(np.uint8),
        kept,
    )
