"""Measure how long every command takes to answer --help and to give its first result on one item, with a warm disk
cache. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.errors import InputError
from motion_rep.common.flag_values import positive_int
from motion_rep.common.messages import progress, say, say_error

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data_samples"
MOST_HELP, MOST_FIRST = 0.3, 2.5


@dataclass(frozen=True)
class Times:
    """Wall-clock seconds, and CPU seconds of all cores, including child processes."""

    clock: float
    processor: float

    @property
    def least(self) -> float:
        """The CPU time, which a busy machine does not change: the clock continues while a program waits, and several
        threads count several times.
        """
        return min(self.clock, self.processor)

    def __str__(self) -> str:
        return f"{self.clock:.2f} ({self.processor:.2f})"


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "commands", nargs="*", metavar="TEXT", help="only commands whose path contains one of these texts"
    )
    parser.add_argument(
        "--runs",
        type=positive_int,
        default=5,
        help="number of runs, of which the quickest counts, because other programs on the machine only slow a run down",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    rows, slow = [], []
    with tempfile.TemporaryDirectory() as folder:
        found = [script for script in scripts() if not args.commands or any(text in script for text in args.commands)]
        firsts = first_results(Path(folder))
        if any(script in firsts for script in found):
            make_inputs(firsts)
        for script in progress(found, "starts", unit="command"):
            help_times = quickest([*interpreter(script), "--help"], args.runs)
            first = quickest([*interpreter(script), *map(str, firsts[script])], args.runs) if script in firsts else None
            rows.append((script, help_times, first))
            if help_times.least > MOST_HELP or (first is not None and first.least > MOST_FIRST):
                slow.append(script)
    say("| command | `--help`, s (processor) | first result, s (processor) |")
    say("| --- | --- | --- |")
    for script, help_times, first in rows:
        say(f"| `{script}` | {help_times} | {'' if first is None else first} |")
    for script in slow:
        say_error(
            f"{script}: takes longer than {MOST_HELP:g} s to its help or {MOST_FIRST:g} s to its first result. Find "
            f"what it imports: python -X importtime {script} --help"
        )
    return SOME_FAILED if slow else DONE


def scripts() -> list[str]:
    """Every command of the project, by its path in the checkout."""
    files = [
        path
        for folder in ("motion_rep", "motion_gating", "scripts", "scripts/lib", "scripts/dev")
        for path in sorted((ROOT / folder).glob("*.py"))
    ]
    commands = [path for path in files if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]
    return [
        str(path.relative_to(ROOT))
        for path in [*commands, *sorted((ROOT / "scripts").glob("*.sh")), ROOT / "scripts/dev/fuzz.sh"]
    ]


def interpreter(script: str) -> list[str]:
    """The beginning of a command line."""
    return ["bash" if script.endswith(".sh") else sys.executable, str(ROOT / script)]


def first_results(folder: Path) -> dict[str, list]:
    """Arguments for one item, for each command that processes items; inputs and outputs are in the folder."""
    capture, video = SAMPLES / "captures/squat.pt", SAMPLES / "sample_video.mp4"
    for name in ("captures", "motions"):
        (folder / name).mkdir()
    shutil.copy(capture, folder / "captures")
    motion, archive, rendered, report = (
        folder / "motions/squat.pt",
        folder / "archive.json",
        folder / "rendered.json",
        folder / "report.json",
    )
    archive.write_text(f'[{{"id": 0, "prompt": "a person squats", "motion_path": "{motion}"}}]', encoding="utf-8")
    verdicts = folder / "verdicts.json"
    verdicts.write_text('[{"id": 0, "matches": true, "analysis": "squats"}]', encoding="utf-8")
    gate = [
        "--meta-json",
        rendered,
        "--quality-report",
        report,
        "--output-json",
        folder / "gated.json",
        "--judge",
        "manual",
        "--verdicts",
        verdicts,
    ]
    render = ["--meta-json", archive, "--output-json", rendered, "--output-dir", folder / "renders", "--overwrite"]
    found = {
        "motion_rep/convert_hmr_to_motion.py": ["-i", capture, "-o", motion],
        "motion_gating/render_mbench_videos.py": render,
        "motion_gating/apply_quality_gate.py": gate,
        "motion_rep/inspect_capture.py": [capture],
        "motion_rep/motion_checker.py": ["--motion-file", motion, "--output-dir", folder / "checks"],
        "motion_rep/export_motion.py": [motion, "-o", folder / "squat.npz"],
        "motion_rep/plot_motion.py": [motion, "-o", folder / "squat.png"],
        "motion_gating/evaluate_gate.py": [
            "--labels",
            verdicts,
            "--quality-report",
            report,
            "--output",
            folder / "evaluation.json",
        ],
        "motion_gating/build_report.py": [
            "--meta-json",
            folder / "gated.json",
            "--quality-report",
            report,
            "--output",
            folder / "review",
            "--no-side-view",
        ],
        "scripts/lib/import_capture.py": [capture, folder / "imported.pt", "--fps", "16"],
        "scripts/lib/list_prompts.py": [archive],
        "motion_gating/prepare_motions.py": [archive, "-o", folder / "set", "--judge", "none", "--dry-run"],
        "scripts/lib/video_record.py": ["measure", video],
        "scripts/view_motion.py": [motion],
        "scripts/lib/write_frames.py": [video, folder / "frames", "--fps", "16"],
    }
    if (ROOT / "data/preview_capture/pose_detection.tflite").exists():
        found["motion_rep/capture_preview.py"] = [
            "--video",
            video,
            "--output",
            folder / "preview.pt",
            "--end",
            "0.5",
            "--overwrite",
        ]
    return found


def make_inputs(firsts: dict[str, list]) -> None:
    """The inputs of the other commands: a motion, its clip, a report."""
    for script in (
        "motion_rep/convert_hmr_to_motion.py",
        "motion_gating/render_mbench_videos.py",
        "motion_gating/apply_quality_gate.py",
    ):
        measured([*interpreter(script), *map(str, firsts[script])])


def quickest(command: list[str], runs: int) -> Times:
    """The smallest wall-clock time and the smallest CPU time of several runs."""
    found = [measured(command) for _ in range(runs)]
    return Times(min(times.clock for times in found), min(times.processor for times in found))


def measured(command: list[str]) -> Times:
    """The times of a command; for the viewer, which does not end, until its first line.

    Raises:
        InputError: it failed, or its optional package is missing.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    stays = "view_motion" in command[1] and "--help" not in command
    if stays:
        process.stdout.readline()
        clock = time.perf_counter() - start
        process.terminate()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if not stays:
        clock = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 and not stays:
        raise InputError(
            f"{' '.join(command)} ended with code {process.returncode}: "
            f"{errors.decode(errors='replace').strip()[-300:]}"
        )
    return Times(clock, usage.ru_utime + usage.ru_stime)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
