"""Serve the viewer at a free port, and to its own page only: viser listens to every page that the browser shows."""

from __future__ import annotations

import contextlib
import errno
import functools
import http
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio import server

from motion_rep.common.errors import UsageError

LAST_PORT = 65535
# Addresses that serve other machines, by any name.
ALL_INTERFACES = ("0.0.0.0", "::")
BUSY = (errno.EADDRINUSE, errno.EACCES)


def free_port(host: str, port: int) -> int:
    """The first free port from ``port`` on; viser waits for ever if it cannot listen.

    Raises:
        UsageError: this machine cannot listen at the host, or no port is free.
    """
    try:
        places = [(one[0], one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        return next(number for number in range(port, LAST_PORT + 1) if all(_is_free(*one, number) for one in places))
    except (OSError, UnicodeError):
        raise UsageError(
            f"--host {host}: is no address of this machine. Use 127.0.0.1, or 0.0.0.0 to serve other machines too."
        ) from None
    except StopIteration:
        raise UsageError(f"--port {port}: no port is free from there on. Give a lower one.") from None


def _is_free(family: socket.AddressFamily, address: str | int, port: int) -> bool:
    try:
        with socket.create_server((str(address), port), family=family):
            return True
    except OSError as error:
        if error.errno in BUSY:
            return False
        raise


@contextlib.contextmanager
def other_pages_refused(host: str) -> Iterator[None]:
    """Servers that viser starts in this block refuse connections of other web pages, and names set on this machine's
    address by strangers (DNS rebinding). viser has no setting for it.
    """
    serve = server.serve

    def guarded(*places: Any, process_request: Callable | None = None, **options: Any) -> Any:
        return serve(*places, process_request=functools.partial(_answer, host, process_request), **options)

    server.serve = guarded  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        server.serve = serve  # type: ignore[misc]


def _answer(host: str, answer: Callable | None, connection: Any, request: Any) -> Any:
    if _is_foreign(host, request.headers.get("Host", ""), request.headers.get("Origin")):
        return connection.respond(http.HTTPStatus.FORBIDDEN, "Only the viewer's own page may connect.\n")
    return None if answer is None else answer(connection, request)


def _is_foreign(served: str, host: str, origin: str | None) -> bool:
    """Whether a request comes from another page; programs that are no browser send no origin.

    Args:
        served: the address at which the viewer listens. host, origin: the request's headers.
    """
    if origin is None:
        return False
    place = urlsplit(origin)
    name = place.hostname or ""
    known = served in ALL_INTERFACES or name in ("localhost", served.lower()) or _is_number(name)
    return place.netloc.lower() != host.lower() or not known


def _is_number(name: str) -> bool:
    """Whether a host is given as an IP address, which nobody else can redirect."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
