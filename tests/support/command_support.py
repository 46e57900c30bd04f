"""What the tests of the command-line files share: motions and archives on disk, and looks at what a command said and
left.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

CONVERTER = "motion_rep/convert_hmr_to_motion.py"
CHECKER = "motion_rep/motion_checker.py"
RENDERER = "motion_gating/render_mbench_videos.py"


def assert_error_lines(stderr: str, count: int) -> list[str]:
    """Errors are lines that begin with ``error:``, one for each thing that is wrong, with nothing around them (a
    traceback, say).
    """
    lines = [line for line in stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == count and all(line.startswith("error: ") for line in lines), stderr
    return lines


def save_motion(path: Path, capture: dict, **changes) -> Path:
    """The motion file of a capture; keywords replace keys in it, or (None) remove them."""
    from motion_rep.captures.capture_file import capture_from_dict
    from motion_rep.conversion.capture_to_motion import convert
    from motion_rep.motions.motion_file import motion_dict

    value = {**motion_dict(convert(capture_from_dict(capture)).clip), **changes}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({key: found for key, found in value.items() if found is not None}, path)
    return path


def save_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class RunsCode:
    """What a hostile file holds: loading it with pickle makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def render_flags(archive: Path, folder: Path, side: int) -> list[str]:
    """The renderer's flags for small clips in a folder, and for an archive of the folder's name."""
    outputs = {"--meta-json": archive, "--output-json": folder.with_suffix(".json"), "--output-dir": folder}
    return [str(word) for pair in {**outputs, "--width": side, "--height": side}.items() for word in pair]


def save_waving_captures(folder: Path, count: int, frames: int) -> None:
    """Different captures of one length, named by their numbers."""
    seconds = torch.linspace(0, 6, frames)[:, None]
    upright = torch.tensor([[torch.pi, 0.0, 0.0]]).repeat(frames, 1)
    transl = torch.tensor([[0.0, 0.3, 4.0]]).repeat(frames, 1)
    for number in range(count):
        pose = 0.3 * torch.sin(seconds + torch.linspace(0, 6, 63) + number)
        torch.save({"global_orient": upright, "body_pose": pose, "transl": transl}, folder / f"{number:03}.pt")
