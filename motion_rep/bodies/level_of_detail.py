"""Draw fewer triangles if the difference is invisible."""

from __future__ import annotations

from motion_rep.bodies.body_models import Body

# Distance between the outlines of a body and of its coarse form, metres (99 % of the mannequin's vertices; most are
# within half of it), and the largest invisible distance, pixels.
OUTLINE_ERROR = 0.0015
VISIBLE_ERROR = 0.5


def body_for(body: Body, pixels_per_metre: float) -> Body:
    """The body to draw.

    Args:
        pixels_per_metre: scale of the picture at the point of the body that is closest to the camera.
    """
    return body.coarse() if OUTLINE_ERROR * pixels_per_metre < VISIBLE_ERROR else body
