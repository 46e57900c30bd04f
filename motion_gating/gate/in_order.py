"""Work on items with threads: results in the order of the items, a bounded number in flight, an end at any time."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, TimeoutError
from typing import TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")
WINDOW_PER_THREAD = 64  # one slow item must not stop the other threads
POLL_SECONDS = 0.1


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, cancelled: threading.Event
) -> Iterator[tuple[Item, Result | None]]:
    """Each item with ``work(item)``, in order; 0 threads work in the caller's.

    Once ``cancelled`` is set, items whose work is not finished come with None, without waiting for it. The threads are daemons, unlike those of
    concurrent.futures, so that a program can end while calls are in flight.
    """
    if threads == 0:
        for item in items:
            yield item, None if cancelled.is_set() else work(item)
        return
    tasks: queue.SimpleQueue = queue.SimpleQueue()
    for _ in range(threads):
        threading.Thread(target=_serve, args=(work, tasks), daemon=True).start()
    waiting: deque[tuple[Item, Future]] = deque()
    try:
        for item in items:
            waiting.append((item, future := Future()))
            if not cancelled.is_set():
                tasks.put((item, future))
            if len(waiting) >= threads * WINDOW_PER_THREAD:
                yield _finished(*waiting.popleft(), cancelled)
        while waiting:
            yield _finished(*waiting.popleft(), cancelled)
    finally:
        for _, future in waiting:
            future.cancel()
        for _ in range(threads):
            tasks.put(None)


def _finished(item: Item, future: Future, cancelled: threading.Event) -> tuple[Item, Result | None]:
    while True:
        if cancelled.is_set() and future.cancel():
            return item, None
        try:
            return item, future.result(timeout=POLL_SECONDS)
        except TimeoutError:
            if cancelled.is_set():
                return item, None


def _serve(work: Callable[[Item], Result], tasks: queue.SimpleQueue) -> None:
    while (task := tasks.get()) is not None:
        item, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work(item))
        except BaseException as error:  # raised again where the result is taken
            future.set_exception(error)
