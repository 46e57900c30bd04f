"""Write a motion as files for other tools; the extension of each name selects the file type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from motion_rep.common.command_line import DONE
from motion_rep.common.errors import InputError, UsageError, counted, located
from motion_rep.common.messages import say, say_warning
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.exporters.amass_npz import write_amass_npz
from motion_rep.exporters.bvh_file import write_bvh
from motion_rep.exporters.csv_table import write_csv
from motion_rep.exporters.glb_file import write_glb
from motion_rep.exporters.joints_npy import write_joints_npy
from motion_rep.exporters.posed_motion import Y_UP, Z_UP, PosedMotion, posed_motion
from motion_rep.exporters.rrd_file import write_rrd
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.motion_file import MotionClip, read_motion


@dataclass(frozen=True)
class Settings:
    """Settings of the written files.

    Attributes:
        fps: frames per second; None means the motion's own.
        frame: ``zup``, ``yup``, or None for the usual axes of each kind.
        unit: ``m`` or ``cm``, for bvh files.
        video: source video, for rrd files.
    """

    fps: float | None = None
    frame: str | None = None
    unit: str = "m"
    video: Path | None = None


# Extension -> default axes of the file, and its writer.
KINDS: dict[str, tuple[str, Callable[[Path, PosedMotion, Settings], None]]] = {
    ".npz": (Z_UP, lambda path, motion, _: write_amass_npz(path, motion)),
    ".bvh": (Y_UP, lambda path, motion, settings: write_bvh(path, motion, settings.unit)),
    ".glb": (Y_UP, lambda path, motion, _: write_glb(path, motion)),
    ".csv": (Z_UP, lambda path, motion, _: write_csv(path, motion)),
    ".npy": (Z_UP, lambda path, motion, _: write_joints_npy(path, motion)),
    ".rrd": (Z_UP, lambda path, motion, settings: write_rrd(path, motion, settings.video)),
}


def export_file(source: Path, outputs: Sequence[Path], settings: Settings) -> int:
    """Read a motion, write its files and print a line for each; returns the exit code.

    Raises:
        InputError: the motion cannot be read, or an output cannot be written.
        UsageError: an unknown extension, or axes that a kind does not support.
    """
    for output in outputs:
        require_kind(output, settings.frame)
        if output.exists() and source.exists() and output.samefile(source):
            raise InputError(f"{output}: is the motion itself. Choose another name.")
    clip = read_motion(source)
    rate, notes = rate_and_notes(source, clip, settings.fps)
    for note in notes:
        say_warning(f"{source}: {note}")
    for output in outputs:
        remove_stale_temporaries(output.parent, recursive=False)
        motion = export_motion(clip, output, rate, settings)
        if (closing := closing_note(clip, motion, output)) is not None:
            say_warning(f"{source}: {closing}")
        say(_sentence(output, motion, settings.unit))
    return DONE


def rate_and_notes(source: Path, clip: MotionClip, fps: float | None) -> tuple[float, tuple[str, ...]]:
    """The rate of a motion, and notes for the user on the motion and its rate.

    Raises:
        InputError: the joint columns contradict the rotations.
    """
    with located(source):
        disagreement = agreed_joints(clip.motion).note
    rate, guess = playback_rate(TIMING, fps, clip.fps)
    return rate, tuple(note for note in (disagreement, guess) if note)


def closing_note(clip: MotionClip, motion: PosedMotion, output: Path) -> str | None:
    """A note for an npz file from which our converter makes one row less."""
    if output.suffix.lower() != ".npz" or len(motion) != len(clip):
        return None
    return f"its velocities lead to no frame after the last row; converting {output} back gives one row less"


def export_motion(clip: MotionClip, output: Path, fps: float, settings: Settings) -> PosedMotion:
    """Write one file, and describe it in words.

    Raises:
        UsageError: a package for this kind is missing.
    """
    kind = output.suffix.lower()
    usual_frame, write = KINDS[kind]
    motion = posed_motion(clip, fps, settings.frame or usual_frame, closing=kind == ".npz")
    write(output, motion, settings)
    return motion


def _sentence(output: Path, motion: PosedMotion, unit: str) -> str:
    length = "centimetres" if output.suffix.lower() == ".bvh" and unit == "cm" else "metres"
    return f"{output}: {counted(len(motion), 'frame')} at {motion.fps:g} fps, {motion.frame[0]} up, {length}"


def require_kind(output: Path, frame: str | None) -> None:
    """Check the extension of a file, and that its kind supports the axes.

    Raises:
        UsageError: it does not, or the extension is unknown.
    """
    if output.suffix.lower() not in KINDS:
        raise UsageError(
            f"{output}: ends in {output.suffix or 'nothing'}, expected one of {', '.join(KINDS)}. Rename it."
        )
    if output.suffix.lower() == ".glb" and frame == Z_UP:
        raise UsageError(f"{output}: glTF is always y up. Omit --frame for it.")
    if output.suffix.lower() == ".rrd" and frame == Y_UP:
        raise UsageError(f"{output}: rerun files are always z up. Omit --frame for them.")
