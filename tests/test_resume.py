"""Runs that are killed at random moments and started again end with the files of an undisturbed run.

The full loop (20 kills over 200 items) runs where FULL_KILL_LOOP is set; here it is smaller.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from command_support import CONVERTER, RENDERER, files_in, save_json, save_motion

from motion_gating.render_mbench_videos import main as render
from motion_rep.convert_hmr_to_motion import main as convert

FULL = bool(os.environ.get("FULL_KILL_LOOP"))
KILLS, ITEMS = (20, 200) if FULL else (2, 40)


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """A folder of captures long enough for a kill to meet one in the making."""
    folder = tmp_path_factory.mktemp("captures")
    generator = torch.Generator().manual_seed(0)
    for number in range(ITEMS):
        frames = 500
        time = torch.linspace(0, 6, frames)[:, None]
        pose = 0.3 * torch.sin(time + 6 * torch.rand(63, generator=generator))
        upright = torch.tensor([[torch.pi, 0.0, 0.0]]).repeat(frames, 1)
        torch.save({"global_orient": upright, "body_pose": pose, "transl": torch.tensor([[0.0, 0.3, 4.0]]).repeat(frames, 1)}, folder / f"{number:03}.pt")
    return folder


def killed_runs(script: Path, arguments: list, output: Path, kills: int) -> None:
    """Start a command again and again, with and without workers, each time killing it a moment after it has begun to write."""
    moments = random.Random(3)
    for number in range(kills):
        before = _count(output)
        command = [sys.executable, str(script), *arguments, "--workers", str(2 * (number % 2))]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and _count(output) <= before:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()


def _count(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_conversion(repo, captures, tmp_path, capsys):
    def arguments(name):
        return ["-i", str(captures), "-o", str(tmp_path / name)]

    killed_runs(repo / CONVERTER, arguments("killed"), tmp_path / "killed", KILLS)
    assert _count(tmp_path / "killed"), "no run got as far as its first file"
    assert convert(arguments("killed")) == convert(arguments("whole")) == 0
    assert files_in(tmp_path / "killed") == files_in(tmp_path / "whole") and _count(tmp_path / "whole") == ITEMS
    capsys.readouterr()
    assert convert(arguments("killed")) == 0 and f"{ITEMS} unchanged" in capsys.readouterr().out


def test_rendering(repo, make_capture, tmp_path):
    count = 40 if FULL else 6
    for number in range(count):
        save_motion(tmp_path / f"motions/{number}.pt", make_capture(frames=8, seed=number))
    archive = save_json(tmp_path / "a.json", [{"id": number, "prompt": "p", "motion_path": f"motions/{number}.pt"} for number in range(count)])

    def arguments(name):
        return ["--meta-json", str(archive), "--output-json", str(tmp_path / f"{name}.json"), "--output-dir", str(tmp_path / name), "--width", "64", "--height", "64"]

    killed_runs(repo / RENDERER, arguments("killed"), tmp_path / "killed", KILLS)
    assert render(arguments("killed")) == render(arguments("whole")) == 0
    killed, whole = files_in(tmp_path / "killed"), files_in(tmp_path / "whole")
    assert killed == whole and len(whole) == 2 * count
    assert (tmp_path / "killed.json").read_text() == (tmp_path / "whole.json").read_text().replace(str(tmp_path / "whole"), str(tmp_path / "killed"))
    left = {path.name for path in tmp_path.iterdir()} - {"motions", "a.json", "killed", "whole", "killed.json", "whole.json"}
    assert not left, "a killed run's half-written archive was not swept"


def test_two_runs_on_one_folder_do_not_disturb_each_other(repo, captures, tmp_path):
    command = [sys.executable, str(repo / CONVERTER), "-i", str(captures), "-o", str(tmp_path / "shared")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for run in runs:
        _, errors = run.communicate()
        assert run.returncode == 0, errors
    assert convert(["-i", str(captures), "-o", str(tmp_path / "alone")]) == 0
    assert files_in(tmp_path / "shared") == files_in(tmp_path / "alone")
