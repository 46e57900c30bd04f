"""Light baked into vertex colours, so that all renderers show the same picture."""

from __future__ import annotations

import numpy as np

BODY_COLOR = (0.11, 0.53, 0.80)
GROUND_COLOR = (200 / 255, 200 / 255, 200 / 255)
SHADOW_COLOR = (150 / 255, 150 / 255, 152 / 255)
BACKGROUND_COLOR = (1.0, 1.0, 1.0)

# Strengths without a unit. The light comes from above and in front. Surfaces that turn away from the viewer darken: a
# dark rim around each limb separates an arm from the torso behind it.
AMBIENT, FROM_ABOVE, FROM_FRONT, HIGHLIGHT, RIM = 0.34, 0.42, 0.50, 0.38, 0.75


def shade(
    normals: np.ndarray,
    vertices: np.ndarray,
    eye: np.ndarray,
    up: np.ndarray,
    color: tuple[float, float, float] | np.ndarray = BODY_COLOR,
) -> np.ndarray:
    """Colours of a lit surface.

    Args:
        normals: (V, 3) unit vectors.
        vertices: (V, 3) metres, same frame.
        eye: (3,) position of the viewer.
        up: (3,) unit vector against gravity.
        color: of the surface, or (V, 3) one for each vertex.
    Returns:
        (V, 3) float32 RGB, 0 to 1.
    """
    to_eye = eye.astype(np.float32) - vertices
    to_eye /= np.linalg.norm(to_eye, axis=1, keepdims=True)
    facing = np.clip(np.einsum("ij,ij->i", normals, to_eye), 0.0, 1.0)
    above = np.clip(normals @ up.astype(np.float32), -1.0, 1.0)
    light = AMBIENT + FROM_ABOVE * (0.5 + 0.5 * above) + FROM_FRONT * facing
    light *= 1.0 - RIM * (1.0 - facing) ** 3
    half = to_eye + up.astype(np.float32)
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    shine = HIGHLIGHT * np.clip(np.einsum("ij,ij->i", normals, half), 0.0, 1.0) ** 24
    return np.clip(light[:, None] * np.asarray(color, np.float32) + shine[:, None], 0.0, 1.0).astype(np.float32)
