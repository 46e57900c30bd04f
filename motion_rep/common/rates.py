"""Frame rates, in frames per second: those that make sense, and those that stand in where a file says none."""

from __future__ import annotations

from motion_rep.common.errors import InputError

# The same for flags and for what files say.
SLOWEST_RATE, FASTEST_RATE = 0.1, 1000.0

# What the published TM2M loader takes every reference motion for.
LOADER_FPS = 16.0
# At which the published renderer shows a motion.
DRAWING_FPS = 20.0


def require_rate(fps: float) -> None:
    """Check a frame rate that came from a file.

    Raises:
        InputError: outside the limits of ``--fps``; without the file's name.
    """
    if not SLOWEST_RATE <= fps <= FASTEST_RATE:
        raise InputError(
            f"fps is {fps:g}, expected {SLOWEST_RATE:g} to {FASTEST_RATE:g} frames per second. Correct it in the file."
        )
