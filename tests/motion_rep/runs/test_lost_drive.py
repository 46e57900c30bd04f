"""A network drive that is lost before or during a run: one clear line for each thing that is wrong, old outputs
whole, and no hang.

The drive is a folder mounted through FUSE (bindfs), whose server is killed: from then on every call answers
"Transport endpoint is not connected", on files that are open, too. Skipped where FUSE or bindfs are missing (Debian:
apt install bindfs).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from checkout import REPO
from command_support import (
    CHECKER,
    CONVERTER,
    RENDERER,
    assert_error_lines,
    files_in,
    render_flags,
    save_json,
    save_motion,
    save_waving_captures,
)
from gate_support import GATE, OpenAIProtocol, Service, environment, make_archive, read, run_here
from sample_motions import smooth_clip

from motion_gating.apply_quality_gate import main as gate
from motion_gating.render_mbench_videos import main as render
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.motion_checker import main as check
from motion_rep.motions.motion_file import write_motion

MOST_SECONDS = 120
CAPTURES, CLIPS = 150, 24
CONVERTER_PATH, RENDERER_PATH, CHECKER_PATH = (REPO / name for name in (CONVERTER, RENDERER, CHECKER))


class Drive:
    """A mounted folder; what is on it can be seen behind it when it is gone."""

    def __init__(self, folder: Path) -> None:
        self.behind, self.path = folder / "behind", folder / "drive"
        for path in (self.behind, self.path):
            path.mkdir(parents=True)
        self.mount()

    def mount(self) -> None:
        self._server = subprocess.Popen(
            ["bindfs", "-f", str(self.behind), str(self.path)], stderr=subprocess.PIPE, text=True
        )
        while not os.path.ismount(self.path):
            if self._server.poll() is not None:
                pytest.skip(f"FUSE cannot mount here: {self._server.stderr.read().strip()}")
            time.sleep(0.01)

    def vanish(self) -> None:
        self._server.kill()
        self._server.wait()

    def unmount(self) -> None:
        self.vanish()
        subprocess.run(
            ["umount", "-l", str(self.path)] if os.geteuid() == 0 else ["fusermount", "-u", "-z", str(self.path)],
            check=False,
        )

    def come_back(self) -> None:
        self.unmount()
        self.mount()


@pytest.fixture
def drive(tmp_path):
    if not (shutil.which("bindfs") and os.access("/dev/fuse", os.R_OK | os.W_OK)):
        pytest.skip("a drive that can be lost needs FUSE and bindfs (Debian: apt install bindfs)")
    made = Drive(tmp_path / "network")
    yield made
    made.unmount()


@pytest.fixture
def start(tmp_path):
    """Start a command from another folder."""

    def begin(script, *arguments, **options) -> subprocess.Popen:
        command = [str(word) for word in (sys.executable, script, *arguments)]
        return subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    return begin


def ended(process: subprocess.Popen) -> tuple[int, list[str]]:
    """Exit code and error lines of a command, which says nothing else on stderr."""
    _, errors = process.communicate(timeout=MOST_SECONDS)
    lines = assert_error_lines(errors, len([line for line in errors.splitlines() if not line.startswith("warning: ")]))
    assert process.returncode in (1, 2) and lines, errors
    assert not any("not expected" in line for line in lines), errors
    return process.returncode, lines


@pytest.fixture
def refused(capsys):
    """Run a command's main in this process; exit code and error lines, as :func:`ended` gives them."""

    def run(main, *arguments) -> tuple[int, list[str]]:
        capsys.readouterr()
        code, errors = main([str(word) for word in arguments]), capsys.readouterr().err
        lines = assert_error_lines(
            errors, len([line for line in errors.splitlines() if not line.startswith("warning: ")])
        )
        assert code in (1, 2) and lines and not any("not expected" in line for line in lines), errors
        return code, lines

    return run


def wait_for(condition, process: subprocess.Popen) -> None:
    end = time.monotonic() + MOST_SECONDS
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()


def finished(folder: Path) -> list[str]:
    """The names of finished files, also while more are made; what a lost run had begun lies beside them until the next
    run sweeps it.
    """
    return [name for name in os.listdir(folder) if not name.startswith(".")]


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """Captures that take longer than a drive takes to vanish, and ``whole``, their motions."""
    folder = tmp_path_factory.mktemp("many") / "captures"
    folder.mkdir()
    save_waving_captures(folder, CAPTURES, frames=200)
    assert convert(["-i", str(folder), "-o", str(folder.with_name("whole"))]) == 0
    return folder


@pytest.fixture(scope="module")
def motions(tmp_path_factory):
    """Motions for the renderer, and ``whole``, their clips."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(CLIPS):
        write_motion(folder / f"motions/{number}.pt", smooth_clip(11, number))
    archive = save_json(folder / "a.json", entries_of(folder / "motions", CLIPS))
    assert render([*render_flags(archive, folder / "whole", 64), "--workers", "0"]) == 0
    return folder / "motions"


def make_captures(folder: Path, make_capture, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        torch.save(make_capture(seed=number), folder / f"{number}.pt")
    return folder


def make_motions(folder: Path, make_capture, count: int) -> list[dict]:
    for number in range(count):
        save_motion(folder / f"{number}.pt", make_capture(frames=10, seed=number))
    return entries_of(folder, count)


def entries_of(motions: Path, count: int) -> list[dict]:
    return [{"id": number, "prompt": "p", "motion_path": str(motions / f"{number}.pt")} for number in range(count)]


# --- converter


@pytest.mark.parametrize("place", ["folder", "file", "output file", "output folder"])
def test_the_converter_without_its_drive(place, drive, refused, make_capture, tmp_path):
    here = make_captures(tmp_path / "captures", make_capture, 2)
    make_captures(drive.path / "captures", make_capture, 2)
    arguments = {
        "folder": (drive.path / "captures", tmp_path / "out"),
        "file": (drive.path / "captures/0.pt", tmp_path / "out.pt"),
        "output file": (here / "0.pt", drive.path / "out.pt"),
        "output folder": (here, drive.path / "out"),
    }[place]
    drive.vanish()
    _, lines = refused(convert, "-i", arguments[0], "-o", arguments[1])
    assert len(lines) == 1 and str(drive.path) in lines[0] and "not connected" in lines[0]
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(("lost", "workers"), [("inputs", 2), ("outputs", 0), ("outputs", 2)])
def test_the_converter_loses_its_drive(lost, workers, drive, start, captures, tmp_path):
    source = captures
    if lost == "inputs":
        shutil.copytree(captures, drive.behind / "in")
        source = drive.path / "in"
    target = tmp_path / "out" if lost == "inputs" else drive.path / "out"
    seen = tmp_path / "out" if lost == "inputs" else drive.behind / "out"
    process = start(CONVERTER_PATH, "-i", source, "-o", target, "--workers", workers)
    wait_for(lambda: seen.exists() and len(finished(seen)) >= 3, process)
    drive.vanish()
    _, lines = ended(process)
    assert all(str(drive.path) in line for line in lines) and len(lines) + len(finished(seen)) <= CAPTURES + 1
    drive.come_back()
    assert convert(["-i", str(source), "-o", str(target)]) == 0
    assert files_in(seen) == files_in(captures.with_name("whole")) and len(files_in(seen)) == CAPTURES


# --- renderer


@pytest.mark.parametrize("place", ["archive", "motions", "output archive", "output folder"])
def test_the_renderer_without_its_drive(place, drive, refused, make_capture, tmp_path):
    entries = make_motions((drive.path if place == "motions" else tmp_path) / "motions", make_capture, 2)
    archive = save_json((drive.path if place == "archive" else tmp_path) / "a.json", entries)
    output = (drive.path if place == "output archive" else tmp_path) / "b.json"
    folder = (drive.path if place == "output folder" else tmp_path) / "renders"
    drive.vanish()
    flags = ("--width", 64, "--height", 64)
    code, lines = refused(render, "--meta-json", archive, "--output-json", output, "--output-dir", folder, *flags)
    assert len(lines) == (2 if place == "motions" else 1) and code == (1 if place == "motions" else 2)
    assert all(str(drive.path) in line and "not connected" in line for line in lines)


@pytest.mark.parametrize(("lost", "workers"), [("motions", 0), ("folder", 0), ("folder", 2), ("archive", 2)])
def test_the_renderer_loses_its_drive(lost, workers, drive, start, motions, tmp_path, capsys):
    source = motions
    if lost == "motions":
        shutil.copytree(motions, drive.behind / "motions")
        source = drive.path / "motions"
    archive = save_json(tmp_path / "a.json", entries_of(source, CLIPS))
    folder = (drive.path if lost == "folder" else tmp_path) / "renders"
    seen = (drive.behind if lost == "folder" else tmp_path) / "renders"
    output = (drive.path if lost == "archive" else tmp_path) / "b.json"
    output.write_text("old")
    arguments = ["--meta-json", archive, "--output-json", output, "--output-dir", folder, "--width", 64, "--height", 64]
    process = start(RENDERER_PATH, *arguments, "--workers", workers)
    wait_for(lambda: seen.exists() and len(finished(seen)) >= 3, process)
    drive.vanish()
    _, lines = ended(process)
    assert all(str(drive.path) in line for line in lines)
    if lost == "archive":
        assert len(lines) == 1 and (drive.behind / "b.json").read_text() == "old"
    drive.come_back()
    assert render([str(word) for word in (*arguments, "--workers", 0)]) == 0
    assert f"{CLIPS} rendered" not in capsys.readouterr().out, "what was finished is kept"
    assert files_in(seen) == files_in(motions.with_name("whole")) and len(files_in(seen)) == 2 * CLIPS


# --- gate


@pytest.mark.parametrize("place", ["archive", "report", "output"])
def test_the_gate_without_its_drive(place, drive, refused, tmp_path):
    archive = make_archive((drive.path if place == "archive" else tmp_path) / "set", range(2))
    report = (drive.path if place == "report" else tmp_path) / "r.json"
    output = (drive.path if place == "output" else tmp_path) / "b.json"
    drive.vanish()
    code, lines = refused(
        gate, "--meta-json", archive, "--quality-report", report, "--output-json", output, "--judge", "none"
    )
    assert code == 2 and len(lines) == 1 and str(drive.path) in lines[0] and "not connected" in lines[0]


def test_the_gate_without_its_clips(drive, tmp_path):
    archive = make_archive(drive.path / "set", range(2))
    local = save_json(
        tmp_path / "a.json",
        [
            {
                "id": 0,
                "prompt": "p",
                "mbench_eval_path": str(archive.with_name("0_eval.pt")),
                "video_path": str(archive.with_name("0.mp4")),
            }
        ],
    )
    drive.vanish()
    flags = [*OpenAIProtocol.flags, "--vlm-base-url", "http://127.0.0.1:9/v1"]
    done = run_here(
        gate,
        [str(word) for word in ("--meta-json", local, "--quality-report", tmp_path / "r.json", *flags)],
        environment(),
    )
    assert done.returncode == 1 and all(
        line.startswith(("error: ", "warning: ")) for line in done.stderr.splitlines()
    ), done.stderr
    (record,) = read(tmp_path / "r.json")
    assert (
        record["use_ref_motion"] is None
        and "not connected" in record["metrics_error"]
        and "not connected" in record["vlm_error"]
    )


@pytest.mark.parametrize("lost", ["everything", "answers"])
def test_the_gate_loses_its_drive(lost, drive, start, tmp_path):
    archive = make_archive((drive.path if lost == "everything" else tmp_path) / "set", range(40))
    behind = (drive.behind if lost == "everything" else tmp_path) / "set" / archive.name
    before = behind.read_text()
    report = archive.with_name("report.json")
    gone = threading.Event()

    def answer(request, number):
        if number >= 20:  # so that the run cannot end before
            gone.wait(MOST_SECONDS)
        return OpenAIProtocol.answer()

    with Service(answer) as server:
        process = start(
            GATE,
            "--meta-json",
            archive,
            "--quality-report",
            report,
            "--cache-dir",
            drive.path / "answers",
            *OpenAIProtocol.flags,
            env=environment(server),
        )
        wait_for(lambda: len(server.questions) >= 5, process)
        drive.vanish()
        gone.set()
        _, lines = ended(process)
    assert len(lines) == 1 and str(drive.path) in lines[0]
    if lost == "everything":
        assert behind.read_text() == before and not (behind.parent / "report.json").exists()


# --- checker


@pytest.mark.parametrize("place", ["motion", "video", "output"])
def test_the_checker_without_its_drive(place, drive, refused, make_capture, repo, tmp_path):
    motion = save_motion((drive.path if place == "motion" else tmp_path) / "a.pt", make_capture())
    video = Path(
        shutil.copy(repo / "data_samples/sample_video.mp4", (drive.path if place == "video" else tmp_path) / "v.mp4")
    )
    output = (drive.path if place == "output" else tmp_path) / "checks"
    drive.vanish()
    _, lines = refused(check, "--motion-file", motion, "--video-file", video, "--output-dir", output)
    assert len(lines) == 1 and str(drive.path) in lines[0]


@pytest.mark.parametrize("lost", ["video", "output"])
def test_the_checker_loses_its_drive(lost, drive, start, make_capture, repo, tmp_path):
    motion = save_motion(tmp_path / "a.pt", make_capture(frames=120, width=832, height=480))
    video = Path(
        shutil.copy(repo / "data_samples/sample_video.mp4", (drive.path if lost == "video" else tmp_path) / "v.mp4")
    )
    output = (drive.path if lost == "output" else tmp_path) / "checks"
    seen = (drive.behind if lost == "output" else tmp_path) / "checks"
    seen.mkdir()
    (seen / "a_overlay.mp4").write_bytes(b"old")
    process = start(CHECKER_PATH, "--motion-file", motion, "--video-file", video, "--output-dir", output)
    wait_for(lambda: len(list(seen.iterdir())) > 1, process)
    drive.vanish()
    _, lines = ended(process)
    assert len(lines) == 1 and (seen / "a_overlay.mp4").read_bytes() == b"old"
