"""As on Windows and macOS: no bash, no fcntl, and on Windows no renaming or removing of open files."""

from __future__ import annotations

import itertools
import os
import types
from pathlib import Path

import pytest
from checkout import REPO
from preparing_support import read

from motion_rep.common.errors import UsageError
from motion_rep.files import file_lock, folder_lock
from motion_rep.preview_capture.weights import WEIGHT_FILES, is_intact
from motion_rep.runs import work_pool
from motion_rep.video.reading import open_video
from motion_rep.video.writing import open_writer


def open_files() -> set[str]:
    """The files that this process has open."""
    found = set()
    for handle in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{handle}"))
        except OSError:
            continue
    return found


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """No bash, no fcntl, a lock as of msvcrt, and no renaming, replacing or removing of an open file."""
    locked: dict[str, int] = {}

    def locking(handle: int, mode: int, count: int) -> None:
        if locked.setdefault(os.readlink(f"/proc/self/fd/{handle}"), handle) != handle:
            raise OSError("locked")

    def closed_only(do):
        def checked(path, *others, **more):
            for one in (path, *others):
                if os.path.realpath(one) in open_files():
                    raise PermissionError(32, "The process cannot access the file", os.fspath(one))
            return do(path, *others, **more)

        return checked

    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(file_lock, "fcntl", None)
    monkeypatch.setattr(folder_lock, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr(work_pool, "HAS_WORKERS", False)
    for name in ("replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, closed_only(getattr(os, name)))
    return locked


def short_video(path: Path, frames: int) -> Path:
    with (
        open_video(REPO / "data_samples/sample_video.mp4") as video,
        open_writer(path, video.width, video.height, 16.0) as writer,
    ):
        for _, picture in itertools.islice(video, frames):
            writer.write(picture)
    return path


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks for open files in /proc")
@pytest.mark.skipif(not all(map(is_intact, WEIGHT_FILES)), reason="needs the networks of the preview capture")
def test_a_video_becomes_a_page_without_bash_and_locks(command, windows, tmp_path):
    here = tmp_path / "my folder (ü) #1"
    short_video(here / "Jack's #1.mp4", 7)
    code, out, err = command("Jack's #1.mp4", "-o", "ö ut", "--prompt", "a person jumps", "--judge", "none")
    assert code == 1 and "cannot" not in err, err
    (entry,) = read(here / "ö ut/gated.json")
    assert entry["id"] == "Jack's #1" and (here / "ö ut" / entry["video_path"]).is_file()
    assert (here / "ö ut/review/index.html").is_file() and "undecided" in out
    assert set(windows) == {str(here / "ö ut" / name) for name in (".lock", "review/.lock")}
    assert not [path for path in (here / "ö ut").rglob("*") if path.name.endswith((".tmp", ".json.lock"))]


def test_a_folder_lock_of_windows_waits(windows, tmp_path):
    windows[str(tmp_path / ".lock")] = -1  # another run
    with folder_lock.folder_lock(tmp_path, windows.clear) as handle:
        assert windows == {str(tmp_path / ".lock"): handle} and (tmp_path / ".lock").exists()


def test_workers_are_refused_where_there_are_none(windows):
    assert work_pool.default_workers(100, 1) == 0
    with pytest.raises(UsageError, match="--workers 2: Windows has no worker processes"):
        list(work_pool.run_items(lambda: len, ["a"], 2))
