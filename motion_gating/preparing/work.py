"""The work of worker processes: turn a video into a capture, a capture or motion into the final motion; draw an
overlay.
"""

from __future__ import annotations

import filecmp
import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from motion_gating.archives.making import seconds_of
from motion_rep.common.outcomes import UNCHANGED
from motion_rep.conversion.items import convert_pair
from motion_rep.conversion.settings import Settings as ConversionSettings
from motion_rep.drawing.motion_check import Checker, CheckJob, CheckOptions, load_checker
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy
from motion_rep.motions.motion_file import read_motion
from motion_rep.preview_capture.command import CapturedFile, capture_file
from motion_rep.preview_capture.video_capture import CaptureOptions
from motion_rep.refining.items import RunSettings, refine_pair
from motion_rep.refining.settings import Settings as RefiningSettings
from motion_rep.runs.pairing import Pairing

COPIED = "copied"


@dataclass(frozen=True)
class CaptureJob:
    """A video and the capture file to write."""

    video: Path
    target: Path


@dataclass(frozen=True)
class MotionJob:
    """A capture or a motion, and the motion files to write.

    Attributes:
        is_motion: whether the source is a motion.
        given: whether the capture is the user's; then the settings for foreign captures apply.
        raw: file for the motion before refining; None if it is not refined.
    """

    source: Location
    target: Path
    raw: Path | None
    is_motion: bool = False
    given: bool = False


@dataclass(frozen=True)
class MotionWork:
    """How motions are made: settings for our own captures, and for those of the user."""

    own: ConversionSettings
    given: ConversionSettings


@dataclass(frozen=True)
class MadeMotion:
    """What was done, the length of the motion, notes, and the record of refining."""

    how: str
    seconds: float
    fps: float | None
    notes: tuple[str, ...] = ()
    record: dict = field(default_factory=dict)


def start_capturing(options: CaptureOptions) -> Callable[[CaptureJob], CapturedFile]:
    """The work of a worker process: the preview capture of a video."""
    return lambda job: capture_file(job.video, job.target, options)


def start_making_motions(work: MotionWork) -> Callable[[MotionJob], MadeMotion]:
    """The work of a worker process: see :func:`make_motion`."""
    return functools.partial(make_motion, work)


def make_motion(work: MotionWork, job: MotionJob) -> MadeMotion:
    """Convert a capture, or copy a motion, then refine it; keep results that are up to date.

    Raises:
        InputError: the message names the file.
    """
    refined_already = job.is_motion and job.raw is not None and _is_refined(job.source)
    raw = job.target if job.raw is None or refined_already else job.raw
    notes: tuple[str, ...] = ()
    if job.is_motion:
        how = _copy(job.source, raw)
    else:
        outcome = convert_pair(work.given if job.given else work.own, False, Pairing(job.source, raw))
        how, notes = outcome.how, outcome.notes
    record: dict = {}
    if raw != job.target:
        outcome = refine_pair(RunSettings(RefiningSettings()), False, Pairing(raw, job.target))
        notes, record = (*notes, *outcome.notes), outcome.record
        how = outcome.how if how == UNCHANGED else how
    clip = read_motion(job.target)
    return MadeMotion(how, seconds_of(clip), clip.fps, notes, record)


def _is_refined(source: Location) -> bool:
    with local_copy(source) as path:
        return read_motion(path).refined is not None


def _copy(source: Location, target: Path) -> str:
    """Copy a motion unless the copy exists."""
    with local_copy(source) as path:
        read_motion(path)  # a damaged file ends this entry here
        if target.exists() and filecmp.cmp(path, target, shallow=False):
            return UNCHANGED
        with atomic_path(target, durable=False) as temporary:
            shutil.copyfile(path, temporary)
    return COPIED


def start_checking(model: str | None, renderer: str) -> Callable[[CheckJob], list[str]]:
    """The work of a worker process: the overlay of a motion on its source video."""
    return functools.partial(_check, load_checker("smplx", model, "cpu", renderer))


def _check(checker: Checker, job: CheckJob) -> list[str]:
    return checker.check(job, CheckOptions(), lambda frames, total: frames)
