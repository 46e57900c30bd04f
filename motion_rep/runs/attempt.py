"""The work on one item: its result, or a line that says why there is none."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from motion_rep.common.errors import InputError, one_line, system_failure

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item], Result]


@dataclass(frozen=True)
class Failed:
    """A failed item: one line for the user, and the traceback of an unexpected error."""

    message: str
    detail: str = ""
    exit_code: int = 1


class _TooLong(BaseException):
    """The time limit of an item is reached; a BaseException, so that the work does not catch it."""


def attempt(work: Work, item: Item, limit: float | None = None) -> Result | Failed:
    """``work(item)`` or its failure; an item fails after ``limit`` seconds. Ctrl-C and exits pass through."""
    try:
        with _alarm(limit):
            return work(item)
    except _TooLong:
        return Failed(too_long(limit))
    except InputError as error:
        return Failed(str(error), exit_code=error.exit_code)
    except MemoryError as error:
        return Failed(f"not enough memory: {one_line(error)}. Use fewer --workers or give a shorter clip.")
    except OSError as error:
        return Failed(system_failure(error), traceback.format_exc())
    except Exception as error:
        return Failed(
            f"{type(error).__name__}: {one_line(error)[:200]} (unexpected; please report it)", traceback.format_exc()
        )


def too_long(limit: float | None) -> str:
    return f"took longer than {limit:g} seconds and was stopped. Check the file, or raise --item-timeout."


@contextlib.contextmanager
def _alarm(limit: float | None) -> Iterator[None]:
    """Raise :class:`_TooLong` in this block after ``limit`` seconds; works in main threads of systems with timers."""
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
        if left:  # resume the caller's timer
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-3))
