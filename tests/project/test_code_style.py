"""Formatter, linter and type checker find nothing; their settings are in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys

import pytest
from checkout import REPO


@pytest.mark.parametrize("words", [("ruff", "format", "--check", "."), ("ruff", "check", ".")])
def test_the_checker_finds_nothing(words):
    assert_clean(*words)


@pytest.mark.timeout(900)  # without its cache it takes half a minute of CPU time, which a busy machine stretches
def test_types_are_right():
    assert_clean("mypy")


def assert_clean(*words):
    done = subprocess.run([sys.executable, "-m", *words], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
