"""Pose a body frame by frame without holding the clip in memory."""

from __future__ import annotations

from collections.abc import Iterator

from motion_rep.bodies.body_models import Body
from motion_rep.kinematics.parameters import BodyParameters

# Frames skinned at once: faster than one by one; more only costs memory.
CHUNK = 16


def parameter_chunks(parameters: BodyParameters, size: int = CHUNK) -> Iterator[BodyParameters]:
    """Runs of at most ``size`` frames."""
    for start in range(0, len(parameters.transl), size):
        yield parameters.rows(slice(start, start + size))


def posed_frames(body: Body, parameters: BodyParameters, size: int = CHUNK) -> Iterator:
    """(V, 3) float32 vertices of one frame after the other, in the frame of the parameters."""
    for chunk in parameter_chunks(parameters, size):
        yield from body.vertices(chunk)
