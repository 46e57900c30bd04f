"""Download a file over http within limits: size, time, redirects, and where these may lead."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from motion_rep.common.allowed_schemes import allowed_hosts
from motion_rep.common.errors import InputError, located, one_line
from motion_rep.files.limits import MOST_FILE_BYTES

SCHEMES = frozenset(("http", "https"))
MOST_SECONDS = 900.0
SILENT_SECONDS = 30.0
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK = 1 << 20
# Python calls every number global that no registry reserves: also old site-local and IPv4-compatible ones.
GLOBAL_IPV6, TRANSLATED = ipaddress.ip_network("2000::/3"), ipaddress.ip_network("64:ff9b::/96")
PROTOCOL_IPV4 = ipaddress.ip_network("192.0.0.0/24")


def download(address: str, target: Path) -> None:
    """Write the file at an address.

    Raises:
        FileNotFoundError: the server has no such file.
        InputError: another answer than the file, a private-network host that the command line does not allow, too many
            bytes, or a timeout; the message contains the address.
    """
    with _answer(address) as response, open(target, "wb") as file:
        size = 0
        while chunk := response.read(CHUNK):
            size += len(chunk)
            if size > MOST_FILE_BYTES:
                raise InputError(f"has more than {MOST_FILE_BYTES:,} bytes. Fetch it yourself.")
            file.write(chunk)
        if response.length:
            raise http.client.HTTPException(f"ended {response.length:,} bytes early")


def require_there(address: str) -> None:
    """Check that a server has the file at an address; errors as in :func:`download`."""
    with _answer(address):
        pass


@contextlib.contextmanager
def _answer(address: str) -> Iterator[http.client.HTTPResponse]:
    """The response with the file; the connection is closed at the timeout, whatever it waits for."""
    end = time.monotonic() + MOST_SECONDS
    with contextlib.ExitStack() as stack, located(address), _errors(end):
        _require_address(address, "is no http address with a host, expected http://HOST/PATH.")
        own = (urllib.parse.urlsplit(address).hostname or "") in allowed_hosts()
        response, place = _Connection.open(address, not own, end, stack), address
        for _ in range(MOST_REDIRECTS):
            if response.status not in REDIRECTS:
                break
            place = _redirected(place, response.headers.get("location", ""))
            response = _Connection.open(place, True, end, stack)
        if response.status in (404, 410):
            raise FileNotFoundError(address)
        if response.status != 200:
            raise InputError(f"the server answered {response.status}, expected 200 and the file.")
        yield response


def _redirected(place: str, given: str) -> str:
    """The address to which an address redirects; an encrypted one never leads to one that others can read."""
    found = urllib.parse.urljoin(place, given)
    _require_address(found, f"redirects to {one_line(found)[:80]}, expected http or https.")
    schemes = [urllib.parse.urlsplit(address).scheme for address in (place, found)]
    if schemes == ["https", "http"]:
        raise InputError(f"redirects to {one_line(found)[:80]}, expected https. Fetch it yourself.")
    return found


def _require_address(address: str, problem: str) -> None:
    """Check an address before it is asked.

    Raises:
        InputError: the problem.
    """
    with contextlib.suppress(ValueError):  # a bracket without its partner, or a port that is no number
        parts = urllib.parse.urlsplit(address)
        if parts.scheme in SCHEMES and parts.hostname and parts.username is None and parts.port != 0:
            return
    raise InputError(problem)


@contextlib.contextmanager
def _errors(end: float) -> Iterator[None]:
    """Turn connection errors into one line; a connection that was closed at the timeout looks like the end of the
    data.
    """
    late = InputError(f"did not arrive in {MOST_SECONDS:g} s. Fetch it yourself.")
    try:
        yield
    except (InputError, FileNotFoundError):
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= end or isinstance(error, TimeoutError):
            raise late from None
        raise InputError(f"cannot be read: {one_line(error) or type(error).__name__}.{_proxy_note()}") from None
    if time.monotonic() >= end:
        raise late


def _proxy_note() -> str:
    """Advice for networks without direct connections: through a proxy, the number of the host cannot be checked."""
    found = urllib.request.getproxies()
    return " It is fetched without the proxy of the environment; fetch it yourself." if found.keys() & SCHEMES else ""


class _Connection(http.client.HTTPConnection):
    """A connection to a checked address, by number and not by name."""

    def __init__(self, parts: urllib.parse.SplitResult, public: bool, seconds: float) -> None:
        secure = parts.scheme == "https"
        super().__init__(parts.hostname or "", parts.port or (443 if secure else 80), timeout=SILENT_SECONDS)
        self._secure, self._public, self._seconds = secure, public, seconds

    @classmethod
    def open(cls, address: str, public: bool, end: float, stack: contextlib.ExitStack) -> http.client.HTTPResponse:
        """The response of a server; ``stack`` closes the connection.

        Args:
            public: whether only hosts of the public internet are allowed.
        """
        parts = urllib.parse.urlsplit(address)
        connection = cls(parts, public, max(end - time.monotonic(), 0.001))
        stack.callback(connection.close)
        connection.connect()
        watch = threading.Timer(connection._seconds, _stop, [connection.sock])
        watch.daemon = True
        watch.start()
        stack.callback(watch.cancel)
        path = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (parts.query and f"?{parts.query}")
        connection.request("GET", path, headers={"Accept-Encoding": "identity", "Connection": "close"})
        return connection.getresponse()

    def connect(self) -> None:
        """Connect to the first number of the host that answers."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        problem: OSError = ConnectionError(f"{self.host} has no address")
        for family, kind, protocol, _, number in found:
            if self._public and not _is_public(str(number[0])):
                raise InputError(
                    f"{self.host}: is {number[0]}, a host of a private network. If you trust the archive, add "
                    f"--allow-host {self.host}; redirects never lead there."
                )
            self.sock = socket.socket(family, kind, protocol)
            self.sock.settimeout(min(SILENT_SECONDS, self._seconds))
            try:
                self.sock.connect(number)
            except OSError as error:
                self.sock.close()
                problem = error
                continue
            if self._secure:
                self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
            return
        raise problem


def _stop(open_socket: socket.socket) -> None:
    """Stop waiting for the server; the response reads from this socket after the connection has released it."""
    with contextlib.suppress(OSError):
        open_socket.shutdown(socket.SHUT_RDWR)


def _is_public(number: str) -> bool:
    found = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in TRANSLATED else None
        inner = found.ipv4_mapped or found.sixtofour or translated
        if inner is None:
            return found in GLOBAL_IPV6 and found.is_global
        found = inner
    return found.is_global and not found.is_multicast and found not in PROTOCOL_IPV4
