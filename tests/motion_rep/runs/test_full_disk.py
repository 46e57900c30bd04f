"""A disk that gets full at every point of a run: one line for each thing that is wrong, every output the old one or the
new one, nothing half-written left.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from command_support import assert_error_lines, files_in
from place_support import COMMANDS, check_outputs, prepared, renew

from motion_rep.common.errors import InputError
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.video.writing import open_writer

PAGE = 4096
MOST_STEPS = 24


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True).returncode
    ):
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int) -> None:
    with open(disk / "filling", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE * 16))
        except OSError:
            file.truncate(max(0, file.tell() - leave))


@pytest.mark.parametrize("make", COMMANDS)
def test_a_disk_gets_full(make, small_disk, make_capture, tmp_path, capsys):
    before, _, command, usual, _, _ = prepared(make, tmp_path / "elsewhere", make_capture)
    renew(small_disk, before)
    old = files_in(small_disk)
    assert command.run(small_disk) == usual
    new = files_in(small_disk)
    needed = sum(len(data) // PAGE + 2 for name, data in new.items() if old.get(name) != data) + 2
    codes = []
    for pages in [*range(0, needed, needed // MOST_STEPS + 1), 2 * needed]:
        renew(small_disk, before)
        fill(small_disk, leave=pages * PAGE)
        capsys.readouterr()
        codes.append(command.run(small_disk))
        now = files_in(small_disk)
        try:
            check_outputs(codes[-1], capsys.readouterr().err, old, new, now, usual)
        except AssertionError as error:
            raise AssertionError(f"{pages} pages free: {error}") from None
        assert {*now} - {*old, *new, "filling"} == set(), f"{pages} pages free"
    assert codes[0] in (1, 2) and codes[-1] == usual


def test_a_disk_that_gets_full_in_a_video_is_named(small_disk):
    pictures = np.random.default_rng(0).integers(0, 255, (40, 240, 320, 3), dtype=np.uint8)
    fill(small_disk, leave=20 * PAGE)
    with (
        pytest.raises(InputError, match="video.mp4: cannot be written: No space left on device"),
        open_writer(small_disk / "video.mp4", 320, 240, 20) as writer,
    ):
        for picture in pictures:
            writer.write(picture)
    assert sorted(files_in(small_disk)) == ["filling"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="finds in /proc which file is closed")
def test_a_drive_that_tells_of_it_only_when_a_file_is_closed(make_capture, tmp_path, capsys, monkeypatch):
    """As NFS does, which keeps what is written until then."""
    torch.save(make_capture(), tmp_path / "in.pt")
    (tmp_path / "out").mkdir()
    close = os.close

    def refuse(handle: int) -> None:
        ours = os.path.realpath(f"/proc/self/fd/{handle}").startswith(str(tmp_path / "out"))
        close(handle)
        if ours:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "close", refuse)
    assert convert(["-i", str(tmp_path / "in.pt"), "-o", str(tmp_path / "out"), "--workers", "0"]) in (1, 2)
    assert "No space left on device" in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert files_in(tmp_path / "out") == {}
