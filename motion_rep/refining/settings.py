"""Settings of refining. This file does not import torch, so that commands start quickly."""

from __future__ import annotations

from dataclasses import dataclass

AUTO, OFF = "auto", "off"


@dataclass(frozen=True)
class Settings:
    """What decides how a motion is refined.

    level: auto, off, or (pitch, roll) of the camera in degrees.
    smooth: auto, off, or a factor on the noise that was estimated from the clip.
    feet: auto or off.
    trim: off, auto (first to last movement), or (start, end) in seconds.
    mirror, in_place, loop: whether to do that.
    cut_at: rows at which parts begin.
    heading: facing direction in the first frame, degrees to the left of +y; None for +y.
    fps: frames per second, where the motion gives none or a wrong one.
    extrinsic_format: as in the converter.
    """

    level: str | tuple[float, float] = AUTO
    smooth: str | float = AUTO
    feet: str = AUTO
    trim: str | tuple[float, float] = OFF
    mirror: bool = False
    in_place: bool = False
    loop: bool = False
    cut_at: tuple[int, ...] = ()
    heading: float | None = None
    fps: float | None = None
    extrinsic_format: str = "matrix"
