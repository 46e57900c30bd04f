"""Run one function over many items in worker processes, any of which may die at any time.

Each worker has a pipe of its own and answers item by item, so the death of one is seen at once, costs only the item it was working on, and
blocks nobody: no lock or queue is shared. (concurrent.futures gives up as a whole when a worker dies; pools with a shared queue hang when
one is killed while it holds the queue's lock.)
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import selectors
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TypeVar

from motion_rep.errors import InputError, UsageError, one_line, system_failure

Item, Result = TypeVar("Item"), TypeVar("Result")
Work = Callable[[Item], Result]

# A worker holds this many items, so that it never waits for the next; it works on the first.
ITEMS_AHEAD = 4
# Results wait for their turn; a slow item holds up this many others for each worker before the workers pause.
WINDOW_PER_WORKER = 64
TRIES = 2
# Workers that end while they load their models, one after the other, before the run is given up.
FAILED_STARTS = 3
# Loaded once by the process that all workers are copied from; whatever else they use, they load themselves.
PRELOADED = ["numpy", "torch"]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Failed:
    """An item that came to nothing: one line for the user, and the traceback where nobody expected the error."""

    message: str
    detail: str = ""


def run_items(start: Callable[[], Work], items: Iterable[Item], workers: int) -> Iterator[tuple[Item, Result | Failed]]:
    """Each item with its result or why it failed, in the order of the items; one bad item never stops the others.

    Args:
        start: makes the function that does the work; called once in each worker, so it may load models. With workers it must be picklable.
        items: picklable; taken one by one, a bounded number ahead.
        workers: processes; 0 works in this one.
    Raises:
        UsageError: the workers cannot start.
    """
    if workers == 0:
        work = start()
        use_one_thread()
        yield from ((item, attempt(work, item)) for item in items)
        return
    with _Pool(start, workers) as pool:
        yield from pool.run(items)


def attempt(work: Work, item: Item) -> Result | Failed:
    """``work(item)``, or why it failed; only the wish to stop gets through."""
    try:
        return work(item)
    except InputError as error:
        return Failed(str(error))
    except MemoryError as error:
        return Failed(f"not enough memory for it: {one_line(error)}. Use fewer --workers or give a shorter clip.")
    except OSError as error:
        return Failed(system_failure(error), traceback.format_exc())
    except Exception as error:
        return Failed(f"{type(error).__name__}: {one_line(error)[:200]} (not expected; please report it)", traceback.format_exc())


def default_workers(count: int | None, worth_it: int) -> int:
    """How many workers pay for ``count`` items (None: many): one for each core, none where fewer than ``worth_it`` items would fall to each."""
    from motion_rep.ordered_threads import usable_cores

    cores = usable_cores()
    wanted = cores if count is None else min(cores, count // worth_it)
    return wanted if wanted > 1 else 0


@dataclass(eq=False)
class _Worker:
    """One process, its pipe, and the numbers of the items it holds, oldest first."""

    process: multiprocessing.Process
    pipe: connection.Connection
    held: deque = field(default_factory=deque)
    ready: bool = False


class _Pool:
    """Worker processes that are replaced when they die; use :func:`run_items`."""

    def __init__(self, start: Callable[[], Work], workers: int) -> None:
        methods = multiprocessing.get_all_start_methods()
        # Copies of this process would inherit its threads' locks; copies of a fresh one do not, and start quicker than from nothing.
        self._context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._start, self._size = start, workers
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def __enter__(self) -> _Pool:
        with _one_thread_each():
            if self._context.get_start_method() == "forkserver":
                self._context.set_forkserver_preload(PRELOADED)
            for _ in range(self._size):
                self._hire()
        return self

    def __exit__(self, kind, error, trace) -> None:
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

    def run(self, items: Iterable[Item]) -> Iterator[tuple[Item, Result | Failed]]:
        """See :func:`run_items`."""
        self._source = enumerate(items)
        self._again: deque[int] = deque()
        self._items: dict[int, Item] = {}
        self._deaths: dict[int, int] = {}
        self._results: dict[int, Result | Failed] = {}
        turn = 0
        self._hand_out(turn)
        while self._items:
            if turn not in self._results:
                self._collect()
            while turn in self._results:
                yield self._items.pop(turn), self._results.pop(turn)
                turn += 1
            self._hand_out(turn)

    def _hand_out(self, turn: int) -> None:
        """Give every worker items, evenly, as long as there are any and the window is open."""
        for depth in range(1, ITEMS_AHEAD + 1):
            for worker in list(self._workers):
                while len(worker.held) < depth and worker in self._workers:
                    number = self._next(turn)
                    if number is None:
                        return
                    self._give(worker, number)

    def _next(self, turn: int) -> int | None:
        if self._again:
            return self._again.popleft()
        if len(self._items) >= WINDOW_PER_WORKER * self._size:
            return None
        for number, item in self._source:
            self._items[number] = item
            return number
        return None

    def _give(self, worker: _Worker, number: int) -> None:
        worker.held.append(number)
        # A worker that died is noticed, and its items taken back, when its answers are read.
        with contextlib.suppress(OSError):
            worker.pipe.send(self._items[number])

    def _collect(self) -> None:
        """Wait until a worker answers or dies."""
        for key, _ in self._selector.select():
            worker: _Worker = key.data
            try:
                answer = worker.pipe.recv()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            if not worker.ready:
                if isinstance(answer, InputError):
                    raise answer
                worker.ready, self._failed_starts = True, 0
            else:
                self._results[worker.held.popleft()] = answer

    def _bury(self, worker: _Worker) -> None:
        """Replace a dead worker; the item it was working on is tried once more, those it had not begun do not count."""
        self._selector.unregister(worker.pipe)
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        cause = _cause_of_death(worker.process.exitcode)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise UsageError(f"worker processes {cause} as they start. Use fewer --workers, or --workers 0 to work in one process.")
        elif worker.held:
            self._count_death(worker.held, cause)
        self._again.extend(worker.held)
        self._hire()

    def _count_death(self, held: deque, cause: str) -> None:
        number = held[0]
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if self._deaths[number] >= TRIES:
            held.popleft()
            self._results[number] = Failed(f"the worker process {cause} on it {self._deaths.pop(number)} times. If memory is short, use fewer --workers.")

    def _hire(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._start), daemon=False)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)


def _cause_of_death(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed (often for lack of memory)"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started within compute with one thread each: the cores are shared out between workers."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _serve(pipe: connection.Connection, start: Callable[[], Work]) -> None:
    """A worker's life: load, then answer one item after the other until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work = start()
    except InputError as error:
        pipe.send(error)
        return
    use_one_thread()
    pipe.send(True)
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(attempt(work, pipe.recv()))


def use_one_thread() -> None:
    """Tell the libraries that are loaded to compute in the calling thread; for arrays as small as ours, several threads only wait for each other."""
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    if torch is not None:
        torch.set_num_threads(1)
    if cv2 is not None:
        cv2.setNumThreads(1)


def _end_with_parent() -> None:
    """End at once when the parent is gone, so that a killed run does not write behind the back of the next."""
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
