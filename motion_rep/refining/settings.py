"""How motions are refined. Nothing here needs torch, which only those who refine import."""

from __future__ import annotations

from dataclasses import dataclass

AUTO, OFF = "auto", "off"


@dataclass(frozen=True)
class Settings:
    """What decides how a motion is refined.

    level: auto, off, or (pitch, roll) of the camera in degrees.
    smooth: auto, off, or a number: times the noise that the clip shows.
    feet: auto or off.
    trim: off, auto (first to last movement), or (start, end) in seconds.
    mirror, in_place, loop: whether to do that.
    cut_at: rows at which parts begin.
    heading: degrees to the left of +y that the person faces at first; None for +y.
    fps: frames per second, where the motion does not say it or is wrong.
    extrinsic_format: as of the converter.
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
