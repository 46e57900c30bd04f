"""Unit normals of triangle meshes."""

from __future__ import annotations

import numpy as np


class VertexNormals:
    """Area-weighted vertex normals for one list of faces, which is sorted only once for many meshes.

    Args:
        faces: (F, 3) int, counter-clockwise seen from outside.
        count: number of vertices.
    """

    def __init__(self, faces: np.ndarray, count: int) -> None:
        corners = faces.ravel()
        order = np.argsort(corners, kind="stable")
        self._faces = faces
        self._count = count
        self._face_of_corner = order // 3
        self._used, self._starts = np.unique(corners[order], return_index=True)

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) vertices to (V, 3) float32 unit normals; a vertex without faces gets a zero normal."""
        a, b, c = (vertices[self._faces[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        normals = np.zeros((self._count, 3), np.float32)
        normals[self._used] = np.add.reduceat(across[self._face_of_corner], self._starts, axis=0)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
