"""Running prepare_motions.py in this process: a command line with words of any type, without keys and checkouts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from sample_motions import smooth_clip

from motion_gating.prepare_motions import main
from motion_rep.motions.motion_file import write_motion

KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "SMPLX_MODEL_PATH")


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """A function that runs the command in a folder with spaces; gives exit code, stdout and stderr."""
    folder = tmp_path / "my folder (ü) #1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in [*KEYS, *(name for name in os.environ if name.endswith("_ROOT"))]:
        monkeypatch.delenv(name, raising=False)

    def run(*words: object) -> tuple[int, str, str]:
        try:
            code = main([*map(str, words), "--workers", "0"])
        except SystemExit as end:  # of the parser
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def save_clip(path: Path, seed: int = 0, fps: float = 16.0) -> Path:
    """A short motion file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_motion(path, smooth_clip(9, seed, 0.3, fps))
    return path


def save_capture(path: Path, capture: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(capture, path)
    return path


def read(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))
