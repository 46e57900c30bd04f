"""Run one function over many items in worker processes, any of which may die at any time.

Each worker has a pipe of its own and answers item by item, so the death of one is seen at once, costs only the item it
was working on, and
blocks nobody: no lock or queue is shared. (concurrent.futures gives up as a whole when a worker dies; pools with a
shared queue hang when
one is killed while it holds the queue's lock.)
"""

from __future__ import annotations

import contextlib
import importlib
import math
import multiprocessing
import os
import queue
import selectors
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

from motion_rep.common.errors import InputError, UsageError, one_line, system_failure
from motion_rep.runs.ordered_threads import usable_cores

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item], Result]

# A worker holds items for so many seconds, so that it never waits for the next however busy the machine is; it works on
# the first.
SECONDS_AHEAD = 0.05
FEWEST_AHEAD, MOST_AHEAD = 2, 32
# While all workers have enough to do, answers gather for up to so many seconds: waking up for each would cost a tenth
# of a quick item.
SECONDS_TO_GATHER = 0.01
# Results wait for their turn; a slow item holds up this many others for each worker before the workers pause.
WINDOW_PER_WORKER = 64
TRIES = 2
# Open files of a run: a pipe and a sentinel for each worker, with room while one starts.
HANDLES_PER_WORKER, OTHER_HANDLES = 3, 24
# A worker stops an item itself at its time limit; one that cannot (a call that never returns to Python) is killed so
# much later.
SECONDS_OF_GRACE = 5.0
# Workers that end while they load their models, one after the other, before the run is given up.
FAILED_STARTS = 3
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Failed:
    """An item that came to nothing: one line for the user, and the traceback where nobody expected the error."""

    message: str
    detail: str = ""
    exit_code: int = 1


class _TooLong(BaseException):
    """The time limit of an item is over; no ``except Exception`` of the work must catch it."""


@dataclass(frozen=True)
class StartIn:
    """A ``start`` for :func:`run_items` by the name of its module, so that this process need not import what only
    workers use (torch: a second).
    """

    module: str
    function: str
    arguments: tuple = ()

    def __call__(self) -> Work:
        return getattr(importlib.import_module(self.module), self.function)(*self.arguments)


def _itself(item: Item) -> Item:
    return item


def run_items(
    start: Callable[[], Work],
    items: Iterable[Item],
    workers: int,
    sent: Callable[[Item], object] = _itself,
    limit: float | None = None,
) -> Generator[tuple[Item, Result | Failed], None, None]:
    """Each item with its result or why it failed, in the order of the items; one bad item never stops the others.

    Args:
        start: makes the function that does the work; called once in each worker, so it may load models. With workers it
        must be picklable.
        items: taken one by one, a bounded number ahead.
        workers: processes; 0 works in this one.
        sent: what the work needs of an item; with workers it must be picklable, while the item itself stays here.
        limit: seconds for one item, which fails after that; None sets no limit.
    Raises:
        UsageError: the workers cannot start.
    """
    if workers == 0:
        work = start()
        use_one_thread()
        yield from ((item, attempt(work, sent(item), limit)) for item in items)
        return
    with _Pool(start, workers, limit) as pool:
        yield from pool.run(items, sent)


def attempt(work: Work, item: Item, limit: float | None = None) -> Result | Failed:
    """``work(item)``, or why it failed, also for running longer than ``limit`` seconds.

    Only Ctrl-C and exits get through.
    """
    try:
        with _alarm(limit):
            return work(item)
    except _TooLong:
        return Failed(_too_long(limit))
    except InputError as error:
        return Failed(str(error), exit_code=error.exit_code)
    except MemoryError as error:
        return Failed(f"not enough memory for it: {one_line(error)}. Use fewer --workers or give a shorter clip.")
    except OSError as error:
        return Failed(system_failure(error), traceback.format_exc())
    except Exception as error:
        return Failed(
            f"{type(error).__name__}: {one_line(error)[:200]} (not expected; please report it)", traceback.format_exc()
        )


def _too_long(limit: float | None) -> str:
    return f"took longer than {limit:g} seconds and was stopped. Check the file, or raise --item-timeout."


@contextlib.contextmanager
def _alarm(limit: float | None) -> Iterator[None]:
    """Raise :class:`_TooLong` in this block after ``limit`` seconds.

    Only main threads can, on systems that have timers.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if limit is None or not in_main or not hasattr(signal, "setitimer"):
        yield
        return

    def expire(*_: object) -> None:
        raise _TooLong

    before, began = signal.signal(signal.SIGALRM, expire), time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # a timer of the caller goes on
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-3))


def default_workers(count: int | None, worth_it: int) -> int:
    """How many workers pay for ``count`` items (None: many): one for each core, none where fewer than ``worth_it``
    items would fall to each.
    """
    cores = usable_cores()
    wanted = cores if count is None else min(cores, count // worth_it)
    return wanted if wanted > 1 else 0


@dataclass(eq=False)
class _Worker:
    """One process, its pipe, and the numbers of the items it holds, oldest first.

    began: when it began the item it works on; since: when it was measured last; answered: how many times after that;
    seconds: what an item took it of late.
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
        """Note how long the items took that it has answered since the last time."""
        if self.answered:
            self.seconds = (now - self.since) / self.answered
            self.since, self.answered = now, 0

    def seconds_held(self) -> float:
        """How long it will be busy, as far as is known."""
        return len(self.held) * self.seconds if self.held and self.ready else 0.0

    def ahead(self) -> int:
        """How many items it should hold."""
        return max(FEWEST_AHEAD, min(MOST_AHEAD, int(SECONDS_AHEAD / max(self.seconds, 1e-9))))


class _Pool:
    """Worker processes that are replaced when they die; use :func:`run_items`."""

    def __init__(self, start: Callable[[], Work], workers: int, limit: float | None) -> None:
        methods = multiprocessing.get_all_start_methods()
        # Copies of this process would inherit its threads' locks; copies of a fresh one do not, and start quicker than
        # from nothing.
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
        with _environment_of_workers():
            if self._context.get_start_method() == "forkserver":
                # Loaded once, by the process that all workers are copied from.
                self._context.set_forkserver_preload(_modules_of(self._start))
            try:
                for _ in range(self._size):
                    self._add_worker()
            except BaseException:
                self.__exit__(*sys.exc_info())
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            if kind is not None:
                worker.process.terminate()
            worker.process.join(10)
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
        """Give every worker items, evenly, as long as there are any and the window is open."""
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
        """The share of a worker that has room for one more item, again and again: first where the fewest would be."""
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
        # A worker that died is noticed, and its items taken back, when its answers are read.
        with contextlib.suppress(OSError):
            worker.pipe.send([self._sent(self._items[number]) for number in numbers])

    def _collect(self) -> None:
        """Wait until a worker answers or dies, and take all answers that are there."""
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
        """When the item that a worker is working on is over its limit and its grace."""
        if self._limit is None or not (worker.ready and worker.held):
            return math.inf
        return worker.began + self._limit + SECONDS_OF_GRACE

    def _seconds_to_next_limit(self) -> float | None:
        first = min(map(self._killed_at, self._workers))
        return None if first == math.inf else max(first - time.monotonic(), 0.0)

    def _stop(self, worker: _Worker) -> None:
        worker.process.kill()
        self._results[worker.held.popleft()] = Failed(_too_long(self._limit))
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
        """Take note of a worker that died.

        The item it was working on is tried once more, those it had not begun do not count.
        """
        worker.process.join()
        cause = _cause_of_death(worker.process.exitcode)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise UsageError(
                    f"worker processes {cause} as they start. Use fewer --workers, or --workers 0 to work in one "
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
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(theirs, self._start, self._limit), daemon=False)
            process.start()
        except (OSError, EOFError) as error:
            # No more files, processes or memory, here or in the process that workers come from.
            cause = one_line(error) or "the system allows no more"
            raise UsageError(
                f"worker processes cannot start: {cause}. Use fewer --workers, or raise ulimit -n."
            ) from None
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)


def _require_handles(workers: int) -> None:
    """Check that the system lets this process, and the one that workers come from, open enough files.

    Raises:
        UsageError: it does not.
    """
    if resource is None:
        return
    needed, allowed = HANDLES_PER_WORKER * workers + OTHER_HANDLES, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        raise UsageError(
            f"{workers} worker processes need about {needed} open files, the system allows {allowed}. "
            f"Use fewer --workers, or raise ulimit -n."
        )


def _cause_of_death(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "was killed (often for lack of memory)"
    return f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with code {code}"


def _modules_of(start: Callable[[], Work]) -> list[str]:
    """The module that a ``start`` is from, which imports what the work needs."""
    function = getattr(start, "func", start)
    module = start.module if isinstance(start, StartIn) else function.__module__
    return [] if module == "__main__" else [module]


@contextlib.contextmanager
def _environment_of_workers() -> Iterator[None]:
    """Processes started within compute with one thread each, as the cores are shared out between workers, and find this
    project.
    """
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    changed = {**dict.fromkeys(THREAD_VARIABLES, "1"), "PYTHONPATH": paths}
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


def _serve(pipe: connection.Connection, start: Callable[[], Work], limit: float | None) -> None:
    """A worker's life: load, then answer one item after the other until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
    """Take items off the pipe beside the work: large ones going out and large answers coming back must not wait for
    each other.
    """
    try:
        with contextlib.suppress(EOFError, OSError):
            while True:
                batches.put(pipe.recv())
    finally:
        batches.put(None)


def use_one_thread() -> None:
    """Tell the libraries that are loaded to compute in the calling thread.

    For arrays as small as ours, several threads only wait for each other.
    """
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    if torch is not None:
        torch.set_num_threads(1)
    if cv2 is not None:
        cv2.setNumThreads(1)


def _end_with_parent() -> None:
    """End at once when the parent is gone, so that a killed run does not write behind the back of the next."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
