"""Runs that are killed at random moments: whole, without their children, or only one of those."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GROUP, PARENT, WORKER = "the whole group", "the parent alone", "one of its processes"
# A generous end for waits: the machine may be busy.
MOST_SECONDS = 120
# About as long as a command takes to its first file.
LONGEST_START = 1.5


@dataclass
class Kills:
    """Kills of one command, in turn of all three kinds, at moments that are the same in every run of the tests as far
    as the machine lets them.

    Attributes:
        progress: counts what a run has made; a kill waits until it has grown by a random number up to ``growth``, and
        then a random
            moment up to ``pause`` seconds. Every fourth kill meets the start of the command instead.
    """

    progress: Callable[[], int]
    growth: int = 1
    pause: float = 0.05
    seed: int = 3
    kinds: Sequence[str] = (GROUP, PARENT, WORKER)
    killed: list[str] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def kill(self, command: Sequence[object], **options) -> bool:
        """Start a command and kill it (where one of its processes was killed, the rest a moment later); whether it
        still ran.
        """
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **options,
        )
        self.groups.append(process.pid)
        at_start = len(self.killed) % 4 == 3
        if at_start:
            self._wait(process, 1, 0, self._random.uniform(0, LONGEST_START))
        else:
            self._wait(process, self._random.randint(1, self.growth), self.pause)
        if process.poll() is not None:
            return False
        kind = self._random.choice(self.kinds) if len(self.killed) >= len(self.kinds) else self.kinds[len(self.killed)]
        if kind == WORKER:
            for _ in range(2):
                _kill_one(self._random.choice(descendants(process.pid) or [None]))
                self._wait(process, self._random.randint(0, self.growth), self.pause)
        _kill_one(process.pid) if kind == PARENT else _kill_group(process.pid)
        process.wait()
        self.killed.append(kind)
        return True

    def kill_often(
        self, times: int, command: Callable[[int], Sequence[object]], begin_again: Callable[[], object]
    ) -> None:
        """Kill runs of a command, which gets their numbers. After one that was quicker than its kill, which a busy
        machine delays, ``begin_again`` removes what it made, so that the next one has work.
        """
        for number in range(4 * times):
            if len(self.killed) == times:
                return
            if not self.kill(command(number)):
                begin_again()
        assert len(self.killed) == times, "too many runs ended before they were killed"

    def _wait(self, process: subprocess.Popen, growth: int, pause: float, most: float = MOST_SECONDS) -> None:
        wanted, end = self.progress() + growth, time.monotonic() + most
        while process.poll() is None and self.progress() < wanted and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(self._random.uniform(0, pause))

    def wait_for_orphans(self) -> None:
        """Wait until nothing of the killed runs is left; what lost its parent ends by itself."""
        end = time.monotonic() + MOST_SECONDS
        while any(_group_is_alive(group) for group in self.groups):
            assert time.monotonic() < end, "a killed run's processes do not end"
            time.sleep(0.02)
        print(f"killed: {dict(Counter(self.killed))}; ended before: {len(self.groups) - len(self.killed)}")


def files_made(folder: Path) -> int:
    """How many files are in a folder, hidden ones too."""
    return len(list(folder.iterdir())) if folder.exists() else 0


def descendants(process: int) -> list[int]:
    """The processes below one."""
    found = []
    with contextlib.suppress(OSError):
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            for child in children.read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def wait_for_the_end(processes: Sequence[int]) -> None:
    """Wait until processes have ended; one whose parent does not ask about it has ended, too."""
    end = time.monotonic() + MOST_SECONDS
    while running := [process for process in processes if _is_running(process)]:
        assert time.monotonic() < end, running
        time.sleep(0.01)


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _kill_one(process: int | None) -> None:
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _group_is_alive(group: int) -> bool:
    """Whether a process of a group runs; one that has ended and that nobody has asked about does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False
