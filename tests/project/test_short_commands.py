"""Short commands and commands by path, in a checkout that has packages with our names, as ViMoGen's has."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from checkout import REPO

from scripts.lib import short_commands

CAPTURES = REPO / "data_samples" / "captures"


@pytest.fixture
def vimogen(tmp_path):
    """A checkout with packages of our names, without what ours hold."""
    for package in ("motion_rep", "motion_gating"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "motion_rep/convert_hmr_to_motion.py").write_text("raise SystemExit('the wrong program')")
    return tmp_path


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder of packages, as an installation from the checkout makes it."""
    folder = tmp_path_factory.mktemp("installed")
    for package in short_commands.PACKAGES:
        (folder / package).symlink_to(REPO / package)
    (folder / "reference_motion_commands").symlink_to(REPO / "scripts/lib/short_commands")
    return folder


def run(folder, installed, *words):
    """Run Python in a folder, with the installed packages at the end of its path."""
    environment = {**os.environ, "PYTHONPATH": f".{os.pathsep}{installed}"}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)


# What pip writes as the script of a short name.
STUB = "import sys; from reference_motion_commands import {} as main; sys.exit(main())"


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("by_path", [False, True])
def test_commands_take_our_packages(vimogen, installed, by_path, workers):
    start = [REPO / "motion_rep/convert_hmr_to_motion.py"] if by_path else ["-c", STUB.format("convert_hmr_to_motion")]
    flags = ["-i", CAPTURES / "squat.pt", CAPTURES / "wave.pt", "-o", vimogen / "out", "--workers", workers]
    done = run(vimogen, installed, *start, *flags)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "2 converted, 0 unchanged, 0 failed" in done.stdout


def test_every_short_name_has_an_entry(vimogen, installed):
    named = re.findall(r'": "motion_\w+\.(\w+)"', (REPO / "setup.py").read_text())
    assert len(named) > 10 and all(callable(getattr(short_commands, name)) for name in named)
    assert not hasattr(short_commands, "no_command")
    done = run(vimogen, installed, "-c", STUB.format("apply_quality_gate"), "--help")
    assert done.returncode == 0 and "--quality-report" in done.stdout


def test_another_package_that_was_imported_before_is_refused_in_one_line(vimogen, installed):
    stub = "import motion_rep; " + STUB.format("convert_hmr_to_motion")
    done = run(vimogen, installed, "-c", stub, "--help")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is another package motion_rep" in done.stderr and "Run the command by path" in done.stderr
