"""What the gate's tests share: archives with eval files and clips made here, and a scripted service on loopback."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from unittest import mock

import pytest
import torch
from checkout import REPO

from motion_gating import apply_quality_gate

ROOT = REPO
GATE = ROOT / "motion_gating" / "apply_quality_gate.py"
EVALUATE = ROOT / "motion_gating" / "evaluate_gate.py"
# A file begins as an mp4 does; the rest is for a server that never looks.
CLIP_START = b"\x00\x00\x00\x18ftypmp42"
SLOW_BYTES = 60  # take three seconds
KEY = "AIza-secret-key/with+signs"


def smooth_joints(frames: int = 40, fps: float = 16.0) -> torch.Tensor:
    """(T, 22, 3) y-up joints of a body that waves slowly: jitter far below the threshold."""
    seconds = torch.arange(frames) / fps
    rest = torch.linspace(0, 1.7, 22)[None, :, None] * torch.tensor([0.1, 1.0, 0.05])
    wave = 0.05 * torch.sin(2 * seconds)[:, None, None] * torch.linspace(0, 1, 22)[None, :, None]
    joints = (rest + wave * torch.tensor([1.0, 0.2, 0.5])).repeat(1, 1, 1)
    joints[..., 1] -= joints[..., 1].min()
    return joints.contiguous()


def jittery_joints(frames: int = 40) -> torch.Tensor:
    """The same with 5 cm of noise."""
    return smooth_joints(frames) + 0.05 * torch.randn(frames, 22, 3, generator=torch.Generator().manual_seed(0))


def make_archive(folder: Path, ids=(0,), joints=None, fps: float | None = 16.0, name: str = "meta.json") -> Path:
    """An archive whose entries have an eval file and a clip each (the clip's bytes differ, its content is for a server
    that never looks).
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, identifier in enumerate(ids):
        content = {"joints": smooth_joints() if joints is None else joints}
        torch.save({**content, "fps": fps} if fps else content, folder / f"{number}_eval.pt")
        (folder / f"{number}.mp4").write_bytes(CLIP_START + b"clip %d" % number)
        entries.append(
            {
                "id": identifier,
                "prompt": f"a person does thing {number}",
                "mbench_eval_path": f"{number}_eval.pt",
                "video_path": f"{number}.mp4",
            }
        )
    (folder / name).write_text(json.dumps(entries))
    return folder / name


def read(path: Path):
    """JSON content."""
    return json.loads(Path(path).read_text())


def command(meta: Path, *flags: object, report: str = "report.json") -> list[str]:
    """The gate's command line with short retries."""
    fixed = ["--meta-json", meta, "--quality-report", meta.with_name(report)]
    fixed += [] if "--retry-delay" in flags else ["--retry-delay", 0.02]
    return [str(word) for word in (sys.executable, GATE, *fixed, *flags)]


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def gate(
    meta: Path, *flags: object, server: Service | None = None, key: str | None = KEY, report: str = "report.json"
) -> Finished:
    """Run the gate in this process, with the environment that a process of its own would get."""
    return run_here(apply_quality_gate.main, command(meta, *flags, report=report)[2:], environment(server, key))


def run_here(main: Callable[[list[str]], int], argv: list[str], variables: dict[str, str]) -> Finished:
    """Run a command's main in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(argv)
        except SystemExit as exit_:
            code = exit_.code
    return Finished(code, out.getvalue(), err.getvalue())


def gate_process(meta: Path, *flags: object, server: Service | None = None, key: str | None = KEY):
    """Run the gate as a process from another folder."""
    return subprocess.run(
        command(meta, *flags),
        env=environment(server, key),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(server: Service | None = None, key: str | None = KEY) -> dict[str, str]:
    """An environment with the loopback server's address and the key, and no other service settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GEMINI_", "GOOGLE_", "OPENAI_")) and "proxy" not in name.lower()
    }
    if server is not None:
        kept |= {"GOOGLE_GEMINI_BASE_URL": server.url, "OPENAI_BASE_URL": server.url + "/v1"}
    return kept | ({"GEMINI_API_KEY": key, "OPENAI_API_KEY": key} if key else {})


@dataclass
class Request:
    """One request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    time: float

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The prompt of a question, in either protocol."""
        return json.dumps(self.json)


@dataclass
class Response:
    """What the server sends.

    ``action`` drop or hang sends nothing, drip_body and drip_head send it after slow spaces.
    """

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    action: str | None = None


@dataclass
class Service:
    """A server on loopback that answers by ``script(request, number)``."""

    script: Callable[[Request, int], Response]
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # the client was killed while it asked
                    self.close_connection = True
                    return
                request = Request(
                    self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.monotonic()
                )
                with service.lock:
                    service.requests.append(request)
                    number = len(service.requests) - 1
                _send(self, service.script(request, number))

            do_GET = do_POST = do_DELETE = do_PUT = _answer

            def log_message(self, *_) -> None:
                pass

        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that closes its connection is no error of the test
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def questions(self) -> list[Request]:
        """The requests that asked for a verdict."""
        return [
            request
            for request in self.requests
            if "generateContent" in request.path or "chat/completions" in request.path
        ]


def _send(handler: BaseHTTPRequestHandler, response: Response) -> None:
    if response.action == "hang":
        time.sleep(5)
    if response.action in ("drop", "hang"):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        return
    body = response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
    try:
        handler.send_response(response.status)
        for name, value in {"Content-Type": "application/json", **response.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) + SLOW_BYTES * (response.action == "drip_body")))
        if response.action == "drip_head":
            handler.flush_headers()
            _drip(handler, b"X-Slow: " + b"x" * SLOW_BYTES)
            handler.wfile.write(b"\r\n")
        handler.end_headers()
        if response.action == "drip_body":
            _drip(handler, b" " * SLOW_BYTES)
        handler.wfile.write(body)
    except OSError:
        handler.close_connection = True


def _drip(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """Send bytes one by one, each long before a client's time-out of a second."""
    for place in range(len(data)):
        handler.wfile.write(data[place : place + 1])
        handler.wfile.flush()
        time.sleep(0.05)


def always(response: Response) -> Callable[[Request, int], Response]:
    """A script with one answer."""
    return lambda request, number: response


def in_turn(*responses: Response) -> Callable[[Request, int], Response]:
    """A script with one answer after the other; the last one stays."""
    return lambda request, number: responses[min(number, len(responses) - 1)]


def verdict(matches: object = True, analysis: object = "The body waves.") -> str:
    """The JSON text of an answer."""
    return json.dumps({"analysis": analysis, "matches": matches})


class GeminiProtocol:
    """Responses in the form of the Gemini service."""

    flags = ("--judge", "gemini")

    @staticmethod
    def answer(
        text: str | None = None, version: str = "test-model-001", finish: str = "STOP", parts: list | None = None
    ) -> Response:
        content = {
            "role": "model",
            "parts": [{"text": verdict() if text is None else text}] if parts is None else parts,
        }
        usage = {"promptTokenCount": 1000, "candidatesTokenCount": 20, "totalTokenCount": 1020}
        return Response(
            body={
                "candidates": [{"content": content, "finishReason": finish, "index": 0}],
                "usageMetadata": usage,
                "modelVersion": version,
            }
        )

    @classmethod
    def cut(cls) -> Response:
        return cls.answer('{"analysis": "The body w', finish="MAX_TOKENS")

    @classmethod
    def stopped(cls) -> Response:
        return cls.answer(parts=[], finish="SAFETY")

    @staticmethod
    def error(code: int, message: str = "went wrong", details: list | None = None, **headers: str) -> Response:
        error = {"code": code, "message": message, "status": "ERROR", "details": details or []}
        return Response(code, {"error": error}, {name.replace("_", "-"): value for name, value in headers.items()})

    @classmethod
    def wait(cls, seconds: float) -> Response:
        return cls.error(
            429, "slow down", [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}]
        )

    @classmethod
    def quota_gone(cls) -> Response:
        quota = {"quotaMetric": "requests", "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
        return cls.error(
            429, "quota", [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [quota]}, retry]
        )

    @classmethod
    def bad_key(cls) -> Response:
        return cls.error(400, "API key not valid. Please pass a valid API key.", [{"reason": "API_KEY_INVALID"}])


class OpenAIProtocol:
    """Responses in the form of an OpenAI-compatible server."""

    flags = ("--judge", "openai", "--vlm-model", "a-model")

    @staticmethod
    def answer(text: str | None = None, version: str = "test-model-001", finish: str = "stop") -> Response:
        message = {"role": "assistant", "content": verdict() if text is None else text}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        usage = {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}
        return Response(
            body={
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": version,
                "choices": [choice],
                "usage": usage,
            }
        )

    @classmethod
    def cut(cls) -> Response:
        return cls.answer('{"analysis": "The body w', finish="length")

    @classmethod
    def stopped(cls) -> Response:
        return cls.answer("", finish="content_filter")

    @staticmethod
    def error(code: int, message: str = "went wrong", kind: str = "error", **headers: str) -> Response:
        return Response(
            code,
            {"error": {"message": message, "type": kind, "code": kind}},
            {name.replace("_", "-"): value for name, value in headers.items()},
        )

    @classmethod
    def wait(cls, seconds: float) -> Response:
        return cls.error(429, "slow down", retry_after=str(seconds))

    @classmethod
    def quota_gone(cls) -> Response:
        return cls.error(429, "You exceeded your current quota", "insufficient_quota")

    @classmethod
    def bad_key(cls) -> Response:
        return cls.error(401, "Incorrect API key provided", "invalid_api_key")


BOTH = pytest.mark.parametrize("protocol", [GeminiProtocol, OpenAIProtocol])


def run_gate(folder: Path, protocol, script, *flags: object, ids=(0,)):
    """Run the gate on a small archive in a folder; returns (how it ended, records, questions that the server got)."""
    meta = make_archive(folder, ids)
    with Service(script) as server:
        done = gate(meta, *protocol.flags, *flags, server=server)
    assert "Traceback" not in done.stderr
    return done, read(meta.with_name("report.json")), server.questions
