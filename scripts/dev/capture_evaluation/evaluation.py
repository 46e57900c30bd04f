"""The evaluation of the preview capture: draw a clip, capture it with the users' command, compare with the truth."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from motion_rep.captures.capture_file import read_standard_capture
from motion_rep.common.errors import UsageError
from motion_rep.common.messages import progress, say
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.json_files import write_json
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.video.writing import open_writer
from scripts.dev.capture_evaluation.clips import SETS, Clip, figure_of
from scripts.dev.capture_evaluation.mocap import mocap_motion
from scripts.dev.capture_evaluation.motions import FPS, BodyMotion, make_motion
from scripts.dev.capture_evaluation.real_clips import real_clips, real_row, score_real
from scripts.dev.capture_evaluation.scores import Scores, mean, score
from scripts.dev.capture_evaluation.stage import draw_clip

CAPTURE = Path(__file__).resolve().parents[3] / "motion_rep" / "capture_preview.py"
COLUMNS = {
    "mpjpe": "MPJPE mm",
    "procrustes": "Procr. mm",
    "hip": "hip deg",
    "knee": "knee deg",
    "shoulder": "should. deg",
    "elbow": "elbow deg",
    "limbs": "limbs deg",
    "root": "root mm",
    "jitter_ratio": "jitter/true",
    "detected": "detected",
    "seconds": "s/100 fr.",
}


def evaluate(
    chosen: str, only: str | None, frames: int, keep: Path | None, json_file: Path | None, real: Path | None = None
) -> None:
    """Measure the clips of a set, then those of a folder of real clips; print a row for each, and their mean.

    Args:
        chosen: name of a set, or ``all``.
        only: a part of the names of the clips to measure.
        keep: folder for the drawn videos and the captures.
        json_file: file for all figures.
        real: folder of real clips, see :mod:`scripts.dev.capture_evaluation.real_clips`.
    Raises:
        UsageError: no clip is selected, or the capture fails.
    """
    torch.set_num_threads(1)
    clips = [clip for name, some in SETS.items() if chosen in (name, "all") for clip in some]
    clips = [clip for clip in clips if not only or only in clip.name]
    if not clips:
        raise UsageError(f"--only {only}: no clip name contains this; names are like {SETS['test'][0].name}.")
    scores: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = require_folder(keep or temporary)
        for clip in progress(clips, "clips", len(clips), "clip"):
            scores[clip.name] = measure(clip, frames, folder)
            say(_row(clip.name, scores[clip.name].to_dict(), header=len(scores) == 1))
    summary = mean(list(scores.values())) | {"largest_mpjpe": max(found.mpjpe for found in scores.values())}
    say(_row("mean", summary, header=False))
    ratio = summary["jitter"] / summary["true_jitter"]
    say(f"largest MPJPE {summary['largest_mpjpe']:.1f} mm; jitter over all clips {ratio:.2f} of the truth's")
    known = {} if real is None else _measure_real(real, keep)
    if json_file:
        drawn = {name: found.to_dict() for name, found in scores.items()}
        write_json(json_file, {"mean": summary, "clips": drawn, "real": known})


def _measure_real(real: Path, keep: Path | None) -> dict[str, dict[str, float | None]]:
    """Capture and score the real clips of a folder, and print a row for each."""
    known: dict[str, dict[str, float | None]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = require_folder(keep or temporary)
        for video in real_clips(real):
            output = folder / f"{video.stem}.pt"
            seconds = _capture(video.stem, video, output)
            known[video.stem] = score_real(output, video, seconds).to_dict()
            say(real_row(video.stem, known[video.stem], header=len(known) == 1))
    return known


def measure(clip: Clip, frames: int, folder: Path) -> Scores:
    """Draw one clip, capture it, and compare."""
    video, output = folder / f"{clip.name}.mp4", folder / f"{clip.name}.pt"
    motion = _motion_of(clip, round(frames * clip.fps / FPS))
    frames = len(motion.transl)
    _draw(clip, motion, video)
    seconds = _capture(clip.name, video, output)
    found = read_standard_capture(output)
    rows = found.frame_index.numpy()
    truth = clip.camera.to_camera(forward_kinematics(motion.root, motion.body, motion.transl).positions.numpy())[rows]
    joints = forward_kinematics(found.root_rotations, found.body_rotations, found.transl).positions.numpy()
    return score(np.asarray(joints), truth, len(rows) / frames, 100 * seconds / frames)


def _motion_of(clip: Clip, frames: int) -> BodyMotion:
    kind, _, name = clip.motion.rpartition(":")
    if kind == "mocap":
        return mocap_motion(name, frames, clip.heading, clip.fps)
    return make_motion(name, frames, clip.heading, clip.fps)


def _draw(clip: Clip, motion: BodyMotion, video: Path) -> None:
    with open_writer(video, clip.camera.width, clip.camera.height, clip.fps) as writer:
        for rgb in draw_clip(motion, figure_of(clip), clip.camera, clip.box, seed=sum(clip.name.encode())):
            writer.write(rgb)


def _capture(name: str, video: Path, output: Path) -> float:
    """Run the command in a separate process; returns its CPU time in seconds, including its start."""
    command = [sys.executable, str(CAPTURE), "--video", str(video), "--output", str(output), "--overwrite"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise UsageError(f"{name}: the capture failed: {done.stderr.strip()[-300:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _row(name: str, values: dict[str, float], header: bool) -> str:
    line = f"{name:28}" + "".join(
        f"{values[key]:{len(title) + 2}.{2 if key in ('jitter_ratio', 'detected', 'seconds') else 1}f}"
        for key, title in COLUMNS.items()
    )
    return f"{'clip':28}" + "".join(f"  {title}" for title in COLUMNS.values()) + "\n" + line if header else line
