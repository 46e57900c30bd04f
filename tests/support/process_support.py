"""Processes that a test starts end with the test, also where the test fails or runs into its time limit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

import pytest


@pytest.fixture(autouse=True)
def end_processes(monkeypatch):
    """Kill what a test started with ``subprocess`` and left running, together with its process group where it leads
    one.
    """
    started: list[subprocess.Popen] = []
    start, leave = subprocess.Popen.__init__, subprocess.Popen.__exit__

    def recorded(process: subprocess.Popen, *arguments, **options) -> None:
        start(process, *arguments, **options)
        started.append(process)

    def left(process: subprocess.Popen, kind: type[BaseException] | None, *rest) -> None:
        if kind is not None:  # a with statement would wait for the process, possibly for ever
            _end(process)
        leave(process, kind, *rest)

    monkeypatch.setattr(subprocess.Popen, "__init__", recorded)
    monkeypatch.setattr(subprocess.Popen, "__exit__", left)
    yield
    for process in started:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            leads_group = os.getpgid(process.pid) == process.pid
            (os.killpg if leads_group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
