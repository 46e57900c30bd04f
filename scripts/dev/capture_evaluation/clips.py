"""The clips of the evaluation: person, motion and camera.

Settings were chosen only on the set "tune".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from motion_rep.common.errors import UsageError
from scripts.dev.capture_evaluation.figures import Anny, Figure, Mannequin
from scripts.dev.capture_evaluation.stage import Box, StageCamera

FRAMES = 120
LEVEL = {"position": (0.0, 0.95, 4.4)}
EYE = {"position": (0.0, 1.6, 4.2)}
HIGH = {"position": (0.6, 2.5, 4.3), "target": (0.0, 0.85, 0.0)}
LOW = {"position": (-0.4, 0.45, 4.0), "target": (0.0, 1.0, 0.0)}
FAR = {"position": (0.3, 1.5, 7.5), "field_of_view": 32.0}
WIDE = {"position": (0.0, 1.3, 3.0), "field_of_view": 70.0}
TALL = {"position": (0.0, 1.2, 4.4), "width": 480, "height": 832, "field_of_view": 46.0}
BENCH = Box((0.0, 0.75), (0.7, 0.5, 0.15))
POST = Box((0.45, 1.0), (0.16, 2.2, 0.16))


@dataclass(frozen=True)
class Clip:
    """One rendered clip: motion and heading (degrees), figure, camera, an object in front, and the frame rate.

    The motion is one of MOTIONS, or ``mocap:`` and the name of a motion-captured clip.
    """

    motion: str
    heading: float
    figure: str
    camera: StageCamera
    box: Box | None = None
    fps: float = 30.0

    @property
    def name(self) -> str:
        return f"{self.motion}_{self.figure}_{self.heading:g}".replace(":", "_")


def _clip(
    motion: str, heading: float, figure: str, camera: dict[str, Any], box: Box | None = None, fps: float = 30.0
) -> Clip:
    return Clip(motion, heading, figure, StageCamera(**camera), box, fps)


def figure_of(clip: Clip) -> Figure:
    """The body of a clip."""
    return make_figure(clip.figure)


@lru_cache(maxsize=5)
def make_figure(name: str) -> Figure:
    """One of the five bodies: wooden (neutral), wooden_large, anny, anny_man, anny_woman."""
    if name == "wooden":
        return Mannequin()
    if name == "wooden_large":
        return Mannequin(betas=(2.0, -1.0, 0.5, 0, 0, 0, 0, 0, 0, 0), skin=(0.55, 0.38, 0.28))
    if name == "anny":
        return Anny()
    if name == "anny_man":
        return Anny(
            {"gender": 0.95, "height": 0.7, "muscle": 0.7, "weight": 0.55},
            shirt=(0.86, 0.86, 0.82),
            trousers=(0.3, 0.28, 0.25),
        )
    if name == "anny_woman":
        return Anny(
            {"gender": 0.05, "height": 0.35, "weight": 0.6},
            shirt=(0.25, 0.45, 0.40),
            trousers=(0.12, 0.12, 0.15),
            skin=(0.62, 0.44, 0.33),
        )
    raise UsageError(f"there is no figure {name!r}")


TUNE = (
    _clip("walk", 35, "anny", EYE),
    _clip("walk", 180, "anny_man", LEVEL),
    _clip("fast_walk", 90, "wooden", EYE | {"position": (0.0, 1.4, 6.0)}),
    _clip("squat", 0, "anny", LEVEL),
    _clip("squat", 60, "wooden", EYE),
    _clip("jumping_jack", 0, "anny_woman", EYE),
    _clip("kick", -40, "anny", LEVEL),
    _clip("turn", 0, "anny_man", EYE),
    _clip("wave_hand", 10, "wooden_large", EYE),
    _clip("boxing", 30, "anny_woman", WIDE),
    _clip("bow", 70, "anny", LEVEL),
    _clip("side_step", 0, "wooden", LOW),
    _clip("arm_circles", -20, "anny_man", TALL),
    _clip("dance", 15, "anny_woman", HIGH),
    _clip("high_knees", -60, "wooden_large", LEVEL),
    _clip("throw", 160, "anny", FAR),
    _clip("lunge", -75, "anny_man", HIGH),
    _clip("half_squat", 20, "anny", TALL),
)
TEST = (
    _clip("walk", 0, "anny_man", LEVEL | {"position": (0.0, 1.1, 5.6)}),
    _clip("walk", 150, "anny_woman", EYE),
    _clip("fast_walk", -90, "anny", LEVEL | {"position": (0.0, 1.0, 6.0)}),
    _clip("run_in_place", 25, "anny_man", EYE),
    _clip("squat", -20, "anny_woman", EYE),
    _clip("squat", 0, "wooden", LEVEL),
    _clip("jumping_jack", 30, "wooden_large", LEVEL),
    _clip("jumping_jack", 180, "anny", HIGH),
    _clip("kick", 50, "anny_man", EYE),
    _clip("turn", 90, "wooden", HIGH),
    _clip("wave_hand", -35, "anny_woman", LOW),
    _clip("boxing", -60, "anny", LEVEL),
    _clip("bow", 20, "wooden_large", EYE),
    _clip("side_step", 10, "anny_woman", TALL),
    _clip("dance", -30, "anny_man", WIDE),
    _clip("high_knees", 15, "anny", FAR),
    _clip("throw", -20, "wooden", TALL),
    _clip("lunge", 45, "anny_woman", LEVEL),
    _clip("half_squat", -15, "anny_man", EYE, BENCH),
    _clip("walk", 60, "wooden", EYE, POST),
)
# Cameras that look down or up by 20 to 38 degrees, some rolled; 16 to 60 frames a second.
STEEP = {"position": (0.3, 3.6, 3.6), "target": (0.0, 0.8, 0.0)}
DOWN = {"position": (0.0, 2.7, 3.9), "target": (0.0, 0.85, 0.0), "roll": 8.0}
UP = {"position": (0.2, 0.25, 2.9), "target": (0.0, 1.3, 0.0), "field_of_view": 75.0}
TILTED = (
    _clip("walk", 20, "anny_man", STEEP, fps=60.0),
    _clip("squat", -30, "wooden", DOWN),
    _clip("jumping_jack", 10, "wooden_large", UP, fps=24.0),
    _clip("boxing", 15, "anny_woman", DOWN, fps=16.0),
    _clip("kick", -20, "wooden", STEEP),
    _clip("bow", 40, "anny", UP, fps=16.0),
)
# Motion-captured movement that no training has seen.
MOVES = (
    _clip("mocap:dance_b", 0, "wooden", EYE),
    _clip("mocap:punch", -60, "wooden_large", LEVEL, fps=60.0),
    _clip("mocap:jump", -90, "wooden", DOWN),
    _clip("mocap:cartwheel", -90, "wooden", EYE | {"position": (0.0, 1.4, 6.0)}, fps=24.0),
)
SETS = {"tune": TUNE, "test": TEST, "tilted": TILTED, "moves": MOVES}
