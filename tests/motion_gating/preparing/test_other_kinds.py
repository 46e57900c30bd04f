"""A folder, a pipe or a socket in the place of an output costs its entry, stays there, and is never waited for."""

from __future__ import annotations

import os
import socket

import pytest
from preparing_support import read, save_capture, save_clip


def put_folder(path):
    path.mkdir()
    (path / "mine.txt").write_text("precious")


def put_pipe(path):
    os.mkfifo(path)


def put_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


KINDS = {"a folder": put_folder, "a pipe": put_pipe, "a socket": put_socket}
OF_ENTRY = ("motions/bad.pt", "motions_raw/bad.pt", "renders/bad.mp4", "renders/bad_eval.pt")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", OF_ENTRY)
def test_the_entry_fails_with_the_reason_and_the_others_are_done(command, tmp_path, make_capture, place, kind):
    here = tmp_path / "my folder (ü) #1"
    save_capture(here / "bad.pt", make_capture(frames=12))
    save_clip(here / "good.pt")
    path = here / "out" / place
    path.parent.mkdir(parents=True)
    KINDS[kind](path)
    code, out, err = command("bad.pt", "good.pt", "-o", "out", "--judge", "none", "--failures", "f.json")
    assert code == 1 and f"{path.name}: is {kind}, expected a file" in err + (here / "f.json").read_text(), err
    assert (here / "out/renders/good.mp4").is_file() and len(read(here / "out/gated.json")) == 2
    assert not path.is_file() and path.exists() and (kind != "a folder" or (path / "mine.txt").exists())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["logs/motions.log", "logs", ".state/good.check"])
def test_a_run_does_without_its_logs_and_stamps(command, tmp_path, place, kind):
    here = tmp_path / "my folder (ü) #1"
    save_clip(here / "good.pt")
    path = here / "out" / place
    path.parent.mkdir(parents=True)
    KINDS[kind](path)
    code, _, err = command("good.pt", "-o", "out", "--until", "motion")
    assert code == 0, err
    assert (here / "out/motions/good.pt").is_file() and not path.is_file()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["archive.json", "rendered.json", "gated.json", "quality_report.json"])
def test_outputs_for_all_entries_are_checked_before_the_work(command, tmp_path, place, kind):
    here = tmp_path / "my folder (ü) #1"
    save_clip(here / "good.pt")
    (here / "out").mkdir()
    KINDS[kind](here / "out" / place)
    code, _, err = command("good.pt", "-o", "out", "--judge", "none")
    assert code == 2 and f"{place}: is {kind}, expected a file" in err
    assert not (here / "out/motions").exists()
