"""The number of threads in which the loaded libraries compute."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

TORCH, CV2, NUMPY = "torch", "cv2", "numpy"
_FUNCTIONS = {
    TORCH: ("get_num_threads", "set_num_threads"),
    CV2: ("getNumThreads", "setNumThreads"),
    NUMPY: ("scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"),
}
# What sets the number of before.
_restore: dict[str, Callable[[], None]] = {}


def use_one_thread(*libraries: str) -> None:
    """Make the loaded libraries (default: all) compute in the calling thread: for small arrays, more are slower."""
    for name in libraries or _FUNCTIONS:
        library = sys.modules.get(name) if name != NUMPY else _blas()
        if library is not None and all(hasattr(library, function) for function in _FUNCTIONS[name]):
            number, set_number = (getattr(library, function) for function in _FUNCTIONS[name])
            _restore.setdefault(name, functools.partial(set_number, number()))
            set_number(1)


def _blas() -> Any:
    """The library in which NumPy multiplies matrices; NumPy itself has no function for its threads.

    Wheels of NumPy contain OpenBLAS; other builds may use a library without these functions.
    """
    core = sys.modules.get("numpy._core._multiarray_umath")
    return None if core is None else ctypes.CDLL(core.__file__)


@contextlib.contextmanager
def thread_numbers_kept() -> Iterator[None]:
    """Undo :func:`use_one_thread` at the end of this block: the program, for example a notebook, goes on."""
    try:
        yield
    finally:
        while _restore:
            _restore.popitem()[1]()
