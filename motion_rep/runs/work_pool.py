"""Run one function over many items in worker processes, any of which may die at any time.

Each worker has its own pipe and answers item by item: the death of one is detected at once, costs only the item in
progress and blocks no other worker, because no lock or queue is shared. (concurrent.futures aborts as a whole when a
worker dies; pools with a shared queue hang when a worker is killed while it holds the queue's lock.)
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import math
import multiprocessing
import selectors
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection, resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess

from motion_rep.common.compute_threads import use_one_thread
from motion_rep.common.end_signals import signals_blocked
from motion_rep.common.errors import InputError, UsageError, counted, one_line
from motion_rep.runs.attempt import Failed, Item, Result, Work, attempt, too_long
from motion_rep.runs.ordered_threads import usable_cores
from motion_rep.runs.worker_process import cause_of_death, environment_of_workers, serve

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

# Seconds of work queued at each worker, so that it never idles on a busy machine; the first item is in progress.
SECONDS_AHEAD = 0.05
FEWEST_AHEAD, MOST_AHEAD = 2, 32
# Seconds for which answers are collected while all workers are busy: a wake-up for each would add a tenth to the time
# of a short item.
SECONDS_TO_GATHER = 0.01
# Results that may wait behind a slow item, per worker, before the workers pause.
WINDOW_PER_WORKER = 64
TRIES = 2
# Open files of a run: a pipe and a sentinel for each worker, with a reserve for starting ones.
HANDLES_PER_WORKER, OTHER_HANDLES = 3, 24
# A worker stops an item at the time limit itself; if it cannot (a call that never returns to Python), it is killed
# after this grace period.
SECONDS_OF_GRACE = 5.0
# After the run, all workers together have this time to remove their temporary files and end.
SECONDS_TO_END = 10.0
# Consecutive workers that may die during start-up before the run is aborted.
FAILED_STARTS = 3
HAS_WORKERS = sys.platform != "win32"  # which cannot wait for several pipes at once


@dataclass(frozen=True)
class StartIn:
    """A ``start`` for :func:`run_items` that gives a function with its first arguments.

    The function is imported by name in the worker: this process does not import modules that only workers use (torch).
    """

    module: str
    function: str
    arguments: tuple = ()

    def __call__(self) -> Work:
        return functools.partial(getattr(importlib.import_module(self.module), self.function), *self.arguments)


def _itself(item: Item) -> Item:
    return item


def run_items(
    start: Callable[[], Work],
    items: Iterable[Item],
    workers: int,
    sent: Callable[[Item], object] = _itself,
    limit: float | None = None,
) -> Generator[tuple[Item, Result | Failed], None, None]:
    """Each item with its result or its failure, in the order of the items; a bad item never stops the others.

    Args:
        start: returns the function that does the work; called once in each worker, so it may load models. Must be
            picklable if there are workers.
        items: consumed one by one, a bounded number ahead.
        workers: processes; 0 works in this one.
        sent: the part of an item that the work needs. Must be picklable if there are workers; the item itself stays in
            this process.
        limit: seconds after which an item fails; None sets no limit.
    Raises:
        UsageError: the workers cannot start.
    """
    if workers == 0:
        work = start()
        use_one_thread()
        yield from ((item, attempt(work, sent(item), limit)) for item in items)
        return
    if not HAS_WORKERS:
        raise UsageError(f"--workers {workers}: Windows has no worker processes. Give --workers 0, or omit the flag.")
    with _Pool(start, workers, limit) as pool:
        yield from pool.run(items, sent)


def default_workers(count: int | None, worth_it: int) -> int:
    """Workers for ``count`` items (None: many): one per core, none if each would get fewer than ``worth_it`` items."""
    if not HAS_WORKERS:
        return 0
    cores = usable_cores()
    wanted = cores if count is None else min(cores, count // worth_it)
    return wanted if wanted > 1 else 0


@dataclass(eq=False)
class _Worker:
    """One process, its pipe, and the numbers of the items it holds, oldest first.

    began: start time of the item in progress.
    since: time of the last measurement; answered: items answered since then.
    seconds: recent time per item.
    """

    process: BaseProcess
    pipe: connection.Connection
    held: deque = field(default_factory=deque)
    ready: bool = False
    began: float = 0.0
    since: float = 0.0
    answered: int = 0
    seconds: float = math.inf

    def measure(self, now: float) -> None:
        """Update the time per item from the items answered since the last measurement."""
        if self.answered:
            self.seconds = (now - self.since) / self.answered
            self.since, self.answered = now, 0

    def seconds_held(self) -> float:
        """Estimated seconds until it runs out of items."""
        return len(self.held) * self.seconds if self.held and self.ready else 0.0

    def ahead(self) -> int:
        """The number of items it should hold."""
        return max(FEWEST_AHEAD, min(MOST_AHEAD, int(SECONDS_AHEAD / max(self.seconds, 1e-9))))


class _Pool:
    """Worker processes that are replaced when they die; use :func:`run_items`."""

    def __init__(self, start: Callable[[], Work], workers: int, limit: float | None) -> None:
        methods = multiprocessing.get_all_start_methods()
        # A fork of this process would inherit locks held by its threads; a fork of a fresh server does not, and starts
        # faster than a spawned process.
        self._context: ForkServerContext | SpawnContext = (
            multiprocessing.get_context("forkserver")
            if "forkserver" in methods
            else multiprocessing.get_context("spawn")
        )
        self._start, self._size, self._limit = start, workers, limit
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def __enter__(self) -> _Pool:
        _require_handles(self._size)
        with environment_of_workers():
            if self._context.get_start_method() == "forkserver":
                # Loaded once, by the server process that all workers are forked from.
                self._context.set_forkserver_preload(_modules_of(self._start))
            try:
                for _ in range(self._size):
                    self._add_worker()
            except BaseException:
                self.__exit__(*sys.exc_info())
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        end = time.monotonic() + SECONDS_TO_END
        for worker in self._workers:
            worker.pipe.close()
            if kind is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(max(end - time.monotonic(), 0))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._selector.close()

    def run(self, items: Iterable[Item], sent: Callable[[Item], object]) -> Iterator[tuple[Item, Result | Failed]]:
        """See :func:`run_items`."""
        self._source, self._sent = enumerate(items), sent
        self._again: deque[int] = deque()
        self._items: dict[int, Item] = {}
        self._deaths: dict[int, int] = {}
        self._results: dict[int, Result | Failed] = {}
        turn = 0
        self._hand_out()
        while self._items:
            if turn not in self._results:
                self._collect()
            while turn in self._results:
                yield self._items.pop(turn), self._results.pop(turn)
                turn += 1
            self._hand_out()

    def _hand_out(self) -> None:
        """Distribute items evenly over the workers while there are any and the window is open."""
        shares: list[list[int]] = [[] for _ in self._workers]
        for share in self._places(shares):
            number = self._next()
            if number is None:
                break
            share.append(number)
        for worker, share in zip(self._workers, shares, strict=True):
            if share:
                self._give(worker, share)

    def _places(self, shares: list[list[int]]) -> Iterator[list[int]]:
        """The shares with room for one more item, the emptiest first."""
        wanted = [worker.ahead() for worker in self._workers]
        for depth in range(1, max(wanted) + 1):
            for worker, share, most in zip(self._workers, shares, wanted, strict=True):
                if len(worker.held) + len(share) < min(depth, most):
                    yield share

    def _next(self) -> int | None:
        if self._again:
            return self._again.popleft()
        if len(self._items) >= WINDOW_PER_WORKER * self._size:
            return None
        for number, item in self._source:
            self._items[number] = item
            return number
        return None

    def _give(self, worker: _Worker, numbers: list[int]) -> None:
        if not worker.held:
            worker.since = worker.began = time.monotonic()
        worker.held.extend(numbers)
        # If the worker has died, its items are taken back when its answers are read.
        with contextlib.suppress(OSError):
            worker.pipe.send([self._sent(self._items[number]) for number in numbers])

    def _collect(self) -> None:
        """Wait until a worker answers or dies, then take all available answers."""
        waiting = self._selector.select(self._seconds_to_next_limit())
        time.sleep(min(SECONDS_TO_GATHER, min(worker.seconds_held() for worker in self._workers) / 2))
        while waiting:
            for key, _ in waiting:
                self._take_answer(key.data)
            waiting = self._selector.select(0)
        now = time.monotonic()
        for worker in list(self._workers):
            worker.measure(now)
            if now >= self._killed_at(worker):
                self._stop(worker)

    def _killed_at(self, worker: _Worker) -> float:
        """The time at which the item in progress exceeds its limit and the grace period."""
        if self._limit is None or not (worker.ready and worker.held):
            return math.inf
        return worker.began + self._limit + SECONDS_OF_GRACE

    def _seconds_to_next_limit(self) -> float | None:
        first = min(map(self._killed_at, self._workers))
        return None if first == math.inf else max(first - time.monotonic(), 0.0)

    def _stop(self, worker: _Worker) -> None:
        worker.process.kill()
        self._results[worker.held.popleft()] = Failed(too_long(self._limit))
        self._replace(worker)

    def _take_answer(self, worker: _Worker) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            self._lose(worker)
            return
        if not worker.ready:
            if isinstance(answer, InputError):
                raise answer
            worker.ready, self._failed_starts = True, 0
            worker.since = worker.began = time.monotonic()
        else:
            self._results[worker.held.popleft()] = answer
            worker.answered += 1
            worker.began = time.monotonic()

    def _lose(self, worker: _Worker) -> None:
        """Handle a dead worker: the item in progress is retried once; items not yet started are not charged."""
        worker.process.join()
        cause = cause_of_death(worker.process.exitcode)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise UsageError(
                    f"worker processes {cause} during start-up. Use fewer --workers, or --workers 0 to work in one "
                    "process."
                )
        elif worker.held:
            self._count_death(worker.held, cause)
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        self._selector.unregister(worker.pipe)
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        self._again.extend(worker.held)
        self._add_worker()

    def _count_death(self, held: deque, cause: str) -> None:
        number = held[0]
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if self._deaths[number] >= TRIES:
            held.popleft()
            self._results[number] = Failed(
                f"the worker process {cause} on it {self._deaths.pop(number)} times. If memory is short, use fewer "
                "--workers."
            )

    def _add_worker(self) -> None:
        try:
            resource_tracker.ensure_running()  # its own start would unblock signals
            # A terminal sends signals to all processes. The fork server ends with this one, and a worker whose start
            # is broken off would print a traceback.
            with signals_blocked():
                ours, theirs = self._context.Pipe()
                process = self._context.Process(target=serve, args=(theirs, self._start, self._limit), daemon=False)
                process.start()
        except (OSError, EOFError) as error:
            # No more files, processes or memory, here or in the fork server.
            cause = one_line(error) or "the system allows no more"
            raise UsageError(
                f"worker processes cannot start: {cause}. Use fewer --workers, or raise ulimit -n."
            ) from None
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)


def _require_handles(workers: int) -> None:
    """Check that this process and the fork server may open enough files.

    Raises:
        UsageError: they may not.
    """
    if resource is None:
        return
    needed, allowed = HANDLES_PER_WORKER * workers + OTHER_HANDLES, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        raise UsageError(
            f"{counted(workers, 'worker process needs', 'worker processes need')} about {needed} open files, "
            f"the system allows {allowed}. "
            f"Use fewer --workers, or raise ulimit -n."
        )


def _modules_of(start: Callable[[], Work]) -> list[str]:
    """The module of a ``start``, which imports what the work needs."""
    function = getattr(start, "func", start)
    module = start.module if isinstance(start, StartIn) else function.__module__
    return [] if module == "__main__" else [module]
