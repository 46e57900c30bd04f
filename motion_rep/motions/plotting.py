"""Write the figure of a motion file as a picture."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from motion_rep.common.command_line import DONE, say, say_warning
from motion_rep.common.errors import UsageError, located
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.motions.consistency import joints_note
from motion_rep.motions.figure import ShownMotion, motion_figure
from motion_rep.motions.motion_file import read_motion

# Ending -> the entry of the file's metadata that would differ from run to run.
KINDS = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}


def plot_files(sources: Sequence[Path], output: Path, fps: float | None, title: str | None) -> int:
    """Read a motion, or two side by side, write their picture and print a line; returns the exit code.

    Args:
        fps: frames per second; None takes a motion's own.
        title: heading; None takes a file's name.
    Raises:
        InputError: the motion cannot be read or is too short for an acceleration, or the picture cannot be written.
        UsageError: an unknown ending, or more than two motions.
    """
    kind = output.suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"{output}: ends in {output.suffix or 'nothing'}, expected {', '.join(KINDS)}. Rename it.")
    if len(sources) > 2:
        raise UsageError(f"{len(sources)} motions are given, expected one, or two to compare.")
    shown = [_shown(source, fps, title) for source in sources]
    remove_stale_temporaries(output.parent, recursive=False)
    first, *others = shown
    figure = motion_figure(first.clip, first.fps, first.title, *others)
    with atomic_path(output) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of a file name; a box stands for it
        figure.savefig(temporary, dpi=110, metadata={KINDS[kind]: None})
    say(f"{output}: {' and '.join(f'{len(one.clip)} frames at {one.fps:g} fps' for one in shown)}")
    return DONE


def _shown(source: Path, fps: float | None, title: str | None) -> ShownMotion:
    clip = read_motion(source)
    if note := joints_note(source, clip.motion):
        say_warning(note)
    rate, guess = playback_rate(TIMING, fps, clip.fps)
    if guess:
        say_warning(f"{source}: {guess}")
    with located(source):
        return ShownMotion(clip, rate, title or source.name)
