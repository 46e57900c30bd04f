"""The number of threads in which the loaded libraries compute."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator

TORCH, CV2 = "torch", "cv2"
_FUNCTIONS = {TORCH: ("get_num_threads", "set_num_threads"), CV2: ("getNumThreads", "setNumThreads")}
# What sets the number of before.
_restore: dict[str, Callable[[], None]] = {}


def use_one_thread(*libraries: str) -> None:
    """Make the loaded libraries (default: all) compute in the calling thread: for small arrays, more are slower."""
    for name in libraries or _FUNCTIONS:
        if (library := sys.modules.get(name)) is not None:
            number, set_number = (getattr(library, function) for function in _FUNCTIONS[name])
            _restore.setdefault(name, functools.partial(set_number, number()))
            set_number(1)


@contextlib.contextmanager
def thread_numbers_kept() -> Iterator[None]:
    """Undo :func:`use_one_thread` at the end of this block: the program, for example a notebook, goes on."""
    try:
        yield
    finally:
        while _restore:
            _restore.popitem()[1]()
