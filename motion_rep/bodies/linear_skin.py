"""Linear blend skinning as one matrix product.

A skinned vertex is linear in the joints' rotations and positions, so rest pose and weights fold into one matrix that
turns the stacked joint transforms of any number of frames into all their vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motion_rep.kinematics.skeleton import JointPoses


@dataclass(frozen=True)
class LinearSkin:
    """A mesh bound to the 22 joints.

    points: (V, 88) float32; for every joint the weighted local coordinates (3) and the weight (1).
    directions: (V, 66) float32; for every joint the weighted rest normal.
    faces: (F, 3) int32.
    """

    points: Tensor
    directions: Tensor
    faces: np.ndarray

    @property
    def parts(self) -> np.ndarray:
        """(V,) the joint with the largest weight at each vertex."""
        return self.points[:, 3::4].argmax(dim=1).numpy()

    def subset(self, vertices: np.ndarray, faces: np.ndarray) -> LinearSkin:
        """The skin of a subset of vertices (n,), with new triangles (F, 3)."""
        chosen = torch.from_numpy(vertices)
        return LinearSkin(self.points[chosen], self.directions[chosen], faces)

    def vertices(self, poses: JointPoses) -> np.ndarray:
        """(N, V, 3) float32 from joint poses of N frames."""
        transforms = torch.cat((poses.rotations.mT, poses.positions[..., None, :]), dim=-2)
        return _frames_first(self.points @ _columns(transforms))

    def normals(self, poses: JointPoses) -> np.ndarray:
        """(N, V, 3) float32 unit normals."""
        normals = _frames_first(self.directions @ _columns(poses.rotations.mT))
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
        return normals


def bind(
    local: np.ndarray, weights: np.ndarray, joints: np.ndarray, normals: np.ndarray, faces: np.ndarray
) -> LinearSkin:
    """Fold a rest pose into a :class:`LinearSkin`.

    Args:
        local: (V, K, 3) each vertex relative to each of its K joints, metres.
        weights: (V, K) sums to one.
        joints: (V, K) int, which of the 22 joints.
        normals: (V, 3) unit normals of the rest pose, where all joints' rotations are the identity.
        faces: (F, 3)
    """
    count = len(local)
    points, directions = np.zeros((count, 22, 4)), np.zeros((count, 22, 3))
    rows = np.arange(count)
    for k in range(local.shape[1]):
        weighted = np.concatenate((local[:, k], np.ones((count, 1))), axis=1) * weights[:, k, None]
        np.add.at(points, (rows, joints[:, k]), weighted)
        np.add.at(directions, (rows, joints[:, k]), normals * weights[:, k, None])
    return LinearSkin(_rows(points), _rows(directions), np.ascontiguousarray(faces, np.int32))


def _rows(table: np.ndarray) -> Tensor:
    return torch.from_numpy(table.reshape(len(table), -1).astype(np.float32))


def _columns(transforms: Tensor) -> Tensor:
    """(N, 22, k, 3) to (22 k, 3 N)."""
    frames = transforms.shape[0]
    return transforms.float().permute(1, 2, 0, 3).reshape(-1, 3 * frames)


def _frames_first(product: Tensor) -> np.ndarray:
    """(V, 3 N) to (N, V, 3)."""
    return product.unflatten(1, (-1, 3)).transpose(0, 1).contiguous().numpy()
