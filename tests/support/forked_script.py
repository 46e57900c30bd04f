"""Python scripts in copies of this process, in which torch is imported already: that is most of what a command costs.

A fork is made as if Python had just started: modules of this checkout are forgotten and pytest's paths are left out.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection
from pathlib import Path

from checkout import REPO

FORK = multiprocessing.get_context("fork") if sys.platform == "linux" else None  # unsafe elsewhere
# What a shell script starts: hands its streams, folder and environment to the server, and ends as the script ends.
CLIENT = """
import json, os, socket, sys
python, place, *words = sys.argv[1:]
if not words or not words[0].endswith(".py"):
    os.execv(python, [python, *words])
with socket.socket(socket.AF_UNIX) as server:
    server.connect(place)
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps([words, os.getcwd(), dict(os.environ)]).encode() + b"\\n")
    code = server.recv(1)
sys.exit(code[0] if code else 1)
"""


def run_forked(words: list[str], cwd: Path, env: dict[str, str], timeout: float = 400) -> subprocess.CompletedProcess:
    """Run a script by its path, as ``subprocess.run([python, *words])`` would."""
    if FORK is None:
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False)
    with open(os.devnull) as nothing, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        streams = [stream.fileno() for stream in (nothing, out, err)]
        process = FORK.Process(target=_become, args=(words, cwd, env, streams))
        process.start()
        try:
            process.join(timeout)
            if process.is_alive():
                raise subprocess.TimeoutExpired(words, timeout)
        finally:
            process.kill()
            process.join()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, process.exitcode, out.read(), err.read())


@contextmanager
def python_that_forks() -> Iterator[str]:
    """The path of a program that shell scripts can call in place of Python: it runs a script in a fork of this process,
    and anything else in Python itself.
    """
    if FORK is None:
        yield sys.executable
        return
    folder = Path(tempfile.mkdtemp(prefix="python"))
    (folder / "client.py").write_text(CLIENT)
    words = shlex.join([sys.executable, "-IS", f"{folder}/client.py", sys.executable, f"{folder}/socket"])
    (folder / "python").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (folder / "python").chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen(50)
        server = FORK.Process(target=_serve, args=(listener,))
        server.start()
    try:
        yield str(folder / "python")
    finally:
        server.kill()
        server.join()
        shutil.rmtree(folder)


def _serve(listener: socket.socket) -> None:
    """Run what clients ask for, until the tests end; the script of a client that is killed is killed, too."""
    tests = multiprocessing.parent_process().sentinel
    running: dict[socket.socket, multiprocessing.process.BaseProcess] = {}
    while True:
        ready = connection.wait([tests, listener, *running, *(process.sentinel for process in running.values())])
        if tests in ready:
            break
        for client, process in list(running.items()):
            if client in ready or process.sentinel in ready:
                process.kill()
                process.join()
                del running[client]
                with suppress(OSError), client:
                    client.send(bytes([process.exitcode % 256]))
        if listener in ready:
            client, _ = listener.accept()
            running[client] = _started(client)
    for process in running.values():
        process.kill()


def _started(client: socket.socket) -> multiprocessing.process.BaseProcess:
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    words, cwd, env = json.loads(client.makefile("rb").readline())
    process = FORK.Process(target=_become, args=(words, cwd, env, streams))
    process.start()
    for stream in streams:
        os.close(stream)
    return process


def _become(words: list[str], cwd: Path | str, env: dict[str, str], streams: Sequence[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for name in [name for name, module in sys.modules.items() if _is_of_tests(getattr(module, "__file__", None))]:
        del sys.modules[name]
    first = [os.path.dirname(os.path.abspath(words[0])), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv, sys.path = list(words), [*first, *(path for path in sys.path if not _is_of_tests(path or "."))]
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    runpy.run_path(words[0], run_name="__main__")


def _is_of_tests(path: str | None) -> bool:
    """Whether a path lies in this checkout (but not in its environment), where scripts must not find anything."""
    place = Path(path or "/").absolute()
    return place.is_relative_to(REPO) and not place.is_relative_to(sys.prefix)
