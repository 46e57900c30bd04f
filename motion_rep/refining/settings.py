"""Settings of refining. This file does not import torch, so that commands start quickly."""

from __future__ import annotations

from dataclasses import dataclass

AUTO, OFF = "auto", "off"


@dataclass(frozen=True)
class Trim:
    """A part of a motion.

    start, end: seconds from the first row of the motion on which they were marked.
    fps: the rate with which these seconds were counted; None means the motion's own.
    start_time: when that motion starts in its source, seconds; None means that of the motion to trim.
    """

    start: float
    end: float
    fps: float | None = None
    start_time: float | None = None

    def seconds_of(self, start_time: float, own_fps: float | None, fps: float) -> tuple[float, float]:
        """The part in seconds of a motion.

        Args:
            start_time: when it starts in its source.
            own_fps: the rate that it stores. fps: the rate used for it.
        """
        lead = 0.0 if self.start_time is None else self.start_time - start_time
        scale = (own_fps or self.fps or fps) / fps
        return (self.start + lead) * scale, (self.end + lead) * scale


@dataclass(frozen=True)
class Settings:
    """Settings of the repairs of a motion.

    level: auto, off, or (pitch, roll) of the camera in degrees.
    smooth: auto, off, or a factor on the noise that was estimated from the clip.
    feet: auto or off.
    trim: off, auto (first to last movement), (start, end) in seconds, or a marked part.
    mirror, in_place, loop: whether to do that.
    cut_at: rows at which parts begin.
    heading: facing direction in the first frame, degrees to the left of +y; None for +y.
    fps: frames per second, if the motion stores none or a wrong rate.
    extrinsic_format: as in the converter.
    """

    level: str | tuple[float, float] = AUTO
    smooth: str | float = AUTO
    feet: str = AUTO
    trim: str | tuple[float, float] | Trim = OFF
    mirror: bool = False
    in_place: bool = False
    loop: bool = False
    cut_at: tuple[int, ...] = ()
    heading: float | None = None
    fps: float | None = None
    extrinsic_format: str = "matrix"
