"""Whatever call on a file the system refuses, a run ends in one line for each thing that is wrong, and every output is the old one or the new one.

Each of a run's calls fails in its turn: alone (a passing trouble), or with all that follow (a drive that is gone, a disk that broke).
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from command_support import files_in, save_json, save_motion
from gate_support import make_archive

from motion_gating.apply_quality_gate import main as gate
from motion_gating.render_mbench_videos import main as render
from motion_rep.convert_hmr_to_motion import main as convert

CALLS = ("open", "stat", "lstat", "replace", "unlink", "mkdir", "scandir", "listdir", "chmod")
MOST_CALLS = 1000
# Of the entries of an archive.
IDS = [0, 1]
# Has the time of the run.
IGNORED = {"report.run.json"}


class Refusals:
    """Makes the calls on files below a folder fail from the ``first`` on, or only that one."""

    def __init__(self, monkeypatch, folder: Path) -> None:
        self._folder, self._real, self.log = str(folder), {}, []
        self.first, self.alone, self._on = MOST_CALLS, True, False
        for name in CALLS:
            monkeypatch.setattr(os, name, self._refusing(name, getattr(os, name)))
        opens = self._refusing("open", io.open)
        monkeypatch.setattr(io, "open", opens)
        monkeypatch.setattr(builtins, "open", opens)
        monkeypatch.setattr(os, "fsync", self._refusing("fsync", os.fsync))

    def run(self, command: Callable[[], int], first: int = MOST_CALLS, alone: bool = True) -> int:
        """The command's exit code."""
        self.log, self.first, self.alone, self._on = [], first, alone, True
        try:
            return command()
        finally:
            self._on = False

    def _refusing(self, name: str, real: Callable) -> Callable:
        def call(*arguments, **options):
            if self._on and self._concerns(arguments[0] if arguments else None):
                self.log.append(f"{name} {arguments[0]}")
                number = len(self.log)
                if number == self.first or (number > self.first and not self.alone):
                    raise OSError(errno.EIO, os.strerror(errno.EIO), None if isinstance(arguments[0], int) else str(arguments[0]))
            return real(*arguments, **options)

        return call

    def _concerns(self, place) -> bool:
        # A number is an open file; of those only the synchronised ones are ours for sure.
        return isinstance(place, int) or (isinstance(place, (str, os.PathLike)) and os.fspath(place).startswith(self._folder))


@pytest.fixture
def refusals(monkeypatch, tmp_path):
    return Refusals(monkeypatch, tmp_path / "disk")


def check_every_call(refusals, disk: Path, before: Path, command, capsys, alone: bool) -> None:
    """Run a command once for each of its calls, always from the same files."""

    def start() -> None:
        shutil.rmtree(disk, ignore_errors=True)
        shutil.copytree(before, disk)

    start()
    old = files_in(disk)
    assert refusals.run(command) == 0, capsys.readouterr().err
    new, count = files_in(disk), len(refusals.log)
    assert 10 < count < MOST_CALLS
    for first in range(1, count + 1):
        start()
        capsys.readouterr()
        code = refusals.run(command, first, alone)
        said = f"call {first} of {count}, {refusals.log[first - 1]}: exit {code}\n{capsys.readouterr().err}"
        lines = said.splitlines()[1:]
        assert all(line.startswith(("error: ", "warning: ")) and "not expected" not in line for line in lines), said
        assert code in (0, 1, 2) and (code == 0 or any(line.startswith("error: ") or "reason" in line for line in lines)), said
        now = files_in(disk)
        for name in {*old, *new} - IGNORED:
            known = (old.get(name), new.get(name)) if code else (new.get(name),)
            assert now.get(name) in known or (code and is_whole_list(name, now[name])), f"{name} is neither the old nor the new file\n{said}"


def is_whole_list(name: str, data: bytes) -> bool:
    """Whether a report or an archive is whole; of an entry that failed it says something else than in a run without trouble."""
    if name.endswith(".jsonl"):
        return [json.loads(line)["id"] for line in data.splitlines()] == IDS
    return name.endswith(".json") and [entry["id"] for entry in json.loads(data)] == IDS


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("output", ["out.pt", "out"])
def test_the_converter(output, alone, refusals, make_capture, tmp_path, capsys):
    before, disk = tmp_path / "before", tmp_path / "disk"
    (before / "in").mkdir(parents=True)
    for number in range(1 if output == "out.pt" else 2):
        torch.save(make_capture(seed=number), before / f"in/{number}.pt")
    source = disk / "in/0.pt" if output == "out.pt" else disk / "in"
    shutil.copytree(before, disk)
    assert convert(["-i", str(source), "-o", str(disk / output), "--fps", "20"]) == 0
    shutil.rmtree(before)
    shutil.copytree(disk, before)
    check_every_call(refusals, disk, before, lambda: convert(["-i", str(source), "-o", str(disk / output), "--workers", "0"]), capsys, alone)


@pytest.mark.parametrize("alone", [True, False])
def test_the_renderer(alone, refusals, make_capture, tmp_path, capsys):
    before, disk = tmp_path / "before", tmp_path / "disk"
    for number in IDS:
        save_motion(before / f"{number}.pt", make_capture(frames=4, seed=number))
    save_json(before / "a.json", [{"id": number, "prompt": "p", "motion_path": f"{number}.pt"} for number in IDS])
    (before / "b.json").write_text("old")
    flags = ["--width", "32", "--height", "32", "--workers", "0"]
    arguments = ["--meta-json", str(disk / "a.json"), "--output-json", str(disk / "b.json"), "--output-dir", str(disk / "out"), *flags]
    check_every_call(refusals, disk, before, lambda: render(arguments), capsys, alone)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_the_gate(name, alone, refusals, tmp_path, capsys):
    before, disk = tmp_path / "before", tmp_path / "disk"
    make_archive(before, IDS)
    entries = [{"id": number, "prompt": "p", "mbench_eval_path": f"{number}_eval.pt"} for number in IDS]
    (before / name).write_text("".join(json.dumps(entry) + "\n" for entry in entries) if name.endswith("l") else json.dumps(entries))
    (before / "report.json").write_text("old")
    verdicts = save_json(tmp_path / "verdicts.json", [{"id": number, "matches": True, "analysis": "seen"} for number in IDS])
    arguments = ["--meta-json", str(disk / name), "--quality-report", str(disk / "report.json"), "--judge", "manual", "--verdicts", str(verdicts)]
    check_every_call(refusals, disk, before, lambda: gate(arguments), capsys, alone)
