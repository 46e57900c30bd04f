"""Drives that lack what a usual file system has: locks, links, permissions, or replacing a file by renaming."""

from __future__ import annotations

import errno
import os

import pytest
from command_support import files_in
from place_support import COMMANDS, IGNORED, check_outputs, prepared, renew

from motion_rep.files import file_lock


def refusing(code: int):
    def call(*arguments, **options):
        raise OSError(code, os.strerror(code))

    return call


def without_locks(monkeypatch, code: int) -> None:
    monkeypatch.setattr(file_lock.fcntl, "flock", refusing(code))


def without_permissions(monkeypatch, code: int) -> None:
    monkeypatch.setattr(os, "chmod", refusing(code))


def without_link_counts(monkeypatch, code: int) -> None:
    """Some drives of FUSE count no links."""
    fstat = os.fstat
    monkeypatch.setattr(os, "fstat", lambda handle: _with(fstat(handle), 3, 0))


def _with(found: os.stat_result, place: int, value: int) -> os.stat_result:
    names = {name: getattr(found, name) for name in dir(found) if name.startswith("st_")}
    return os.stat_result([*found[:place], value, *found[place + 1 :]], names)


LACKS = [
    (without_locks, errno.ENOLCK),
    (without_locks, errno.ENOTSUP),
    (without_permissions, errno.EPERM),
    (without_permissions, errno.ENOSYS),
    (without_link_counts, 0),
]


@pytest.mark.parametrize(("lack", "code"), LACKS, ids=lambda one: getattr(one, "__name__", str(one)))
@pytest.mark.parametrize("make", COMMANDS)
def test_a_run_does_without(make, lack, code, make_capture, tmp_path, monkeypatch):
    before, disk, command, usual, _, new = prepared(make, tmp_path, make_capture)
    renew(disk, before)
    lack(monkeypatch, code)
    assert command.run(disk) == usual
    now = files_in(disk)
    assert {name: data for name, data in now.items() if name not in IGNORED} == {
        name: data for name, data in new.items() if name not in IGNORED
    }


@pytest.mark.parametrize("make", COMMANDS)
def test_a_drive_that_replaces_no_files_keeps_the_old_ones(make, make_capture, tmp_path, monkeypatch, capsys):
    before, disk, command, usual, old, new = prepared(make, tmp_path, make_capture)
    renew(disk, before)
    replace = os.replace

    def only_new(source, target):
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        replace(source, target)

    monkeypatch.setattr(os, "replace", only_new)
    capsys.readouterr()
    code = command.run(disk)
    check_outputs(code, capsys.readouterr().err, old, new, files_in(disk), usual)
    assert {*files_in(disk)} - {*old, *new} == set()
