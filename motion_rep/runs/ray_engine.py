"""Run one function over many items on a Ray cluster; Ray restarts what dies with a worker or a machine.

Ray is an optional install. It brings our own packages to its machines; what those import must be installed there. The
files are on a file
system that all machines see under the same paths, or behind URLs.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import socket
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from motion_rep.common.errors import InputError, UsageError, one_line
from motion_rep.runs.work_pool import Failed, Work, attempt, use_one_thread

Item = TypeVar("Item")
Result = TypeVar("Result")

OWN_PACKAGES = [str(Path(__file__).resolve().parents[2] / name) for name in ("motion_rep", "motion_gating")]
# A task of Ray costs about a millisecond; several items share one.
ITEMS_PER_TASK = 8
TASKS_AHEAD_PER_CPU = 4
RETRIES = 1
# Ray itself tries for minutes, with a page of its own messages.
ANSWER_SECONDS = 5

_loaded: dict[bytes, Work] = {}


def run_items_on_ray(
    start: Callable[[], Work],
    items: Iterable[Item],
    address: str | None = None,
    folder: str | None = None,
    sent: Callable[[Item], object] = lambda item: item,
    limit: float | None = None,
) -> Generator[tuple[Item, Result | Failed], None, None]:
    """Each item with its result or why it failed, in the order of the items; like
    :func:`motion_rep.runs.work_pool.run_items`.

    Args:
        start: as there; called once in each of Ray's worker processes.
        address: of the cluster; None takes RAY_ADDRESS, else starts one on this machine.
        folder: where relative paths begin, on every machine; None where there are none.
        sent, limit: as there.
    Raises:
        UsageError: Ray is not installed, the cluster does not answer, or the work cannot start.
    """
    ray = _connected(address)
    do = ray.remote(num_cpus=1, max_retries=RETRIES)(_do)
    begin = pickle.dumps(start)

    def submit(batch: list[Item]) -> Any:
        return do.remote(begin, folder, [sent(item) for item in batch], limit)

    waiting: deque = deque()
    source = iter(items)
    while True:
        # Asked each time: machines come and go.
        room = int(ray.cluster_resources().get("CPU", 1)) * TASKS_AHEAD_PER_CPU - len(waiting)
        batches = (list(islice(source, ITEMS_PER_TASK)) for _ in range(max(room, 0)))
        waiting.extend((batch, submit(batch)) for batch in batches if batch)
        if not waiting:
            return
        batch, task = waiting.popleft()
        yield from zip(batch, _answers(ray, batch, task, submit), strict=True)


def _answers(
    ray: ModuleType, batch: list[Item], task: Any, submit: Callable[[list[Item]], Any]
) -> list[Result | Failed]:
    """A task's results; where it was lost for good, its items are tried one by one, so that the guilty one is found."""
    try:
        found = ray.get(task)
    except ray.exceptions.RayError as error:
        if len(batch) == 1:
            return [Failed(f"its worker was lost on Ray {RETRIES + 1} times: {one_line(error)[:160]}")]
        singles = [submit([item]) for item in batch]
        return [_answers(ray, [item], single, submit)[0] for item, single in zip(batch, singles, strict=True)]
    if isinstance(found, InputError):
        raise found
    return found


def _do(begin: bytes, folder: str | None, batch: list, limit: float | None) -> list[Result | Failed] | InputError:
    """Runs in Ray's worker process, which keeps what it has loaded for the tasks that follow."""
    work = _loaded.get(begin)
    if work is None:
        try:
            # Relative paths mean the same as where the command was started.
            if folder is not None:
                os.chdir(folder)
            work = pickle.loads(begin)()
        except InputError as error:
            return error
        except OSError as error:
            return UsageError(
                f"{folder}: is not there on a machine of the cluster ({error.strerror}). All must see the same files "
                "under the same paths."
            )
        use_one_thread()
        _loaded[begin] = work
    return [attempt(work, item, limit) for item in batch]


def _connected(address: str | None) -> ModuleType:
    """The ray module, connected to a cluster."""
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs Ray, which is not installed. Run: pip install ray") from None
    _require_answer(address or os.environ.get("RAY_ADDRESS", ""))
    try:
        if not ray.is_initialized():
            # Ray would otherwise repeat the workers' output here.
            ray.init(
                address=address,
                runtime_env={"py_modules": OWN_PACKAGES},
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        hint = "Check --ray-address; a cluster that wants a token needs RAY_AUTH_MODE=token."
        raise UsageError(
            f"the Ray cluster {address or 'of this machine'} cannot be used: {one_line(error)[:200]}. {hint}"
        ) from None
    return ray


def _require_answer(address: str) -> None:
    """Check that somebody listens at HOST:PORT, where the address is of that form.

    Raises:
        UsageError: nobody does.
    """
    named = re.fullmatch(r"(?:ray://)?(.+):(\d{1,5})", address)
    if named is None:
        return
    try:
        socket.create_connection((named[1].strip("[]"), int(named[2])), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"the Ray cluster {address} does not answer: {one_line(getattr(error, 'strerror', None) or error)}. "
            "Check --ray-address."
        ) from None
