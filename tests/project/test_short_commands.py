"""Short commands and commands by path, in a checkout that has packages with our names, as ViMoGen's has."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from checkout import REPO

import reference_motion_commands

CAPTURES = REPO / "data_samples" / "captures"


@pytest.fixture
def vimogen(tmp_path):
    """A checkout with packages of our names, without what ours hold."""
    for package in ("motion_rep", "motion_gating"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "motion_rep/convert_hmr_to_motion.py").write_text("raise SystemExit('the wrong program')")
    return tmp_path


def run(folder, *words, installed_at=None):
    """Run Python in a folder; ``installed_at`` is put at the end of its path, as an installation is."""
    paths = "." if installed_at is None else f".{os.pathsep}{installed_at}"
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


# What pip writes as the script of a short name.
STUB = "import sys; from reference_motion_commands import {} as main; sys.exit(main())"


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("by_path", [False, True])
def test_commands_take_our_packages(vimogen, by_path, workers):
    start = [REPO / "motion_rep/convert_hmr_to_motion.py"] if by_path else ["-c", STUB.format("convert_hmr_to_motion")]
    flags = ["-i", CAPTURES / "squat.pt", CAPTURES / "wave.pt", "-o", vimogen / "out", "--workers", workers]
    done = run(vimogen, *start, *flags, installed_at=REPO)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "2 converted, 0 unchanged, 0 failed" in done.stdout


def test_every_short_name_has_an_entry(vimogen):
    named = re.findall(r'": "motion_\w+\.(\w+)"', (REPO / "setup.py").read_text())
    assert len(named) > 10 and all(callable(getattr(reference_motion_commands, name)) for name in named)
    assert not hasattr(reference_motion_commands, "no_command")
    done = run(vimogen, "-c", STUB.format("apply_quality_gate"), "--help", installed_at=REPO)
    assert done.returncode == 0 and "--quality-report" in done.stdout


def test_another_package_that_was_imported_before_is_refused_in_one_line(vimogen):
    stub = "import motion_rep; " + STUB.format("convert_hmr_to_motion")
    done = run(vimogen, "-c", stub, "--help", installed_at=REPO)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is another package motion_rep" in done.stderr and "Run the command by path" in done.stderr
