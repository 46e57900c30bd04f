"""Measure speed and memory of conversion, depth and lit videos on this machine, each beside its limit in the same run.

Every figure is a process of its own: clips in and out as files, frames into a real video. The limits are measured the same way:
drawing without encoding, encoding without drawing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.command_line import DONE, Parser, positive_int, run_command, say

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("convert", "depth", "depth drawing", "depth encoding", "lit", "lit drawing", "lit encoding", "skinning")
UNITS = {"convert": "clips/s"}
CLIP_FRAMES = 82


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--clips", type=positive_int, default=400, help="clips of 81 rows to convert")
    parser.add_argument("--frames", type=positive_int, default=400, help="frames to draw")
    parser.add_argument("--stage", choices=STAGES, help="measure only this one, in this process")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    if args.stage:
        print(json.dumps(_measure(args.stage, args.clips, args.frames)))
        return DONE
    results = {stage: _in_own_process(stage, args) for stage in STAGES}
    machine = {"processor": _processor(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    say(json.dumps({"machine": machine, "results": results}, indent=2) if args.json else _table(machine, results))
    return DONE


def _in_own_process(stage: str, args: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--stage", stage, "--clips", str(args.clips), "--frames", str(args.frames)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} if stage in ("convert", "skinning") else dict(os.environ)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{stage}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _measure(stage: str, clips: int, frames: int) -> dict:
    """Rate and peak memory of one stage, in this process."""
    import time

    with tempfile.TemporaryDirectory() as folder:
        work, count = _prepared(stage, Path(folder), clips, frames)
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
    return {"rate": round(count / seconds, 1), "unit": UNITS.get(stage, "frames/s"), "peak_mb": _peak_mb()}


def _prepared(stage: str, folder: Path, clips: int, frames: int):
    """A function that does the work, and how many items that is; everything that does not count is done before."""
    import torch

    torch.set_num_threads(1)
    if stage == "convert":
        return _conversion(folder, clips), clips
    kind, _, part = stage.partition(" ")
    if kind == "skinning":
        return _skinning(frames), frames
    return _drawing(kind, part, folder, frames), frames


def _conversion(folder: Path, clips: int):
    import torch

    from motion_rep.convert_items import Settings, convert_file

    one = folder / "capture.pt"
    torch.save(_capture(CLIP_FRAMES), one)
    convert_file(one, folder / "warm.pt", Settings())

    def work() -> None:
        for number in range(clips):
            convert_file(one, folder / f"{number}.pt", Settings(), durable=False)

    return work


def _skinning(frames: int):
    from motion_rep.mannequin_body import MannequinBody
    from motion_rep.posed_frames import posed_frames

    body, parameters = MannequinBody(), _parameters(frames)

    def work() -> None:
        for _ in posed_frames(body, parameters):
            pass

    return work


def _drawing(kind: str, part: str, folder: Path, frames: int):
    """Draw and encode; ``part`` leaves one of them out: ``drawing`` throws the pictures away, ``encoding`` has them ready."""
    from motion_rep.video_writer import open_writer

    width, height = (1280, 720) if kind == "depth" else (960, 960)
    pictures = _depth_pictures if kind == "depth" else _lit_pictures
    ready = list(pictures(50, width, height)) if part == "encoding" else None

    def work() -> None:
        source = pictures(frames, width, height) if ready is None else (ready[number % 50] for number in range(frames))
        if part == "drawing":
            for _ in source:
                pass
            return
        with open_writer(folder / "video.mp4", width, height, 20.0) as writer:
            write = writer.write_grey if kind == "depth" else writer.write
            for picture in source:
                write(picture)

    return work


def _lit_pictures(frames: int, width: int, height: int):
    from motion_rep.lit_clip import lit_frames
    from motion_rep.mannequin_body import MannequinBody
    from motion_rep.opencv_renderer import OpenCvRenderer

    return lit_frames(MannequinBody(), OpenCvRenderer(), _parameters(frames), width, height)


def _depth_pictures(frames: int, width: int, height: int):
    from motion_rep.depth_clip import DepthPainter, depth_range
    from motion_rep.encoding import encode_capture
    from motion_rep.mannequin_body import MannequinBody
    from motion_rep.opencv_renderer import OpenCvRenderer
    from motion_rep.ordered_threads import map_in_order
    from motion_rep.posed_frames import posed_frames

    body, renderer, parameters = MannequinBody(), OpenCvRenderer(), _parameters(frames)
    camera = encode_capture(_read(_capture(frames + 1))).camera
    painter = DepthPainter(renderer, body.faces, camera, width, height, depth_range(body, renderer, parameters, camera, width, height))
    return map_in_order(lambda item: painter.picture(*item), enumerate(posed_frames(body, parameters)))


def _capture(frames: int) -> dict:
    """A person who waves and steps about, seen from 4 m by a 1280x720 camera."""
    import torch

    time = torch.arange(frames, dtype=torch.float32)[:, None] / 16
    phases = torch.linspace(0, 6, 63)
    upright = torch.tensor([[torch.pi, 0.0, 0.0]]).expand(frames, 3)
    return {
        "global_orient": upright.clone(),
        "body_pose": 0.3 * torch.sin(2 * time + phases),
        "transl": torch.cat((0.3 * torch.sin(time), torch.full_like(time, 0.3), 4 + 0.3 * torch.cos(time)), dim=1),
        "focal_length": torch.tensor(1100.0),
        "width": torch.tensor(1280),
        "height": torch.tensor(720),
        "fps": 16.0,
    }


def _read(values: dict):
    from motion_rep.capture_file import capture_from_dict

    return capture_from_dict(values)


def _parameters(frames: int):
    from motion_rep.encoding import body_parameters, encode_capture

    return body_parameters(encode_capture(_read(_capture(frames + 1))).motion)


def _peak_mb() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _table(machine: dict, results: dict) -> str:
    """One line a stage; what overlaps on several cores is set beside the slower of its two parts."""
    lines = [f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}", "", "| stage | rate | of its limit | peak memory |", "| --- | --- | --- | --- |"]
    for stage, result in results.items():
        parts = [results[f"{stage} {part}"]["rate"] for part in ("drawing", "encoding") if f"{stage} {part}" in results]
        share = f"{result['rate'] / min(parts):.0%} of {min(parts):g}" if parts else ""
        lines.append(f"| {stage} | {result['rate']:g} {result['unit']} | {share} | {result['peak_mb']} MB |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
