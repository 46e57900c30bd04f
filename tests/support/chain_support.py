"""Running prepare_custom_motion.sh with stand-ins for the programs that need a GPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import REPO, STAND_INS

SCRIPT = REPO / "scripts" / "prepare_custom_motion.sh"
PYTHONS = ("PYTHON", "WAN_PYTHON", "GVHMR_PYTHON")


@pytest.fixture
def programs(tmp_path, quick_python):
    """Environment for checkouts of Wan and GVHMR, and a log of what they were asked."""
    root = tmp_path / "programs"
    shutil.copytree(STAND_INS, root)
    (root / "wan" / "Wan2.2-T2V-A14B").mkdir()
    roots = {"WAN_ROOT": root / "wan", "GVHMR_ROOT": root / "hmr" / "gvhmr", "STAND_IN_LOG": tmp_path / "asked.jsonl"}
    return {key: str(value) for key, value in roots.items()} | dict.fromkeys(PYTHONS, quick_python)


def chain_environment(programs, **more):
    left_out = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "SMPLX_MODEL_PATH")
    kept = {key: value for key, value in os.environ.items() if key not in left_out and not key.endswith("_ROOT")}
    return {**kept, **programs, **more}


def prepare(folder, programs, *arguments, **more):
    environment = chain_environment(programs, **more)
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def asked(programs):
    log = Path(programs["STAND_IN_LOG"])
    return [json.loads(line)["prompt"] for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
