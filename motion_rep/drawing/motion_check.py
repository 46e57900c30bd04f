"""Check motions by eye: one depth video or overlay for each motion file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from motion_rep.bodies.body_models import Body, load_body
from motion_rep.common.command_line import DONE
from motion_rep.common.compute_threads import use_one_thread
from motion_rep.common.errors import InputError, UsageError, counted, located
from motion_rep.common.flag_values import device_or_error
from motion_rep.common.messages import progress, say, say_error, say_warning
from motion_rep.common.overwriting import refuse_overwriting
from motion_rep.drawing.depth_check import CheckOptions, Shown, check_depth, check_overlay
from motion_rep.drawing.renderers import Renderer, load_renderer
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.motion_file import read_motion
from motion_rep.safe_loading.torch_files import read_torch

ROW_WIDTH = 9  # numbers of the published data set's extrinsic: rot6d and translation

__all__ = ["CheckOptions", "check_jobs", "check_motions", "load_checker"]


@dataclass(frozen=True)
class CheckJob:
    """A motion file, its source video or None, and the video to write."""

    motion: Path
    video: Path | None
    target: Path


@dataclass(frozen=True)
class Checker:
    """Body and renderer for all jobs."""

    body: Body
    renderer: Renderer

    def check(self, job: CheckJob, options: CheckOptions, shown: Shown) -> list[str]:
        """Write one job's video.

        Args:
            shown: wraps the frames in a progress bar, given their number.
        Returns:
            Notes for the user.
        Raises:
            InputError: motion or video cannot be used, or the target cannot be written.
        """
        clip = read_motion(job.motion)
        remove_stale_temporaries(require_folder(job.target.parent), recursive=False)
        with located(job.motion):
            note = agreed_joints(clip.motion).note
        if job.video is None:
            notes = check_depth(clip, job.target, self.body, self.renderer, options, shown)
        else:
            notes = check_overlay(clip, job.video, job.target, self.body, self.renderer, options, shown)
        return [*notes, *([] if note is None else [note])]


def check_jobs(
    motions: Sequence[Path], videos: Sequence[Path], folder: Path, from_velocity: bool = False
) -> list[CheckJob]:
    """One job per motion, with no video, one for all, or one each.

    Raises:
        UsageError: another number of videos, or two motions with the same output name.
    """
    if len(videos) not in (0, 1, len(motions)):
        raise UsageError(
            f"--video-file names {counted(len(videos), 'video')} for {counted(len(motions), 'motion')}. Give "
            "one for all, or one for each."
        )
    each: Sequence[Path | None] = videos or [None]
    paired = each if len(each) == len(motions) else [*each] * len(motions)
    ending = ("overlay" if videos else "depth") + ("_recover_velocity" if from_velocity else "")
    jobs = [CheckJob(motion, video, folder / f"{motion.stem}_{ending}.mp4") for motion, video in zip(motions, paired)]
    refuse_overwriting(
        ((f"--output-dir for {job.motion}", job.target) for job in jobs),
        [*(("--motion-file", path) for path in motions), *(("--video-file", path) for path in videos)],
    )
    return jobs


def check_motions(
    checker: Checker, jobs: Sequence[CheckJob], options: CheckOptions, verbose: bool, extrinsics: bool = False
) -> int:
    """Write the video of each job and print a line for it; returns the exit code.

    Args:
        extrinsics: also print the form of each motion's extrinsic.
    """
    say(f"body: {checker.body.name}" + (f"; renderer: {checker.renderer.name}" if verbose else ""))
    code = DONE
    for job in jobs:
        try:
            notes = checker.check(job, options, lambda frames, total: progress(frames, "drawing", total, "frame"))
        except InputError as error:
            say_error(error)
            code = max(code, error.exit_code)
            continue
        for note in notes:
            say_warning(f"{job.motion}: {note}")
        if extrinsics:
            say(f"{job.motion}: {_extrinsic_form(job.motion)}")
        say(f"{job.motion} -> {job.target}")
    return code


def _extrinsic_form(path: Path) -> str:
    """The shape of a motion's extrinsic, and whether ViMoGen's own checker reads it."""
    value = read_torch(path)
    extrinsic = value.get("extrinsic") if isinstance(value, Mapping) else None
    shape = tuple(getattr(extrinsic, "shape", ()))
    if len(shape) == 2 and shape[1] == ROW_WIDTH:
        return f"its extrinsic is {shape}, rows as ViMoGen's own motion_checker.py reads them"
    return (
        f"its extrinsic is {shape or 'missing'}; ViMoGen's own motion_checker.py reads rows (T-1, {ROW_WIDTH}) only. "
        "For it, convert the capture with --extrinsic-format rows"
    )


def load_checker(smpl_type: str, model_path: str | None, device: str, renderer: str) -> Checker:
    """Load body model and renderer; frames are drawn in parallel threads, so torch itself uses one.

    Raises:
        UsageError: a model or a renderer is missing.
    """
    checker = Checker(load_body(smpl_type, model_path, device_or_error(device)), load_renderer(renderer))
    use_one_thread()
    return checker
