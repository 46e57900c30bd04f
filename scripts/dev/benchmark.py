"""Measure the speed and memory of every stage on this machine, next to its lower bound in the same run, and how the
cost grows with the number of items.

Each figure comes from a separate process. A limit (lower bound) is the work that a stage cannot avoid, measured alone:
reading and writing the files, drawing without encoding, encoding without drawing, importing torch. "per item" is CPU
time on all cores together, including the encoder; unlike the rate, it hardly changes when the machine is busy.
Conversion is measured with its files in memory if the system offers such a folder, to measure the program alone, and
once on the disk of temporary files, next to the rate of that disk.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.common.messages import say

ROOT = Path(__file__).resolve().parents[2]
CONVERTER = ROOT / "motion_rep" / "convert_hmr_to_motion.py"
SCRIPTS = (
    CONVERTER,
    ROOT / "motion_rep" / "motion_checker.py",
    ROOT / "motion_gating" / "render_mbench_videos.py",
    ROOT / "motion_gating" / "apply_quality_gate.py",
)
# Stage -> the stages that are its lower bounds.
STAGES = {
    "convert": ("convert: files alone",),
    "convert, workers at work": (),
    "convert, workers on a disk": ("convert, workers on a disk: writing",),
    "convert, all cores": (),
    "lit": ("lit: drawing", "lit: encoding"),
    "depth": ("depth: drawing", "depth: encoding"),
    "judge clip": (),
    "refine": (),
    "skinning": (),
    "gate, manual verdicts": (),
}
ALL_STAGES = tuple(name for stage, limits in STAGES.items() for name in (stage, *limits))
IN_MEMORY = ("convert", "convert: files alone", "convert, workers at work", "convert, all cores")
MEMORY = Path("/dev/shm")
ONE_CORE = ("convert", "convert: files alone", "judge clip", "refine", "skinning", "gate, manual verdicts")
GROWTH = (1, 10, 100, 1000)
CLIP_FRAMES = 82
MOTION_BYTES = 92_000
# CPU time per clip with which 228,000 clips, the size of ViMoGen-228K, take 12 hours on one core.
JUDGE_CLIP_MS = 190


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--items",
        type=positive_int,
        nargs="+",
        default=GROWTH,
        help="numbers of items (clips of 81 rows, frames, entries)",
    )
    parser.add_argument(
        "--stage", choices=ALL_STAGES, help="measure only this stage, in this process, with the last number of --items"
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    if args.stage:
        print(json.dumps(_measure(args.stage, args.items[-1])))
        return DONE
    results = {stage: {count: _in_own_process(stage, count) for count in args.items} for stage in ALL_STAGES}
    machine = {
        "processor": _processor(),
        "cores": _cores(),
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 1),
    }
    machine["cores together"] = _cores_together()
    starts = _starts()
    text = (
        json.dumps({"machine": machine, "stages": results, "starts": starts}, indent=2)
        if args.json
        else "\n".join(_tables(machine, results, starts))
    )
    for line in text.splitlines():
        say(line)
    return DONE


def _in_own_process(stage: str, count: int) -> dict:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} if stage in ONE_CORE else dict(os.environ)
    return json.loads(_output([sys.executable, __file__, "--stage", stage, "--items", str(count)], environment))


def _output(command: list, environment: dict | None = None) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()[-600:]}")
    return done.stdout


def _measure(stage: str, count: int) -> dict:
    """Seconds and CPU seconds for the items, after loading everything, and peak memory of this process."""
    import resource

    with tempfile.TemporaryDirectory(dir=_memory() if stage in IN_MEMORY else None) as folder:
        work = _prepared(stage, Path(folder), count)
        start, before = time.perf_counter(), _processor_seconds()
        in_workers = work()
        seconds, used = time.perf_counter() - start, _processor_seconds() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    # The usage of a command's workers is not visible here.
    per_item = None if stage == "convert, all cores" else round((used + (in_workers or 0.0)) / count * 1e3, 2)
    return {"seconds": round(seconds, 4), "rate": round(count / seconds, 1), "cpu_ms": per_item, "peak_mb": peak}


def _memory() -> Path | None:
    """A folder in memory with enough space; None if there is none."""
    import shutil

    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2**30 else None


def _processor_seconds() -> float:
    """CPU seconds of this process and of its finished child processes."""
    times = os.times()
    return sum(times[:4])


def _prepared(stage: str, folder: Path, count: int):
    """A function that does the work; one-time preparations are already done."""
    import torch

    torch.set_num_threads(1)
    if stage == "convert":
        return _conversion(folder, count)
    if stage == "convert: files alone":
        return _files_alone(folder, count)
    if stage in ("convert, workers at work", "convert, workers on a disk"):
        return _by_workers("timed_conversion", folder, count)
    if stage == "convert, workers on a disk: writing":
        return _by_workers("timed_writing", folder, count)
    if stage == "convert, all cores":
        return _conversion_command(folder, count)
    if stage == "gate, manual verdicts":
        return _gate(folder, count)
    if stage == "judge clip":
        return _judge_clips(folder, count)
    if stage == "refine":
        return _refining(count)
    if stage == "skinning":
        return _skinning(count)
    kind, _, part = stage.partition(": ")
    return _drawing(kind, part, folder, count)


def _conversion(folder: Path, count: int):
    from motion_rep.conversion.items import convert_pair
    from motion_rep.conversion.settings import Settings
    from motion_rep.runs.pairing import Pairing

    one = _capture_file(folder / "capture.pt")
    convert_pair(Settings(), False, Pairing(one, folder / "warm.pt"))

    def work() -> None:
        for number in range(count):
            convert_pair(Settings(), False, Pairing(one, folder / f"{number}.pt"))

    return work


def _files_alone(folder: Path, count: int):
    """torch.load and torch.save of the same files, without flushing to the disk."""
    import torch

    from motion_rep.conversion.items import convert_file
    from motion_rep.conversion.settings import Settings

    one = _capture_file(folder / "capture.pt")
    convert_file(one, folder / "motion.pt", Settings())
    motion = torch.load(folder / "motion.pt", weights_only=True)

    def work() -> None:
        for number in range(count):
            torch.load(one, weights_only=True)
            torch.save(motion, folder / f"{number}.pt")

    return work


def _by_workers(work_name: str, folder: Path, count: int):
    """One worker per core, without their start-up: the clock begins after they have done some clips. The work returns
    the workers' CPU seconds.
    """
    from motion_rep.runs.pairing import Pairing
    from motion_rep.runs.work_pool import StartIn, run_items

    one, first = _capture_file(folder / "capture.pt"), 50 * _cores()
    pairs = (Pairing(one, folder / f"{number}.pt") for number in range(first + count))
    results = run_items(StartIn("scripts.dev.benchmark", work_name), pairs, _cores())
    before = dict(next(results)[1] for _ in range(first))

    def work() -> float:
        after = dict(answer for _, answer in results)
        return sum(seconds - before.get(process, 0.0) for process, seconds in after.items())

    return work


def timed_conversion(pair) -> tuple[int, float]:
    """The work of the converter's worker, with another answer: the process and its CPU seconds so far."""
    from motion_rep.conversion.items import convert_pair
    from motion_rep.conversion.settings import Settings

    convert_pair(Settings(), False, pair)
    return os.getpid(), time.process_time()


def timed_writing(pair) -> tuple[int, float]:
    """Write as many bytes as a motion has into a new file: the cost of the disk."""
    pair.target.write_bytes(_bytes_of_a_motion())
    return os.getpid(), time.process_time()


@functools.cache
def _bytes_of_a_motion() -> bytes:
    return os.urandom(MOTION_BYTES)


def _conversion_command(folder: Path, count: int):
    """The whole command over a folder, including its start."""
    import shutil

    one = _capture_file(folder / "capture.pt")
    (folder / "in").mkdir()
    for number in range(count):
        shutil.copy(one, folder / "in" / f"{number}.pt")
    return lambda: _output(
        [sys.executable, CONVERTER, "-i", folder / "in", "-o", folder / "out", "--workers", _cores()]
    )


def _gate(folder: Path, count: int):
    """The whole gate over an archive with a verdict for each entry."""
    import torch

    from motion_gating.apply_quality_gate import main as gate
    from motion_gating.rendering.clip_render import eval_dict
    from motion_rep.conversion.items import convert_file
    from motion_rep.conversion.settings import Settings
    from motion_rep.motions.consistency import agreed_joints
    from motion_rep.motions.encoding import body_parameters
    from motion_rep.motions.motion_file import read_motion

    (folder / "video.mp4").write_bytes(b"any bytes")
    convert_file(_capture_file(folder / "capture.pt"), folder / "m.pt", Settings())
    clip = read_motion(folder / "m.pt")
    torch.save(eval_dict(clip, agreed_joints(clip.motion), body_parameters(clip.motion.double())), folder / "eval.pt")
    entries = [
        {"id": n, "prompt": "a person", "motion_path": "m.pt", "video_path": "video.mp4", "mbench_eval_path": "eval.pt"}
        for n in range(count)
    ]
    (folder / "archive.json").write_text(json.dumps(entries))
    (folder / "verdicts.json").write_text(
        json.dumps([{"id": n, "matches": True, "analysis": "it does"} for n in range(count)])
    )
    flags = [
        "--judge",
        "manual",
        "--verdicts",
        folder / "verdicts.json",
        "--quality-report",
        folder / "report.json",
        "--output-json",
        folder / "out.json",
    ]

    def work() -> None:
        with open(os.devnull, "w") as nowhere:
            sys.stdout, out = nowhere, sys.stdout
            try:
                if gate(["--meta-json", str(folder / "archive.json"), *map(str, flags)]):
                    raise RuntimeError("the gate failed")
            finally:
                sys.stdout = out

    return work


def _judge_clips(folder: Path, count: int):
    """Clips of 81 rows, drawn as by ``render_mbench_videos.py --for-judge``, including reading and the eval file."""
    from motion_gating.rendering.clip_render import RenderJob, RenderSettings, RenderTarget, Tools, start_rendering
    from motion_rep.conversion.items import convert_file
    from motion_rep.conversion.settings import Settings
    from motion_rep.drawing.mbench_scene import CLOSE

    convert_file(_capture_file(folder / "capture.pt"), folder / "m.pt", Settings())
    settings = RenderSettings(512, 512, framing=CLOSE, sampling_fps=5.0)
    render = start_rendering(Tools(threads=0), settings, overwrite=True)

    def draw(number: int) -> None:
        target = RenderTarget(folder / f"{number}.mp4", folder / f"{number}_eval.pt")
        render(RenderJob("m.pt", folder / "archive.json", target))

    draw(0)

    def work() -> None:
        for number in range(count):
            draw(number)

    return work


def _refining(count: int):
    """Trembling and leaning clips of 81 frames, so that every repair has work to do; without files."""
    from motion_rep.refining.refinement import refine
    from motion_rep.refining.settings import Settings
    from scripts.dev.refining_evaluation.clips import clip_of, noisy, sample, tilt

    clip = clip_of(noisy(sample("jumping_jack").turned(tilt(10, 2))))
    refine(clip, Settings())

    def work() -> None:
        for _ in range(count):
            refine(clip, Settings())

    return work


def _skinning(count: int):
    from motion_rep.bodies.mannequin_body import MannequinBody
    from motion_rep.bodies.posing import posed_frames

    body, parameters = MannequinBody(), _parameters(count)

    def work() -> None:
        for _ in posed_frames(body, parameters):
            pass

    return work


def _drawing(kind: str, part: str, folder: Path, count: int):
    """Draw and encode; ``part`` measures one of them: ``drawing`` discards the pictures, ``encoding`` uses existing
    ones.
    """
    from motion_rep.bodies.mannequin_body import MannequinBody
    from motion_rep.drawing.opencv_renderer import OpenCvRenderer
    from motion_rep.video.writing import open_writer

    width, height = (1280, 720) if kind == "depth" else (960, 960)
    pictures = _depth_pictures if kind == "depth" else _lit_pictures
    tools = MannequinBody(), OpenCvRenderer()
    ready = list(pictures(*tools, min(count, 50), width, height)) if part == "encoding" else None
    tools[0].coarse()

    def work() -> None:
        source = (
            pictures(*tools, count, width, height)
            if ready is None
            else (ready[number % len(ready)] for number in range(count))
        )
        if part == "drawing":
            for _ in source:
                pass
            return
        with open_writer(folder / "video.mp4", width, height, 20.0) as writer:
            write = writer.write_grey if kind == "depth" else writer.write
            for picture in source:
                write(picture)

    return work


def _lit_pictures(body, renderer, frames: int, width: int, height: int):
    from motion_rep.drawing.lit_clip import lit_frames

    return lit_frames(body, renderer, _parameters(frames), width, height)


def _depth_pictures(body, renderer, frames: int, width: int, height: int):
    from motion_rep.bodies.posing import posed_frames
    from motion_rep.drawing.depth_check import depth_painter
    from motion_rep.motions.encoding import encode_capture
    from motion_rep.runs.ordered_threads import map_in_order

    camera, parameters = encode_capture(_read(_capture(frames + 1))).camera, _parameters(frames)
    drawn, painter = depth_painter(body, renderer, parameters, camera, width, height)
    return map_in_order(lambda item: painter.picture(*item), enumerate(posed_frames(drawn, parameters)))


def _capture(frames: int) -> dict:
    """A person who waves and steps around, seen from 4 m by a 1280x720 camera."""
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


def _capture_file(path: Path) -> Path:
    import torch

    torch.save(_capture(CLIP_FRAMES), path)
    return path


def _read(values: dict):
    from motion_rep.captures.capture_file import capture_from_dict

    return capture_from_dict(values)


def _parameters(frames: int):
    from motion_rep.motions.encoding import body_parameters, encode_capture

    return body_parameters(encode_capture(_read(_capture(frames + 1))).motion)


def _starts() -> dict[str, float]:
    """Seconds, best of three: import of torch alone, a script's help, its first result."""
    starts = {"import torch (the limit)": _best([sys.executable, "-c", "import torch"])}
    for script in SCRIPTS:
        starts[f"{script.name} --help"] = _best([sys.executable, script, "--help"])
    with tempfile.TemporaryDirectory() as folder:
        one = _capture_file(Path(folder) / "capture.pt")
        starts[f"{CONVERTER.name}, one clip"] = _best(
            [sys.executable, CONVERTER, "-i", one, "-o", Path(folder) / "motion.pt"]
        )
    return starts


def _best(command: list) -> float:
    found = []
    for _ in range(3):
        start = time.perf_counter()
        _output(command)
        found.append(time.perf_counter() - start)
    return round(min(found), 2)


def _cores() -> int:
    from motion_rep.runs.ordered_threads import usable_cores

    return usable_cores()


def _cores_together() -> float:
    """Speed of each core while all count, relative to one core alone: the limit for workers."""
    program = "import time; start = time.perf_counter(); sum(range(30_000_000)); print(time.perf_counter() - start)"

    def seconds(processes: int) -> float:
        started = [
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        return max(float(process.communicate()[0]) for process in started)

    return round(min(seconds(1) for _ in range(3)) / min(seconds(_cores()) for _ in range(3)), 2)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _tables(machine: dict, results: dict, starts: dict) -> list[str]:
    """Three tables: rates with their limits, growth, starts."""
    counts = list(next(iter(results.values())))
    most = counts[-1]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, load "
        f"{machine['load before']} before the run.",
        f"With all cores busy, each computes at {machine['cores together']:.0%} of the speed that one has alone.",
        f"Conversion with its files in {MEMORY if _memory() else 'the folder of temporary files'}.",
        "",
    ]
    lines += [
        f"| stage ({most} items) | rate | per item | of its limit | peak memory |",
        "| --- | --- | --- | --- | --- |",
    ]
    for stage in STAGES:
        found = results[stage][most]
        per_item = "" if found["cpu_ms"] is None else f"{found['cpu_ms']:.2f} ms"
        lines.append(
            f"| {stage} | {found['rate']:g} {_unit(stage)}/s | {per_item} | {_share(stage, results, most)} | "
            f"{found['peak_mb']} MB |"
        )
    lines += ["", f"| seconds for | {' | '.join(map(str, counts))} |", f"| --- |{' --- |' * len(counts)}"]
    lines += [
        f"| {stage} | {' | '.join(format(results[stage][count]['seconds'], '.3g') for count in counts)} |"
        for stage in STAGES
    ]
    lines += ["", "| start | seconds |", "| --- | --- |"]
    return lines + [f"| {name} | {seconds} |" for name, seconds in starts.items()]


def _unit(stage: str) -> str:
    return "clips" if stage.startswith(("convert", "judge")) else "entries" if stage.startswith("gate") else "frames"


def _share(stage: str, results: dict, count: int) -> str:
    """A rate relative to the slowest of its limits; if parts overlap on several cores, that is the slower part."""
    if stage == "convert, workers at work":
        linear = _cores() * results["convert"][count]["rate"]
        return f"{results[stage][count]['rate'] / linear:.0%} of {_cores()} x one core ({linear:g})"
    if stage == "judge clip":
        return f"{results[stage][count]['cpu_ms'] / JUDGE_CLIP_MS:.0%} of {JUDGE_CLIP_MS} ms"
    limits = {name: results[name][count]["rate"] for name in STAGES[stage]}
    if not limits:
        return ""
    slowest = min(limits, key=limits.get)
    return (
        f"{results[stage][count]['rate'] / limits[slowest]:.0%} of {slowest.partition(': ')[2]} ({limits[slowest]:g})"
    )


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
