"""Signals that end a command: Ctrl-C, SIGTERM of a cluster or a service, SIGHUP of a closed terminal.

All raise :class:`Ended` in the main thread, so that temporary files are removed and worker processes end.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

END_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, FrameType | None], Any] | int | None
DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)
# Exit code of a command that a signal ended: this and the number of the signal.
SIGNAL_CODE = 128
# A repeated signal is ignored for this time, in which the command removes its temporary files; then it ends at once.
SECONDS_TO_TIDY_UP = 5.0
# A signal in an import is raised at its end, but not later than after this time.
SECONDS_TO_IMPORT = 10.0
# A signal that met a destructor or an import is sent again after this time.
SECONDS_UNTIL_AGAIN = 0.02


class Ended(KeyboardInterrupt):
    """A signal asks this process to end."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


class Cancelled(threading.Event):
    """An event that a signal sets; ``exit_code`` is 0 until then."""

    exit_code = 0


def was_ended(exit_code: int) -> bool:
    """Whether a command with this exit code was ended by a signal."""
    return exit_code > SIGNAL_CODE


def exit_code(error: KeyboardInterrupt) -> int:
    """The exit code of a command that this error ended."""
    return SIGNAL_CODE + signal_of(error)


def signal_of(error: KeyboardInterrupt) -> int:
    """The signal that raised this error; native code, such as Ray's, can replace :class:`Ended`."""
    return getattr(error, "number", _held.raised)


@dataclass
class _Held:
    """The number of open blocks that delay signals, a signal that arrived in them, and the one that was raised."""

    blocks: int = 0
    number: int | None = None
    raised: int = signal.SIGINT


_held = _Held()


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Raise :class:`Ended` at the end of this block, not in it: a file is created and noted, or neither.

    Only the main thread gets signals; in another thread, the block has no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _held.blocks += 1
    try:
        yield
    finally:
        _held.blocks -= 1
        if not _held.blocks and _held.number is not None:
            number, _held.number = _held.number, None
            raise Ended(number)


class _SentAgain:
    """A signal that came at a moment at which it cannot be raised is sent again a little later."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._timer: threading.Timer | None = None

    def plan(self, number: int) -> None:
        self._number = number
        self._timer = threading.Timer(SECONDS_UNTIL_AGAIN, os.kill, (os.getpid(), number))
        self._timer.start()

    def cancel(self) -> None:
        self._number = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def send_now(self) -> None:
        """Send what is planned: the rest of the work can be shorter than the wait."""
        if self._number is not None:
            signal.raise_signal(self._number)


class _RaiseOnce:
    """A handler: the first signal raises :class:`Ended`; a later one must not break off the removal of files."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._is_raised = False
        self.again = _SentAgain()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._since is None:
            self._since = time.monotonic()
        seconds = time.monotonic() - self._since
        if self._is_raised:
            if seconds > SECONDS_TO_TIDY_UP:
                end_by(number)
        elif _is_importing(frame) and seconds < SECONDS_TO_IMPORT:
            self.again.plan(number)
        else:
            self._raise(number)

    def _raise(self, number: int) -> None:
        self._is_raised, _held.raised = True, number
        self.again.cancel()
        sys.unraisablehook = self._ignored
        if not _held.blocks:
            raise Ended(number)
        _held.number = number

    def _ignored(self, error: sys.UnraisableHookArgs) -> None:
        """Send the signal again if Python has ignored :class:`Ended`, as it ignores every error in a destructor."""
        if isinstance(error.exc_value, Ended):
            self._since, self._is_raised = None, False
            self.again.plan(error.exc_value.number)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported. Some that are not in Python turn Ended into another error or abort, and in
    a program that goes on, half a module would stay.
    """
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def signals_raise_ended() -> Iterator[Callable[[], None]]:
    """In this block, the first signal raises :class:`Ended`. Call the given function at the end of the work: it raises
    a signal that came in an import or a destructor.

    An ignored signal (nohup) stays ignored. A repeated one gets its default action after :data:`SECONDS_TO_TIDY_UP`.
    """
    hook, handler = sys.unraisablehook, _RaiseOnce()
    try:
        with _handled(handler, _has_default):
            try:
                yield handler.again.send_now
            finally:
                handler.again.cancel()
    finally:
        sys.unraisablehook, _held.raised = hook, signal.SIGINT


class _Ignored:
    """A handler that ignores a signal for :data:`SECONDS_TO_TIDY_UP`; then the earlier handler gets it."""

    def __init__(self, before: Handler) -> None:
        self.before = before
        self._since = time.monotonic()

    def __call__(self, number: int, _: object) -> None:
        if time.monotonic() - self._since > SECONDS_TO_TIDY_UP:
            signal.signal(number, self.before)
            os.kill(os.getpid(), number)


def ignore_repeated_signals() -> None:
    """Ignore signals while Python ends; a program that continues handles them again later."""
    atexit.register(_ignore_until_the_end)
    for number in _unhandled():
        old = signal.getsignal(number)
        signal.signal(number, _Ignored(old.before if isinstance(old, _Ignored) else old))


def _ignore_until_the_end() -> None:
    """Python gives signals with a handler their default action before it unloads its modules."""
    for number in END_SIGNALS:
        if isinstance(signal.getsignal(number), _Ignored):
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def signals_cancel() -> Iterator[Cancelled]:
    """An event that the first signal sets in this block; a second one goes to the handler outside."""
    cancelled = Cancelled()
    restore = contextlib.ExitStack()

    def cancel(number: int, _: object) -> None:
        cancelled.exit_code = SIGNAL_CODE + number
        cancelled.set()
        restore.close()

    with restore:
        restore.enter_context(_handled(cancel, lambda number: signal.getsignal(number) != signal.SIG_IGN))
        yield cancelled


def take_signals_of_worker() -> None:
    """Let signals raise :class:`Ended` in a worker process, and ignore Ctrl-C, which a terminal sends to all processes:
    the parent ends its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handler = _RaiseOnce()
    for number in _unhandled():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)


def signals_end_process() -> None:
    """Give signals their default action, except ignored ones: while Python ends, :class:`Ended` would be printed as a
    traceback.
    """
    for number in END_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Delay signals until the end of this block; processes that it starts never get them. Not on Windows."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _has_default(number: int) -> bool:
    """Whether a signal has its default handler."""
    handler = signal.getsignal(number)
    return handler in DEFAULTS or isinstance(handler, _Ignored)


def _unhandled() -> list[int]:
    """The signals that have their default handlers; none in a thread that may not handle signals."""
    is_main = threading.current_thread() is threading.main_thread()
    return [number for number in END_SIGNALS if _has_default(number)] if is_main else []


def end_by(number: int) -> None:
    """End this process by a signal's default action."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], None], is_ours: Callable[[int], bool]) -> Iterator[None]:
    """Handle the signals in this block, if it runs in the main thread."""
    with handlers_kept():
        if threading.current_thread() is threading.main_thread():
            for number in filter(is_ours, END_SIGNALS):
                signal.signal(number, handler)
        yield


@contextlib.contextmanager
def handlers_kept() -> Iterator[None]:
    """At the end of this block, put back the handlers that it replaces, as Ray does when it connects."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            if old is not None and signal.getsignal(number) is not old:
                signal.signal(number, old)
