"""Whatever call on a file the system refuses, a run ends in one line for each thing that is wrong, and every output is
the old one or the new one.

Each of a run's calls fails in its turn: alone (a passing trouble), or with all that follow (a drive that is gone, a
disk that broke).
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command_support import files_in
from place_support import COMMANDS, check_outputs, prepared, renew

CALLS = ("open", "stat", "lstat", "replace", "unlink", "mkdir", "scandir", "listdir", "chmod", "fsync")
MOST_CALLS = 1000


class Refusals:
    """Makes the calls on files below a folder fail from the ``first`` on, or only that one."""

    def __init__(self, monkeypatch, folder: Path) -> None:
        self._folder, self.log, self._on = str(folder), [], False
        for name in CALLS:
            monkeypatch.setattr(os, name, self._refusing(name, getattr(os, name)))
        opens = self._refusing("open", io.open)
        monkeypatch.setattr(io, "open", opens)
        monkeypatch.setattr(builtins, "open", opens)

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
                    raise OSError(
                        errno.EIO, os.strerror(errno.EIO), None if isinstance(arguments[0], int) else str(arguments[0])
                    )
            return real(*arguments, **options)

        return call

    def _concerns(self, place) -> bool:
        # A number is an open file; those that we synchronise or look at are ours.
        return isinstance(place, int) or (
            isinstance(place, (str, os.PathLike)) and os.fspath(place).startswith(self._folder)
        )


@pytest.mark.parametrize("alone", [True, False], ids=["once", "from then on"])
@pytest.mark.parametrize("make", COMMANDS)
def test_each_call_fails(make, alone, make_capture, tmp_path, capsys, monkeypatch):
    before, disk, command, usual, old, new = prepared(make, tmp_path, make_capture)
    refusals = Refusals(monkeypatch, disk)
    renew(disk, before)
    assert refusals.run(lambda: command.run(disk)) == usual
    count = len(refusals.log)
    assert 4 < count < MOST_CALLS
    for first in range(1, count + 1):
        renew(disk, before)
        capsys.readouterr()
        code = refusals.run(lambda: command.run(disk), first, alone)
        errors = capsys.readouterr().err
        try:
            check_outputs(code, errors, old, new, files_in(disk), usual)
        except AssertionError as error:
            raise AssertionError(f"call {first} of {count}, {refusals.log[first - 1]}: {error}") from None
