"""Write the figure of a motion file as a picture."""

from __future__ import annotations

from pathlib import Path

from motion_rep.common.command_line import DONE, say, say_warning
from motion_rep.common.errors import UsageError, located
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.motions.figure import motion_figure
from motion_rep.motions.motion_file import read_motion

# Ending -> the entry of the file's metadata that would differ from run to run.
KINDS = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}


def plot_file(source: Path, output: Path, fps: float | None, title: str | None) -> int:
    """Read a motion, write its picture and print a line; returns the exit code.

    Args:
        fps: frames per second; None takes the motion's.
        title: heading; None takes the file's name.
    Raises:
        InputError: the motion cannot be read or is too short for an acceleration, or the picture cannot be written.
        UsageError: an unknown ending.
    """
    kind = output.suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"{output}: ends in {output.suffix or 'nothing'}, expected {', '.join(KINDS)}. Rename it.")
    clip = read_motion(source)
    rate, guess = playback_rate(TIMING, fps, clip.fps)
    if guess:
        say_warning(f"{source}: {guess}")
    remove_stale_temporaries(output.parent, recursive=False)
    with located(source):
        figure = motion_figure(clip, rate, title or source.name)
    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=110, metadata={KINDS[kind]: None})
    say(f"{output}: {len(clip)} frames at {rate:g} fps")
    return DONE
