"""A loopback server for fuzz_commands.py that gives odd answers: late, truncated, endless, or of wrong types."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Iterator

# Seconds between two pieces of a slow answer, and seconds after which an endless one stops.
PAUSE, LONGEST = 0.2, 4.0
VERDICT = {"matches": True, "analysis": "seen"}
ODD_VALUES = (None, True, 5, 10**300, 1e308, "", "x\x1b[31m", [], [[]], {}, {"content": 5}, "\ud800", "a" * 100_000)
KEYS = ("choices", "model", "usage", "id", "error", "detail")
# More than a client may store of an answer's header.
HUGE_HEADER = 200_000


def _head(length: object, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def good_answer() -> dict:
    """The answer of an OpenAI-compatible server."""
    message = {"role": "assistant", "content": json.dumps(VERDICT)}
    usage = {"prompt_tokens": 5, "completion_tokens": 5}
    return {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


def odd_answer(chance: random.Random) -> Iterator[bytes]:
    """The pieces of one answer, most often with one fault."""
    answer = good_answer()
    if chance.random() < 0.4:
        answer[chance.choice(KEYS)] = chance.choice(ODD_VALUES)
    elif chance.random() < 0.4:
        answer["choices"][0]["message"]["content"] = chance.choice(
            (*ODD_VALUES, '{"matches": 1e999}', "<think>", "yes")
        )
    body = json.dumps(answer).encode()
    fault = chance.randrange(12)
    if fault == 0:  # cut
        yield _head(len(body)) + body[: chance.randrange(len(body))]
    elif fault == 1:  # slow
        yield _head(len(body))
        for place in range(0, len(body), 40):
            time.sleep(PAUSE)
            yield body[place : place + 40]
    elif fault == 2:  # endless
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            yield b" " * 65536
    elif fault == 3:
        target = chance.choice(("http://127.0.0.1:9/", "file:///etc/passwd", "//[", "", "http://localhost.invalid/"))
        yield _head(0, chance.choice(("301 Moved", "307 Temporary Redirect")), f"Location: {target}\r\n")
    elif fault == 4:
        yield _head(len(body), more=f"X-Much: {'a' * HUGE_HEADER}\r\n") + body
    elif fault == 5:
        yield chance.choice((b"", b"\0\xff\r\n\r\n", b"HTTP/9.9 abc\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n"))
    elif fault == 6:
        yield _head(chance.choice((-1, "x", 10**30, 2**63))) + body
    elif fault == 7:
        status = chance.choice(("500 No", "429 Later", "403 No", "204 Empty", "999 Odd", "101 Switching", "200"))
        yield _head(len(body), status, f"Retry-After: {chance.choice(('0', 'x', '-1', '9' * 400))}\r\n") + body
    elif fault == 8:
        yield _head(4, more="Content-Encoding: gzip\r\n") + b"\x1f\x8b\0\0"
    else:
        yield _head(len(body)) + body


@contextlib.contextmanager
def odd_server(seed: int) -> Iterator[str]:
    """The address of a server that answers each request by :func:`odd_answer`."""
    chance, over = random.Random(seed), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=_serve, args=(server, chance, over), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        over.set()
        thread.join()


def _serve(server: socket.socket, chance: random.Random, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            connection, _ = server.accept()
            connection.settimeout(LONGEST)
            answer = odd_answer(random.Random(chance.random()))
            threading.Thread(target=_answer, args=(connection, answer), daemon=True).start()


def _answer(connection: socket.socket, pieces: Iterator[bytes]) -> None:
    with contextlib.suppress(OSError), connection:
        _read_request(connection)
        for piece in pieces:
            connection.sendall(piece)


def _read_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lines[0].split(b":")[1]) - len(body) if lines else 0
    while left > 0 and (piece := connection.recv(65536)):
        left -= len(piece)
