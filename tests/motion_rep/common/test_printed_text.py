"""What is printed never steers a terminal, whatever stands in flags and file names."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest
from checkout import REPO
from sample_motions import smooth_clip

from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.motions.motion_file import write_motion
from motion_rep.plot_motion import main as plot

RED = "\x1b[31mred\x07\u202e"


@pytest.mark.parametrize(
    "arguments", [[f"--{RED}"], ["-i", "a.pt", "-o", "b.pt", RED], ["--person", "a", f"--fps={RED}"]]
)
def test_errors_about_flags(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        convert(arguments)
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.startswith("error: ")
    assert error.rstrip("\n").isprintable()


@pytest.mark.parametrize("name", ["cost_$5_vs_$6^_.pt", f"a{RED}.pt", "$\\frac{1}$.pt", os.fsdecode(b"a\xff.pt")])
def test_names_in_plots_are_no_markup(tmp_path, capsys, name):
    write_motion(tmp_path / name, smooth_clip())
    assert plot([str(tmp_path / name), "-o", str(tmp_path / "a.png")]) == 0
    captured = capsys.readouterr()
    assert (tmp_path / "a.png").is_file() and captured.err == ""


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_streams_do_not_decide_about_the_work(tmp_path, closed):
    write_motion(tmp_path / "a.pt", smooth_clip())
    command = [sys.executable, str(REPO / "motion_rep/export_motion.py"), str(tmp_path / "a.pt")]
    shell = " ".join(f"{number}>&-" if number else "0<&-" for number in closed)
    line = f"exec {shlex.join([*command, '-o', str(tmp_path / 'out.csv')])} {shell}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0 and (tmp_path / "out.csv").is_file()


def test_streams_that_hold_only_ascii(tmp_path):
    path = tmp_path / "\u00e9\u4e2d.pt"
    write_motion(path, smooth_clip())
    command = [sys.executable, str(REPO / "motion_rep/export_motion.py"), str(path), "-o", str(tmp_path / "\u00e9.csv")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr and (tmp_path / "\u00e9.csv").is_file()
