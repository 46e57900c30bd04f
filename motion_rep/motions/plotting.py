"""Write the figures of motion files as pictures."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motion_rep.common.command_line import DONE
from motion_rep.common.errors import UsageError, counted, located
from motion_rep.common.messages import say, say_warning
from motion_rep.common.outcomes import DRAWN, Outcome
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.figure import ShownMotion, motion_figure
from motion_rep.motions.motion_file import read_motion
from motion_rep.motions.motion_paths import is_one_motion, motions_in
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pair_flags import PairRun
from motion_rep.runs.pairing import Pairing, pair_outputs
from motion_rep.runs.work_pool import StartIn

# Extension -> the entry of the file's metadata that would differ from run to run.
KINDS = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}
# The extension of the pictures in a folder.
IN_FOLDERS = ".png"


@dataclass(frozen=True)
class Settings:
    """Settings of the pictures.

    Attributes:
        fps: frames per second; None means a motion's own.
        title: heading; None means the file's name.
    """

    fps: float | None = None
    title: str | None = None


def plot_files(sources: Sequence[Path], output: Path, settings: Settings) -> int:
    """Read a motion, or two side by side, write their picture and print a line; returns the exit code.

    Raises:
        InputError: the motion cannot be read or is too short for an acceleration, or the picture cannot be written.
        UsageError: an unknown extension, more than two motions, or a folder of them.
    """
    if output.suffix.lower() not in KINDS:
        raise UsageError(
            f"{output}: ends in {output.suffix}, expected {', '.join(KINDS)}, or an existing folder. Rename it."
        )
    if len(sources) > 2 or any(source.is_dir() for source in sources):
        found = "a folder is" if len(sources) < 3 else f"{len(sources)} motions are"
        raise UsageError(
            f"{found} given, expected one motion, or two to compare. Give -o FOLDER for one picture of each motion."
        )
    shown, notes = zip(*(_shown(source, settings) for source in sources), strict=True)
    for source, note in ((source, note) for source, found in zip(sources, notes, strict=True) for note in found):
        say_warning(f"{source}: {note}")
    remove_stale_temporaries(output.parent, recursive=False)
    _write(output, shown)
    sizes = (f"{counted(len(one.clip), 'frame')} at {one.fps:g} fps" for one in shown)
    say(f"{output}: {' and '.join(sizes)}")
    return DONE


def plot_folder(run: PairRun, settings: Settings) -> int:
    """Draw a .png file of each motion, print a summary, and return the exit code.

    Raises:
        UsageError: no motions, or two pictures with the same name.
    """
    pairs = pair_outputs(run.inputs, run.output, IN_FOLDERS, is_one_motion, motions_in)
    start = StartIn("motion_rep.motions.plotting", "draw_pair", (settings,))
    return run_pairs(start, pairs, run, "drawing", DRAWN)


def draw_pair(settings: Settings, pair: Pairing) -> Outcome:
    """Draw one motion.

    Raises:
        InputError: the motion cannot be read or is too short, or the picture cannot be written.
    """
    target = Path(str(pair.target))
    shown, notes = _shown(Path(str(pair.source)), settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, [shown])
    return Outcome(DRAWN, notes)


def _write(output: Path, shown: Sequence[ShownMotion]) -> None:
    first, *others = shown
    figure = motion_figure(first.clip, first.fps, first.title, *others)
    with atomic_path(output) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of a file name; a box replaces it
        figure.savefig(temporary, dpi=110, metadata={KINDS[output.suffix.lower()]: None})


def _shown(source: Path, settings: Settings) -> tuple[ShownMotion, tuple[str, ...]]:
    """A motion to draw, and notes for the user."""
    clip = read_motion(source)
    with located(source):
        disagreement = agreed_joints(clip.motion).note
        rate, guess = playback_rate(TIMING, settings.fps, clip.fps)
        shown = ShownMotion(clip, rate, settings.title or source.name)
    return shown, tuple(note for note in (disagreement, guess) if note)
