"""At which rate a motion is shown or written where its file may not say."""

from __future__ import annotations

from motion_rep.common.rates import LOADER_FPS
from motion_rep.motions.motion_file import MotionClip


def playback_rate(clip: MotionClip, fps: float | None = None) -> tuple[float, str | None]:
    """Frames per second: the one asked for, else the motion's own, else the published one; and a sentence where it was a guess."""
    known = fps or clip.fps
    if known:
        return known, None
    return (
        LOADER_FPS,
        f"does not say how many frames a second it has; {LOADER_FPS:g} is taken, as published readers do. Give another with --fps",
    )
