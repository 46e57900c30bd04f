"""A signal leaves no lock of an archive behind."""

from __future__ import annotations

import os
import signal

import pytest

from motion_gating.archives import archive_lock as module
from motion_gating.archives.archive_lock import archive_lock
from motion_rep.common.end_signals import Ended, signals_raise_ended


def test_a_signal_between_the_creation_of_a_lock_and_its_use_leaves_none(tmp_path, monkeypatch):
    lock = module.lock

    def lock_then_signal(handle):
        locked = lock(handle)
        os.kill(os.getpid(), signal.SIGTERM)
        return locked

    monkeypatch.setattr(module, "lock", lock_then_signal)
    with pytest.raises(Ended), signals_raise_ended(), archive_lock(tmp_path / "a.json"):
        raise ValueError("not reached")
    assert not list(tmp_path.iterdir())


def test_a_drive_whose_inode_numbers_change_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os.path, "samestat", lambda *_: False)
    with archive_lock(tmp_path / "a.json"):
        assert [path.name for path in tmp_path.iterdir()] == [".a.json.lock"]
    assert not list(tmp_path.iterdir())
