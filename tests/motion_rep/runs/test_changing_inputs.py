"""An input that another program replaces or rewrites at any moment of a run: no output is ever taken for that of the
new content, and each names the content from which it was made.

The input changes before one of the run's calls that open it, each in its turn. After the run, the same command with the
new content must give what it gives in an empty folder.
"""

from __future__ import annotations

import builtins
import io
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import REPO
from command_support import files_in, save_json, save_motion
from PIL import Image
from place_support import SMALL, Command, renew

from motion_rep.files.local_files import Changed, open_file
from motion_rep.safe_loading.numpy_file import NpzArrays
from motion_rep.video.reading import open_video

CHANGED = "was changed while it was read"


class Changes:
    """Changes a file before the call that opens it for the n-th time."""

    def __init__(self, monkeypatch) -> None:
        self.path, self._at, self.opened = Path(), 0, 0
        for module, name in ((os, "open"), (io, "open"), (builtins, "open")):
            monkeypatch.setattr(module, name, self._watched(getattr(module, name)))

    def run(self, command: Callable[[], int], path: Path, at: int = 0, change: Callable[[], object] = int) -> int:
        """The command's exit code."""
        self.path, self._at, self._change, self.opened = path, at, change, 0
        try:
            return command()
        finally:
            self.path = Path()

    def _watched(self, real: Callable) -> Callable:
        def call(*arguments, **options):
            if isinstance(arguments[0], str | os.PathLike) and Path(arguments[0]) == self.path:
                self.opened += 1
                if self.opened == self._at:
                    path, self.path = self.path, Path()
                    self._change()
                    self.path = path
            return real(*arguments, **options)

        return call


@pytest.fixture
def changes(monkeypatch):
    return Changes(monkeypatch)


def replaced(path: Path, data: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(data)
    os.replace(other, path)


def rewritten(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def rewritten_unseen(path: Path, data: bytes) -> None:
    """The new content has the size and the time of the old one, as on a drive that counts whole seconds."""
    assert path.stat().st_size == len(data)
    path.write_bytes(data)
    os.utime(path, (1, 1))


def converter(folder: Path, make_capture) -> Command:
    from motion_rep.convert_hmr_to_motion import main

    for seed, name in enumerate(("in/0.pt", "n")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(make_capture(seed=seed), folder / name)
    return Command(main, lambda place: ["-i", place / "in", "-o", place / "out", "--workers", 0])


def two_motions(folder: Path, make_capture) -> None:
    for seed, name in enumerate(("in/0.pt", "n")):
        save_motion(folder / name, make_capture(frames=24, seed=seed))


def refiner(folder: Path, make_capture) -> Command:
    from motion_rep.refine_motion import main

    two_motions(folder, make_capture)
    return Command(main, lambda place: ["-i", place / "in", "-o", place / "out", "--workers", 0])


def representations(folder: Path, make_capture) -> Command:
    from motion_rep.convert_representation import main

    two_motions(folder, make_capture)
    flags = ["--to", "272", "--fps", 16, "--workers", 0]
    return Command(main, lambda place: ["-i", place / "in", "-o", place / "out", *flags])


def renderer(folder: Path, make_capture) -> Command:
    from motion_gating.render_mbench_videos import main

    two_motions(folder, make_capture)
    save_json(folder / "a.json", [{"id": 0, "prompt": "p", "motion_path": "in/0.pt"}])
    inputs = ("--meta-json", "a.json"), ("--output-json", "out/b.json"), ("--output-dir", "out/clips")
    words = [word for flag, name in inputs for word in (flag, name)]
    return Command(
        main, lambda place: [*(place / word if "." in word or "/" in word else word for word in words), *SMALL]
    )


def page(folder: Path, make_capture) -> Command:
    from motion_gating.build_report import main

    two_motions(folder, make_capture)
    save_json(folder / "a.json", [{"id": 0, "prompt": "p", "motion_path": "in/0.pt"}])
    flags = ["--side-size", 32, "--workers", 0]
    return Command(main, lambda place: ["--meta-json", place / "a.json", "--output", place / "out", *flags])


COMMANDS = (converter, refiner, representations, renderer, page)


@pytest.mark.parametrize("change", [replaced, rewritten, rewritten_unseen])
@pytest.mark.parametrize("make", COMMANDS)
def test_an_input_changes(make, change, make_capture, tmp_path, capsys, changes):
    before, place = tmp_path / "before", tmp_path / "place"
    command = make(before, make_capture)
    new, source = (before / "n").read_bytes(), place / "in/0.pt"

    def start(content: bytes | None = None) -> None:
        renew(place, before)
        if content is not None:
            source.write_bytes(content)
        os.utime(source, (1, 1))

    start(new)
    assert command.run(place) == 0
    expected = {name: _lasting(data) for name, data in files_in(place / "out").items()}
    start()
    assert changes.run(lambda: command.run(place), source) == 0
    count = changes.opened
    assert count
    failed = 0
    for at in range(1, count + 1):
        start()
        capsys.readouterr()
        code = changes.run(lambda: command.run(place), source, at, lambda: change(source, new))
        errors = capsys.readouterr().err.splitlines()
        assert code in (0, 1) and (code == 0 or CHANGED in errors[0]), (at, errors)
        failed += code
        assert command.run(place) == 0
        found = files_in(place / "out")
        assert {name: _lasting(data) for name, data in found.items()} == expected, f"before opening {at} of {count}"
    assert failed or change is rewritten_unseen


def _lasting(data: bytes) -> bytes:
    """A file without the line about the one that it replaced."""
    return re.sub(rb'  "replaces": .*\n', b"", data)


@pytest.mark.parametrize("make", [rewritten, lambda path, data: os.truncate(path, 2)])
def test_a_file_that_changes_while_it_is_read(make, tmp_path):
    (tmp_path / "a.pt").write_bytes(b"old")
    with pytest.raises(Changed, match=f"^{tmp_path}/a.pt: {CHANGED}"), open_file(tmp_path / "a.pt"):
        make(tmp_path / "a.pt", b"newer")


def test_the_arrays_of_a_file_belong_to_one_content(tmp_path):
    for name, value in (("a", 0.0), ("b", 1.0)):
        np.savez(tmp_path / f"{name}.npz", first=np.full(3, value), second=np.full(3, value))
    arrays = NpzArrays(tmp_path / "a.npz")
    assert arrays["first"].tolist() == [0, 0, 0]
    os.replace(tmp_path / "b.npz", tmp_path / "a.npz")
    with pytest.raises(Changed, match=CHANGED):
        arrays["second"]


@pytest.mark.parametrize("name", ["v.mp4", "v.webp"])
def test_a_video_that_is_cut_while_it_is_read(name, tmp_path):
    path = tmp_path / name
    if name == "v.mp4":
        shutil.copy(REPO / "data_samples/sample_video.mp4", path)
    else:
        pictures = [Image.fromarray(np.full((16, 16, 3), 20 * number, np.uint8)) for number in range(4)]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=50)
    with pytest.raises(Changed, match=f"^{path}: {CHANGED}"), open_video(path) as video:
        for number, _ in enumerate(video):
            if number == 0:
                rewritten(path, path.read_bytes()[:-100] + bytes(100) + b"more")
