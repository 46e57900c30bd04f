"""The figures of an archive's entries, in order: here, in worker processes, or on a cluster."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from motion_gating.metrics.joint_clip import read_joint_clip
from motion_gating.metrics.joint_metrics import JointMetrics, measure
from motion_rep.common.errors import InputError
from motion_rep.files.locations import Location, resolve_from
from motion_rep.files.remote_files import local_copy
from motion_rep.runs.work_pool import Failed, run_items

# Runs a function, made once by each worker, over items of which there are so many: each with its result, in order.
Engine = Callable[[Callable, Iterable, int], Iterator[tuple[object, object]]]


@dataclass(frozen=True)
class Measured:
    """Figures of an entry, or why there are none; ``traceback`` of an error that nobody expected."""

    metrics: JointMetrics | None
    error: str | None = None
    traceback: str = ""


def in_this_process(start: Callable, items: Iterable, count: int) -> Iterator[tuple[object, object]]:
    """The engine without workers."""
    return run_items(start, items, 0)


def measured_entries(
    entries: Iterator[dict],
    count: int,
    field: str,
    meta_json: Location,
    engine: Engine = in_this_process,
    cancelled: threading.Event | None = None,
) -> Iterator[tuple[dict, Measured | None]]:
    """Each entry with its figures; once ``cancelled`` is set, the rest comes at once, with None.

    Args:
        entries: read a bounded number ahead.
        count: how many there are.
        field: of an entry, with the path of its eval file.
        meta_json: the archive, beside which such paths are.
    """
    waiting: deque[dict] = deque()
    results = engine(functools.partial(start_measuring, field, meta_json), _jobs(entries, field, waiting), count)
    with contextlib.closing(results):
        for _, result in results:
            yield (
                waiting.popleft(),
                Measured(None, result.message, result.detail) if isinstance(result, Failed) else Measured(result),
            )
            if cancelled is not None and cancelled.is_set():
                break
    while waiting:
        yield waiting.popleft(), None
    yield from ((entry, None) for entry in entries)


def start_measuring(field: str, meta_json: Location) -> Callable[[object], JointMetrics]:
    """The work of a worker; see :func:`measure_eval_file`."""
    return functools.partial(measure_eval_file, field, meta_json)


def measure_eval_file(field: str, meta_json: Location, value: object) -> JointMetrics:
    """The figures of an entry.

    Args:
        value: what the entry says in ``field``.
    Raises:
        InputError: it says nothing, or the file cannot be measured.
    """
    if not isinstance(value, str) or not value:
        raise InputError(f"the entry has no {field}. Render it first, or name its field with --eval-field.")
    with local_copy(resolve_from(value, meta_json)) as path:
        clip = read_joint_clip(path)
        try:
            return measure(clip)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _jobs(entries: Iterator[dict], field: str, waiting: deque[dict]) -> Iterator[object]:
    """What workers need of each entry; ``waiting`` gets those whose figures are still to come."""
    for entry in entries:
        waiting.append(entry)
        yield entry.get(field)
