"""prepare_custom_motion.sh, killed at random moments and started again, ends with the files of an undisturbed run.

The full loop (20 kills) runs where FULL_KILL_LOOP is set; here it is smaller.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest
from chain_support import PYTHONS, SCRIPT, asked, chain_environment, prepare
from command_support import files_in, save_json
from kill_support import MOST_SECONDS, Kills, descendants, wait_for_the_end

GENERATE = SCRIPT.with_name("generate_video.sh")
FULL = bool(os.environ.get("FULL_KILL_LOOP"))
KILLS, ITEMS = (20, 8) if FULL else (2, 1)
# Messages, and the time of the run.
DIFFER = ("logs/", "quality_report.run.json")
# A result whose import was killed is kept and reported; the next run makes the capture anew.
KEPT = "captures/*_gvhmr/*"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the processes to kill in /proc")
def test_a_chain_that_is_killed(tmp_path, programs):
    ids = range(ITEMS)
    verdicts = save_json(
        tmp_path / "verdicts.json", [{"id": number, "matches": number % 2 == 0, "analysis": "seen"} for number in ids]
    )
    save_json(tmp_path / "a.json", [{"id": number, "prompt": f"walk {number}"} for number in ids])
    arguments = [
        "--archive",
        "../a.json",
        "--output-dir",
        "set",
        "--hmr-model",
        "gvhmr",
        "--frames",
        "9",
        "--verdicts",
        str(verdicts),
    ]
    folders = {name: tmp_path / name for name in ("killed", "whole")}
    for folder in folders.values():
        folder.mkdir()
    real = programs | dict.fromkeys(PYTHONS, sys.executable)  # whose processes end with those that started them
    kills = Kills(lambda: sum(len(names) for _, _, names in os.walk(folders["killed"])), 6, 1.0)
    for _ in range(2 * KILLS):
        if len(kills.killed) == KILLS:
            break
        kills.kill(["bash", SCRIPT, *arguments], cwd=folders["killed"], env=chain_environment(real))
    last = prepare(folders["killed"], programs, *arguments)
    kills.wait_for_orphans()
    assert last.returncode == 0, last.stdout + last.stderr
    assert prepare(folders["whole"], programs, *arguments).returncode == 0
    killed, whole = (
        {
            name: data
            for name, data in files_in(folder / "set").items()
            if not (name.startswith(DIFFER) or (folder == folders["killed"] and fnmatch(name, KEPT)))
        }
        for folder in folders.values()
    )
    assert sorted(killed) == sorted(whole)
    assert [name for name in whole if killed[name] != whole[name]] == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("mode", "said", "kept"),
    [("wait", "still running", "videos/0.mp4"), ("serve", "viewer at", "captures/0_wham/wham_output.pkl")],
)
def test_a_signal_to_the_chain_alone_ends_its_program_and_keeps_the_result(mode, said, kept, tmp_path, programs):
    """The program has written its result and goes on for ever."""
    save_json(tmp_path / "a.json", [{"id": 0, "prompt": "walk"}])
    flags = ["--archive", "a.json", "--output-dir", "set", "--hmr-model", "wham", "--frames", "33", "--judge", "none"]
    wham = {"WHAM_ROOT": str(tmp_path / "programs/hmr/wham"), "STAND_IN_MODE": mode}
    real = programs | dict.fromkeys((*PYTHONS, "WHAM_PYTHON"), sys.executable)  # runs in the process that is started
    with subprocess.Popen(
        ["bash", SCRIPT, *flags],
        cwd=tmp_path,
        env=chain_environment(real, **wham),
        stderr=subprocess.PIPE,
        text=True,
    ) as chain:
        next(line for line in chain.stderr if said in line)
        started = descendants(chain.pid)
        chain.terminate()
        told = chain.stderr.read()
    assert chain.returncode == 143 and "error: interrupted" in told
    assert (tmp_path / "set" / kept).is_file() and "Kept " in told
    assert started
    wait_for_the_end(started)


@pytest.mark.skipif(not shutil.which("flock"), reason="waits by flock")
def test_a_program_that_a_killed_run_left_running_is_waited_for(tmp_path, programs):
    """It would write into the same place, and fill the GPU."""
    slow, go = tmp_path / "python that waits", tmp_path / "go"
    slow.write_text(
        f"#!/bin/sh\ntouch '{tmp_path}/began'\nwhile [ ! -e '{go}' ]; do sleep 0.05; done\nexec '{sys.executable}' "
        '"$@"\n'
    )
    slow.chmod(0o755)
    command = ["bash", str(GENERATE), "--model", "wan2.2", "--prompt", "walk", "--output", "out/v.mp4", "--frames", "9"]
    options = {
        "cwd": tmp_path,
        "env": chain_environment({**programs, "WAN_PYTHON": str(slow)}),
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    killed = subprocess.Popen(command, **options)
    end = time.monotonic() + MOST_SECONDS
    while not (tmp_path / "began").exists() and time.monotonic() < end:
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    again = subprocess.Popen(command, **options)
    assert "waiting until it ends" in again.stderr.readline()
    go.touch()
    assert again.wait(MOST_SECONDS) == 0, again.stderr.read()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["v.mp4", "v.mp4.json"]
    # The program that was left running finished its video, which the second run takes.
    assert asked(programs) == ["walk"]
