"""An OpenAI-compatible loopback server that answers as a scripted model of known habits."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from scripts.dev.witness.habits import Answer, Asked, understood
from scripts.dev.witness.pairs import AskedAboutPair, honest, understood_pair


@dataclass
class WitnessServer:
    """A server that runs until its block ends.

    truths: bytes of a clip -> the text that it really shows.
    refuses: whether a question about one clip is answered with an error instead.
    qualities: bytes of a clip -> its quality, for questions about two clips.
    pair_habit, refuses_pair: the habit and the refusals for these questions.
    """

    habit: Callable[[Asked], Answer]
    truths: dict[bytes, str]
    refuses: Callable[[Asked], bool] = lambda asked: False
    asked: list[Asked] = field(default_factory=list)
    qualities: dict[bytes, float] = field(default_factory=dict)
    pair_habit: Callable[[AskedAboutPair], Answer] = honest
    refuses_pair: Callable[[AskedAboutPair], bool] = lambda asked: False
    asked_pairs: list[AskedAboutPair] = field(default_factory=list)

    def __enter__(self) -> Self:
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = witness.reply(request["messages"][0]["content"])
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Base URL for ``--vlm-base-url``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def reply(self, content: list[dict]) -> tuple[int, dict]:
        """Status and body of a chat completion about the parts of a message."""
        urls = [part["video_url"]["url"] for part in content if part["type"] == "video_url"]
        clips = [base64.b64decode(url.partition(",")[2]) for url in urls]
        text = content[-1]["text"]
        answer = self._about_pair(text, clips) if len(clips) == 2 else self._about_clip(text, clips)
        if answer is None:
            return 400, {"error": {"message": "not now", "type": "invalid_request_error"}}
        message = {"role": "assistant", "content": json.dumps(answer)}
        usage = {"prompt_tokens": 1000 * len(clips) + 200, "completion_tokens": 50, "total_tokens": 1250}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "witness",
            "choices": [choice],
            "usage": usage,
        }

    def _about_clip(self, prompt: str, clips: list[bytes]) -> Answer | None:
        """None if the question is refused."""
        asked = understood(prompt, self.truths.get(clips[0], "") if clips else None)
        self.asked.append(asked)
        return None if self.refuses(asked) else self.habit(asked)

    def _about_pair(self, prompt: str, clips: list[bytes]) -> Answer | None:
        """None if the question is refused."""
        asked = understood_pair(prompt, self.qualities[clips[0]], self.qualities[clips[1]])
        self.asked_pairs.append(asked)
        return None if self.refuses_pair(asked) else self.pair_habit(asked)
