"""Curves of jitter, foot speed, foot height and contacts over time, also for a motion before refining."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from motion_gating.metrics.joint_clip import JointClip
from motion_rep.common.errors import InputError
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.measures.benchmark import FEET, METRIC_FPS, at_metric_rate, jitter_per_frame
from motion_rep.measures.sliding import FootPoints, foot_points

SIDES = ("left foot", "right foot")


def curve_panels(
    clip: JointClip, fps: float, threshold: float, before: JointClip | None = None, lead: float = 0.0
) -> list[dict]:
    """One panel per quantity; each line has its name, start time, step (seconds) and values.

    Args:
        fps: rate at which the clip is shown: its own rate, if known.
        threshold: threshold of the jitter degree.
        before: the clip before refining; its lines follow those of the clip.
        lead: seconds by which ``before`` begins earlier.
    """
    speed_unit = "m/s" if clip.fps is not None else "m/frame"
    jitter_unit = "m/frame²" if clip.fps is None else f"m/frame² at {METRIC_FPS:g} fps"

    def lines(make: Callable[[JointClip, float], list[dict]]) -> list[dict]:
        earlier = [] if before is None else make(before, fps)
        moved = [{**line, "name": f"{line['name']} before", "start": line["start"] - lead} for line in earlier]
        return [*make(clip, fps), *({**line, "before": True} for line in moved)]

    jitter, spans = lines(_jitter_lines), _foot_spans(points_of(clip, fps), fps)
    return [
        *([{"title": "Jitter", "unit": jitter_unit, "threshold": threshold, "lines": jitter}] if jitter else []),
        {"title": "Foot speed", "unit": speed_unit, "lines": lines(_speed_lines), **spans},
        {"title": "Foot height", "unit": "m", "lines": lines(_height_lines), **spans},
    ]


def points_of(clip: JointClip, fps: float) -> FootPoints:
    """Positions of toes and heels over time."""
    # The change of axes is its own inverse.
    return foot_points(y_up_from_z_up(torch.from_numpy(clip.joints)).numpy(), fps)


def _foot_spans(points: FootPoints, fps: float) -> dict[str, list[list[list[float]]]]:
    """For each foot, the spans (in seconds) in which it stands and in which it slides."""
    states = [points.of_foot(side) for side in range(len(SIDES))]
    return {name: [_spans(state[k], fps) for state in states] for k, name in enumerate(("standing", "sliding"))}


def _spans(flags: np.ndarray, fps: float) -> list[list[float]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return [[round(first / fps, 5), round(last / fps, 5)] for first, last in edges.reshape(-1, 2).tolist()]


def _jitter_lines(clip: JointClip, fps: float) -> list[dict]:
    """The jitter lines; none if the clip is too short for the metric."""
    try:
        jitter = jitter_per_frame(at_metric_rate(clip.joints, clip.fps))
    except InputError:
        return []
    step = 1 / fps if clip.fps is None else 1 / METRIC_FPS
    return [_line("all joints", 0, step, step, jitter)]


def _speed_lines(clip: JointClip, fps: float) -> list[dict]:
    speed = np.linalg.norm(np.diff(clip.joints[:, FEET], axis=0), axis=-1)
    scale = 1.0 if clip.fps is None else fps
    return [_line(side, k, 0.5 / fps, 1 / fps, speed[:, k] * scale) for k, side in enumerate(SIDES)]


def _height_lines(clip: JointClip, fps: float) -> list[dict]:
    return [_line(side, k, 0.0, 1 / fps, clip.joints[:, FEET[k], 1]) for k, side in enumerate(SIDES)]


def _line(name: str, curve: int, start: float, step: float, values: np.ndarray) -> dict:
    """A line; ``curve`` is the number of its colour."""
    return {
        "name": name,
        "curve": curve,
        "start": round(start, 5),
        "step": round(step, 7),
        "values": [round(value, 5) for value in values.tolist()],
    }
