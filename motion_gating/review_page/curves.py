"""Jitter, foot speed and foot height over time, ready to be drawn."""

from __future__ import annotations

import numpy as np

from motion_gating.metrics.joint_clip import JointClip
from motion_rep.common.errors import InputError
from motion_rep.measures.benchmark import FEET, METRIC_FPS, at_metric_rate, jitter_per_frame

SIDES = ("left foot", "right foot")


def curve_panels(clip: JointClip, fps: float, threshold: float) -> list[dict]:
    """One panel a quantity; every line has its name, its first time, its step (seconds) and its values.

    Args:
        fps: at which the clip is shown; the clip's own rate where it knows one.
        threshold: of the jitter degree.
    """
    feet = clip.joints[:, FEET]
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    per_second = clip.fps is not None
    return [
        *_jitter_panel(clip, fps, threshold),
        {
            "title": "Foot speed",
            "unit": "m/s" if per_second else "m/frame",
            "lines": [
                _line(side, 0.5 / fps, 1 / fps, speed[:, k] * (fps if per_second else 1.0))
                for k, side in enumerate(SIDES)
            ],
        },
        {
            "title": "Foot height",
            "unit": "m",
            "lines": [_line(side, 0.0, 1 / fps, feet[:, k, 1]) for k, side in enumerate(SIDES)],
        },
    ]


def _jitter_panel(clip: JointClip, fps: float, threshold: float) -> list[dict]:
    """Empty where the clip is too short for the metric."""
    try:
        jitter = jitter_per_frame(at_metric_rate(clip.joints, clip.fps))
    except InputError:
        return []
    step = 1 / fps if clip.fps is None else 1 / METRIC_FPS
    unit = "m/frame²" if clip.fps is None else f"m/frame² at {METRIC_FPS:g} fps"
    return [
        {"title": "Jitter", "unit": unit, "threshold": threshold, "lines": [_line("all joints", step, step, jitter)]}
    ]


def _line(name: str, start: float, step: float, values: np.ndarray) -> dict:
    return {
        "name": name,
        "start": round(start, 5),
        "step": round(step, 7),
        "values": [round(value, 5) for value in values.tolist()],
    }
