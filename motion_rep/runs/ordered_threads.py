"""Run work in threads: results in the order of the items, a bounded number in flight, cancellable."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, TimeoutError
from typing import TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")

# Calls to a service vary in duration: one slow item must not stop the other threads.
MOST_AHEAD = 64
# Pictures are large and take about equal time.
PICTURES_AHEAD = 2
POLL_SECONDS = 0.1


def usable_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """Like ``map``, in threads with a short queue; for functions that release the interpreter lock (OpenCV, numpy).

    Args:
        threads: None uses all cores; 0 works in the calling thread.
    """
    threads = usable_cores() if threads is None else threads
    return (cast(Result, result) for _, result in _in_order(function, items, threads, None, PICTURES_AHEAD))


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, cancelled: threading.Event
) -> Iterator[tuple[Item, Result | None]]:
    """Each item with ``work(item)``, in order; 0 threads work in the caller's.

    Once ``cancelled`` is set, unfinished items yield None at once. The threads are daemons, so a program can exit while
    calls are in flight.
    """
    return _in_order(work, items, threads, cancelled, MOST_AHEAD)


def _in_order(
    work: Callable[[Item], Result], items: Iterable[Item], count: int, cancelled: threading.Event | None, ahead: int
) -> Iterator[tuple[Item, Result | None]]:
    if count == 0:
        for item in items:
            yield item, None if _is_set(cancelled) else work(item)
        return
    tasks: queue.SimpleQueue = queue.SimpleQueue()
    threads = [threading.Thread(target=_serve, args=(work, tasks), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    waiting: deque[tuple[Item, Future]] = deque()
    try:
        for item in items:
            future: Future[Result] = Future()
            waiting.append((item, future))
            if not _is_set(cancelled):
                tasks.put((item, future))
            if len(waiting) >= count * ahead:
                yield _finished(*waiting.popleft(), cancelled)
        while waiting:
            yield _finished(*waiting.popleft(), cancelled)
    finally:
        for _, future in waiting:
            future.cancel()
        for _ in threads:
            tasks.put(None)
        if cancelled is None:
            for thread in threads:
                thread.join()


def _is_set(event: threading.Event | None) -> bool:
    return event is not None and event.is_set()


def _finished(item: Item, future: Future, cancelled: threading.Event | None) -> tuple[Item, Result | None]:
    while True:
        if _is_set(cancelled) and future.cancel():
            return item, None
        try:
            return item, future.result(timeout=None if cancelled is None else POLL_SECONDS)
        except TimeoutError:
            # The work itself may raise TimeoutError, too.
            if future.done():
                raise
            if _is_set(cancelled):
                return item, None


def _serve(work: Callable[[Item], Result], tasks: queue.SimpleQueue) -> None:
    while (task := tasks.get()) is not None:
        item, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work(item))
        except BaseException as error:  # re-raised when the result is read
            future.set_exception(error)
