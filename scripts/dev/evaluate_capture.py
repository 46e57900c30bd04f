"""Measure the preview capture on drawn clips with known truth, and on real clips: errors per clip and their mean."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, positive_int, progress, run_command, say
from motion_rep.common.errors import UsageError

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


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--set",
        choices=["test", "tune", "all"],
        default="test",
        help="test: clips that were not looked at while tuning",
    )
    parser.add_argument("--only", metavar="TEXT", help="only clips whose name holds this text")
    parser.add_argument("--frames", type=positive_int, default=120, help="frames per clip, at 30 a second")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the drawn videos and the captures in this folder"
    )
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    return parser


def main(argv=None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    import tempfile

    import torch

    from motion_rep.files.atomic_writing import require_folder
    from motion_rep.files.json_files import write_json
    from scripts.dev.capture_evaluation.clips import SETS

    torch.set_num_threads(1)
    chosen = [
        clip
        for name, clips in SETS.items()
        if args.set in (name, "all")
        for clip in clips
        if not args.only or args.only in clip.name
    ]
    if not chosen:
        raise UsageError(f"--only {args.only}: no clip has this in its name; names are like {SETS['test'][0].name}.")
    scores = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = require_folder(args.keep or temporary)
        for clip in progress(chosen, "clips", len(chosen), "clip"):
            scores[clip.name] = measure(clip, args.frames, folder)
            say(_row(clip.name, scores[clip.name].to_dict(), header=len(scores) == 1))
    summary = _summary(list(scores.values()))
    say(_row("mean", summary, header=False))
    say(
        f"largest MPJPE {summary['largest_mpjpe']:.1f} mm; "
        f"jitter over all clips {summary['jitter'] / summary['true_jitter']:.2f} of the truth's"
    )
    if args.json:
        write_json(args.json, {"mean": summary, "clips": {name: s.to_dict() for name, s in scores.items()}})
    return DONE


def measure(clip, frames: int, folder: Path):
    """Draw one clip, capture it with the command that users run, and compare."""
    import numpy as np

    from motion_rep.captures.capture_file import read_standard_capture
    from motion_rep.kinematics.skeleton import forward_kinematics
    from scripts.dev.capture_evaluation.motions import make_motion
    from scripts.dev.capture_evaluation.scores import score

    video, output = folder / f"{clip.name}.mp4", folder / f"{clip.name}.pt"
    motion = make_motion(clip.motion, frames, clip.heading)
    _draw(clip, motion, video)
    seconds = _capture(clip, video, output)
    found = read_standard_capture(output)
    rows = found.frame_index.numpy()
    truth = clip.camera.to_camera(forward_kinematics(motion.root, motion.body, motion.transl).positions.numpy())[rows]
    joints = forward_kinematics(found.root_rotations, found.body_rotations, found.transl).positions.numpy()
    return score(np.asarray(joints), truth, len(rows) / frames, 100 * seconds / frames)


def _draw(clip, motion, video: Path) -> None:
    from motion_rep.video.writing import open_writer
    from scripts.dev.capture_evaluation.clips import figure_of
    from scripts.dev.capture_evaluation.stage import draw_clip

    with open_writer(video, clip.camera.width, clip.camera.height, 30.0) as writer:
        for rgb in draw_clip(motion, figure_of(clip), clip.camera, clip.box, seed=sum(clip.name.encode())):
            writer.write(rgb)


def _capture(clip, video: Path, output: Path) -> float:
    """Run the command in a process of its own; returns its processor time in seconds, starting included."""
    import resource
    import subprocess

    command = [sys.executable, str(Path(__file__).resolve().parents[2] / "motion_rep" / "capture_preview.py")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--video", str(video), "--output", str(output), "--overwrite"],
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise UsageError(f"{clip.name}: the capture failed: {done.stderr.strip()[-300:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _summary(scores: list) -> dict[str, float]:
    from scripts.dev.capture_evaluation.scores import mean

    return mean(scores) | {"largest_mpjpe": max(s.mpjpe for s in scores)}


def _row(name: str, values: dict[str, float], header: bool) -> str:
    line = f"{name:28}" + "".join(
        f"{values[key]:{len(title) + 2}.{2 if key in ('jitter_ratio', 'detected', 'seconds') else 1}f}"
        for key, title in COLUMNS.items()
    )
    return f"{'clip':28}" + "".join(f"  {title}" for title in COLUMNS.values()) + "\n" + line if header else line


if __name__ == "__main__":
    raise SystemExit(main())
