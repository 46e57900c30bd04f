"""A worker process of a pool: its environment, its main loop, its end."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import connection, parent_process
from pathlib import Path

from motion_rep.common.compute_threads import use_one_thread
from motion_rep.common.end_signals import Ended, end_by, signals_end_process, take_signals_of_worker
from motion_rep.common.errors import InputError
from motion_rep.runs.attempt import Work, attempt

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def environment_of_workers() -> Iterator[None]:
    """Environment of worker processes: one compute thread each, and this project on the import path."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # Without the second one, a package in the current folder with the name of one of ours would be loaded instead.
    changed = {**dict.fromkeys(THREAD_VARIABLES, "1"), "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def serve(pipe: connection.Connection, start: Callable[[], Work], limit: float | None) -> None:
    """Main loop of a worker: load, then answer item by item until the pipe closes or a signal ends it."""
    try:
        take_signals_of_worker()
        _answer(pipe, start, limit)
        signals_end_process()
    except Ended as end:
        end_by(end.number)


def _answer(pipe: connection.Connection, start: Callable[[], Work], limit: float | None) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work = start()
    except InputError as error:
        pipe.send(error)
        return
    use_one_thread()
    batches: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, batches), daemon=True).start()
    with contextlib.suppress(OSError):
        pipe.send(True)
        while (batch := batches.get()) is not None:
            for item in batch:
                pipe.send(attempt(work, item, limit))


def _receive(pipe: connection.Connection, batches: queue.SimpleQueue) -> None:
    """Receive items in a thread of its own, so that large items and large answers do not block each other."""
    try:
        with contextlib.suppress(EOFError, OSError):
            while True:
                batches.put(pipe.recv())
    finally:
        batches.put(None)


def _end_with_parent() -> None:
    """Exit at once when the parent dies, so that workers of a killed run do not interfere with the next run."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def cause_of_death(code: int | None) -> str:
    """The end of a process in words, from its exit code; below zero, the number of a signal."""
    if code is None or code >= 0:
        return f"ended with code {code}"
    if code == -getattr(signal, "SIGKILL", 0):
        return "was killed (often for lack of memory)"
    # Most real-time signals have no name.
    return f"was ended by {signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'}"
