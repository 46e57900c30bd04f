"""Schemes of addresses that the files of a run may name, because the command line names them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

# In the environment, as worker processes read it too.
VARIABLE = "MOTION_REP_ALLOWED_SCHEMES"


def allowed_schemes() -> list[str]:
    """The schemes that the command line of this run allows."""
    return os.environ.get(VARIABLE, "").split(",")


@contextlib.contextmanager
def schemes_allowed(paths: Iterable[Any], more: Iterable[str] = ()) -> Iterator[None]:
    """Allow the schemes of a command line's own paths, and others, for the time of a block."""
    before = os.environ.get(VARIABLE)
    own = [scheme for path in paths if isinstance(scheme := getattr(path, "scheme", None), str)]
    os.environ[VARIABLE] = ",".join(sorted({*own, *(scheme.lower() for scheme in more)}))
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before
