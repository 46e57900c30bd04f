"""The worst moments of a clip, each with words and time, as links for the page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from motion_gating.metrics.joint_clip import JointClip
from motion_gating.review_page.curves import SIDES, points_of
from motion_rep.measures.benchmark import FEET
from motion_rep.measures.in_seconds import SKATING

# A foot is listed if it is at least this far (m) below the floor.
DEEP = 0.02


def worst_moments(clip: JointClip, fps: float, panels: list[dict]) -> list[dict]:
    """The highest jitter and, if any, the fastest slide of a standing foot and the deepest foot.

    Args:
        fps: rate at which the clip is shown.
        panels: from :func:`motion_gating.review_page.curves.curve_panels`.
    Returns:
        For each its ``second``, its ``words``, and the title of the ``panel`` that shows it.
    """
    return [*_jitter(panels), *_slide(clip, fps), *_depth(clip, fps)]


def _jitter(panels: list[dict]) -> Iterator[dict]:
    for panel in panels:
        if panel["title"] == "Jitter":
            line = panel["lines"][0]
            place = int(np.argmax(line["values"]))
            words = f"most jitter: {line['values'][place]:.3g} {panel['unit']}"
            yield _moment(line["start"] + place * line["step"], words, panel["title"])


def _slide(clip: JointClip, fps: float) -> Iterator[dict]:
    speeds = points_of(clip, fps).speeds
    frame, point = np.unravel_index(np.argmax(speeds), speeds.shape)
    if clip.fps is not None and speeds[frame, point] > SKATING:
        words = f"{SIDES[point % 2]} stands and slides at {speeds[frame, point]:.2f} m/s"
        yield _moment((frame + 0.5) / fps, words, "Foot speed")


def _depth(clip: JointClip, fps: float) -> Iterator[dict]:
    heights = clip.joints[:, FEET, 1]
    frame, side = np.unravel_index(np.argmin(heights), heights.shape)
    if heights[frame, side] < -DEEP:
        words = f"{SIDES[side]} {-100 * heights[frame, side]:.0f} cm below the floor"
        yield _moment((frame + 0.5) / fps, words, "Foot height")


def _moment(second: float, words: str, panel: str) -> dict:
    return {"second": round(float(second), 5), "words": words, "panel": panel}
