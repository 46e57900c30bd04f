"""Run one function over many items on a Ray cluster; Ray restarts tasks whose worker or machine dies.

Ray is an optional package. It copies our packages to its machines; their dependencies must be installed there. Files
must be visible on all machines under the same paths, or be URLs.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from motion_rep.common.allowed_schemes import HOSTS, SCHEMES
from motion_rep.common.compute_threads import use_one_thread
from motion_rep.common.end_signals import Ended, handlers_kept
from motion_rep.common.errors import InputError, UsageError, one_line
from motion_rep.common.optional_packages import optional_module
from motion_rep.files.locations import OWN_FOLDER
from motion_rep.runs.attempt import Failed, Work, attempt

Item = TypeVar("Item")
Result = TypeVar("Result")

OWN_PACKAGES = [str(Path(__file__).resolve().parents[2] / name) for name in ("motion_rep", "motion_gating")]
# A Ray task costs about a millisecond, so several items share one.
ITEMS_PER_TASK = 8
TASKS_AHEAD_PER_CPU = 4
RETRIES = 1
# Ray itself retries for minutes and prints many messages.
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
    """Each item with its result or its failure, in the order of the items; see
    :func:`motion_rep.runs.work_pool.run_items` for ``start``, ``sent`` and ``limit``.

    Args:
        address: address of the cluster; None means RAY_ADDRESS, else a cluster started on this machine.
        folder: base of relative paths on every machine; None if there are none.
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
        # Query each time: machines join and leave.
        room = int(ray.cluster_resources().get("CPU", 1)) * TASKS_AHEAD_PER_CPU - len(waiting)
        batches = (list(islice(source, ITEMS_PER_TASK)) for _ in range(max(room, 0)))
        waiting.extend((batch, submit(batch)) for batch in batches if batch)
        if not waiting:
            return
        batch, task = waiting.popleft()
        yield from zip(batch, _answers(ray, batch, task, submit), strict=True)


def _answers(ray: Any, batch: list[Item], task: Any, submit: Callable[[list[Item]], Any]) -> list[Result | Failed]:
    """A task's results; after a final loss its items are retried one by one to find the cause."""
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
    """Runs in a Ray worker, which keeps the loaded work for later tasks."""
    work = _loaded.get(begin)
    if work is None:
        try:
            # Relative paths start where the command was started.
            if folder is not None:
                os.chdir(folder)
            work = pickle.loads(begin)()
        except InputError as error:
            return error
        except OSError as error:
            return UsageError(
                f"{folder}: does not exist on a machine of the cluster ({error.strerror}). All machines must see the "
                "same files under the same paths."
            )
        use_one_thread()
        _loaded[begin] = work
    return [attempt(work, item, limit) for item in batch]


def _connected(address: str | None) -> Any:
    """The ray module, connected to a cluster."""
    ray = optional_module("ray", "ray", "--engine ray")
    given = address or os.environ.get("RAY_ADDRESS", "")
    _require_answer(given)
    if not given and " " in sys.executable:
        # Ray gives this path to a shell without quotes, and then waits for its workers for ever.
        raise UsageError(
            f"{sys.executable}: Ray cannot start a Python whose path contains a space. Set up the environment in "
            "another folder, or use --engine local."
        )
    try:
        if not ray.is_initialized():
            with handlers_kept():
                # Otherwise Ray repeats the workers' output here.
                ray.init(
                    address=address,
                    runtime_env={
                        "py_modules": OWN_PACKAGES,
                        "env_vars": {name: os.environ.get(name, "") for name in (SCHEMES, HOSTS, OWN_FOLDER)},
                    },
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
    except SystemExit:  # raised by Ray's own handler of SIGTERM, while it connects
        raise Ended(signal.SIGTERM) from None
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        hint = "Check --ray-address; a cluster with tokens needs RAY_AUTH_MODE=token."
        raise UsageError(
            f"the Ray cluster {address or 'of this machine'} cannot be used: {one_line(error)[:200]}. {hint}"
        ) from None
    return ray


def _require_answer(address: str) -> None:
    """Check that HOST:PORT accepts connections, if the address has that form.

    Raises:
        UsageError: it does not.
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
