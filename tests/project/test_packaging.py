"""What setup.py and requirements.txt say agrees with each other and with the files."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPO
from packaging.requirements import Requirement


def setup_arguments() -> dict:
    """Keyword arguments of the call in setup.py that are plain values, and its table of commands."""
    tree = ast.parse((REPO / "setup.py").read_text(encoding="utf-8"))
    call = next(
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setup"
    )
    table = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "COMMANDS")
    plain = {
        word.arg: ast.literal_eval(word.value)
        for word in call.keywords
        if word.arg in ("install_requires", "extras_require")
    }
    return {**plain, "commands": ast.literal_eval(table)}


def pins(path: Path) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return dict(line.split("==") for line in lines if line)


SETUP = setup_arguments()
PINS = pins(REPO / "requirements.txt")


def test_every_pin_lies_in_its_range_and_every_range_has_a_pin():
    ranges = {requirement.name: requirement.specifier for requirement in map(Requirement, SETUP["install_requires"])}
    assert set(ranges) == set(PINS)
    assert [name for name, version in PINS.items() if version not in ranges[name]] == []


def test_torch_is_one_wheel():
    assert PINS["torch"] == "2.13.0"


def test_every_requirement_says_why_it_is_there():
    lines = [line for line in (REPO / "requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
    assert [line for line in lines if not re.search(r"#\s+\S", line)] == []


@pytest.mark.parametrize(("name", "module"), SETUP["commands"].items())
def test_every_short_name_leads_to_a_command(name, module):
    assert name == module.rsplit(".", 1)[1].replace("_", "-")
    assert callable(importlib.import_module(module).main)


@pytest.mark.parametrize("module", SETUP["commands"].values())
def test_every_command_runs_by_path_from_anywhere_and_has_help(module, tmp_path):
    path = REPO / (module.replace(".", "/") + ".py")
    done = subprocess.run(
        [sys.executable, path, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0 and done.stdout.startswith("usage:") and not done.stderr
