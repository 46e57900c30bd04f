"""Schemes and hosts that the files of a run may use, because the command line uses or allows them."""

from __future__ import annotations

import contextlib
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Any

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
LOCAL_SCHEMES = ("file", "local")
# In the environment, because worker processes read them, too.
SCHEMES, HOSTS = "MOTION_REP_ALLOWED_SCHEMES", "MOTION_REP_ALLOWED_HOSTS"


def allowed_schemes() -> list[str]:
    """The schemes that the command line of this run allows."""
    return os.environ.get(SCHEMES, "").split(",")


def allowed_hosts() -> list[str]:
    """The hosts of private networks that the command line of this run, or the environment, allows."""
    return os.environ.get(HOSTS, "").split(",")


@contextlib.contextmanager
def addresses_allowed(paths: Iterable[Any], schemes: Iterable[str] = (), hosts: Iterable[str] = ()) -> Iterator[None]:
    """Within a block, allow the schemes and hosts of a command line's own paths, and others."""
    before = {name: os.environ.get(name) for name in (SCHEMES, HOSTS)}
    own = [path for path in paths if isinstance(getattr(path, "scheme", None), str)]
    named = {host for path in own if (host := urllib.parse.urlsplit(str(path)).hostname)}
    os.environ[SCHEMES] = _joined({path.scheme for path in own}, schemes)
    os.environ[HOSTS] = _joined(named, hosts, allowed_hosts())
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _joined(*words: Iterable[str]) -> str:
    return ",".join(sorted({word.lower() for some in words for word in some if word}))
