"""Frame rates, in frames per second: the accepted range, and the rule for a motion whose rate is unknown."""

from __future__ import annotations

from motion_rep.common.errors import InputError

# These limits apply to flags and to numbers in files.
SLOWEST_RATE, FASTEST_RATE = 0.1, 1000.0

# The published TM2M loader assumes this rate for every reference motion.
LOADER_FPS = 16.0

# Purpose -> the rate assumed for a motion without one. Pictures follow the published renderer;
# timed data (exports, plots, the viewer) follow the published loader.
DRAWING, TIMING = "drawing", "timing"
ASSUMED_FPS = {DRAWING: 20.0, TIMING: LOADER_FPS}


def playback_rate(purpose: str, *known: float | None) -> tuple[float, str | None]:
    """Choose the rate at which a motion is shown or written.

    Args:
        purpose: :data:`DRAWING` or :data:`TIMING`.
        known: rates in order of preference (a flag's, the motion's own, its video's); None if unknown.
    Returns:
        The first known rate and None, or the assumed rate and a note about it.
    """
    for rate in known:
        if rate:
            return rate, None
    fps = ASSUMED_FPS[purpose]
    note = f"does not store its frame rate; {fps:g} is assumed, as in published readers. Set another with --fps"
    return fps, note


def require_rate(fps: float, name: str = "fps") -> None:
    """Check a frame rate that came from a file.

    Raises:
        InputError: outside the limits of ``--fps``; the message omits the file name.
    """
    if not SLOWEST_RATE <= fps <= FASTEST_RATE:
        raise InputError(
            f"{name} is {fps:g}, expected {SLOWEST_RATE:g} to {FASTEST_RATE:g} frames per second. "
            "Correct it in the file."
        )
