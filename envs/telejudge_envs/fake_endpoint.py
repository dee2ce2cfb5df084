"""A scripted OpenAI-compatible server, for tests and for trying commands without a model.

    with FakeEndpoint(lambda request, n: say("Hello")) as server:
        Endpoint(base_url=server.base_url, model="fake")

A real HTTP server of the standard library on a loopback port. It is no model: a script (any
function of the request and its number, from 0) decides each reply, good or bad. Who asks for a
stream gets the same completion in pieces.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

PATH = "/v1/chat/completions"
LONGEST_HANG_S = 60.0


@dataclass(frozen=True)
class Reply:
    """What the server does with one request."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    act: Literal["answer", "hang", "drop", "drip", "cut"] = "answer"
    seconds: float = LONGEST_HANG_S
    """How long it hangs."""


def say(text: str, **changes: Any) -> Reply:
    """A completion with this text; `changes` go into the choice, such as finish_reason."""
    return choice({"role": "assistant", "content": text}, **changes)


def call(*calls: tuple[str, Any], text: str | None = None, **changes: Any) -> Reply:
    """A completion that calls tools: pairs of name and arguments (an object, or text as it is)."""
    made = [
        {
            "id": f"call_{i}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for i, (name, given) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": text, "tool_calls": made}
    return choice(message, **{"finish_reason": "tool_calls", **changes})


def choice(message: Mapping[str, Any], **changes: Any) -> Reply:
    """A completion with this message; tokens are counted as words."""
    words = len(json.dumps(message).split())
    return raw(
        json.dumps(
            {
                "id": "chatcmpl-fake",
                "object": "chat.completion",
                "created": 0,
                "model": "fake",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop", **changes}],
                "usage": {
                    "prompt_tokens": 10,
                    "completion_tokens": words,
                    "total_tokens": 10 + words,
                },
            }
        )
    )


def raw(body: str, status: int = 200, **headers: str) -> Reply:
    """Any body; `retry_after="1"` becomes the header Retry-After."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Reply(status=status, body=body, headers=named)


def fail(status: int, message: str = "scripted failure", **headers: str) -> Reply:
    """An error as OpenAI words it."""
    return raw(json.dumps({"error": {"message": message, "type": "fake"}}), status, **headers)


def hang(seconds: float = LONGEST_HANG_S) -> Reply:
    """No byte for so long, or until the server closes; then the connection is dropped."""
    return Reply(act="hang", seconds=seconds)


def drop() -> Reply:
    """The connection is reset without an answer."""
    return Reply(act="drop")


def cut(reply: Reply) -> Reply:
    """The answer breaks off in the middle of its body."""
    return Reply(body=reply.body, act="cut")


def drip(reply: Reply) -> Reply:
    """The answer comes a byte every tenth of a second."""
    return Reply(body=reply.body, act="drip")


def streamed(reply: Reply) -> Reply:
    """A whole completion as the events of a stream, each word and each call's part its own."""
    try:
        answer = json.loads(reply.body)
        choice, usage = answer["choices"][0], answer.get("usage")
    except (ValueError, KeyError, IndexError, TypeError):
        return reply
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in _deltas(choice["message"])]
    events.append(
        {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    )
    events.append({"choices": [], "usage": usage})
    head = {**answer, "object": "chat.completion.chunk", "usage": None}
    lines = [f"data: {json.dumps({**head, **event})}\n\n" for event in events]
    headers = {**reply.headers, "Content-Type": "text/event-stream"}
    return replace(reply, body="".join([*lines, "data: [DONE]\n\n"]), headers=headers)


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, text in message.items():
        if isinstance(text, str) and name != "role":
            for word in re.findall(r"\S+\s*|\s+", text):
                yield {name: word}
    for index, made in enumerate(message.get("tool_calls") or ()):
        function = made.get("function", {})
        arguments = str(function.get("arguments", ""))
        yield {
            "tool_calls": [
                {"index": index, "id": made.get("id"), "function": {"name": function.get("name")}}
            ]
        }
        for part in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


Script = Callable[[dict[str, Any], int], Reply]


def in_turn(*replies: Reply) -> Script:
    """The replies one after another, the last one for ever."""
    return lambda _request, n: replies[min(n, len(replies) - 1)]


class FakeEndpoint:
    """The server; a context manager. `requests` holds the parsed bodies in order of arrival."""

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        """The Authorization header of each request."""
        self.most_at_once = 0
        self._script = script
        self._lock = threading.Lock()
        self._at_once = 0
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> FakeEndpoint:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve in the foreground until interrupted."""
        with self, contextlib.suppress(KeyboardInterrupt):
            self._thread.join()

    def _decide(self, request: dict[str, Any], key: str) -> Reply:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.keys.append(key)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._script(request, number)
        except Exception as error:  # a broken script shows as a 500, not as a dead connection
            return fail(500, f"the script failed: {type(error).__name__}: {error}")

    def _done(self) -> None:
        with self._lock:
            self._at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news."""


def _handler(owner: FakeEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path != PATH:
                self._answer(fail(404, f"no such path: {self.path}; try {PATH}"))
                return
            request = json.loads(body)
            reply = owner._decide(request, self.headers.get("authorization") or "")
            if request.get("stream") and reply.status == 200:
                reply = streamed(reply)
            try:
                self._act(reply)
            finally:
                owner._done()

        def _act(self, reply: Reply) -> None:
            if reply.act == "hang":
                owner._closing.wait(reply.seconds)
                self._hang_up()
            elif reply.act == "drop":
                self._hang_up()
            elif reply.act == "answer":
                self._answer(reply)
            else:
                self._answer_partly(reply)

        def _head(self, reply: Reply, length: int) -> None:
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def _answer(self, reply: Reply) -> None:
            data = reply.body.encode()
            self._head(reply, len(data))
            self.wfile.write(data)

        def _answer_partly(self, reply: Reply) -> None:
            data = reply.body.encode()
            self._head(reply, len(data))
            if reply.act == "cut":
                self.wfile.write(data[: len(data) // 2])
                self._hang_up()
                return
            for byte in data:
                if owner._closing.is_set():
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)

        def _hang_up(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    return Handler


def texts(request: Mapping[str, Any], role: str = "user") -> Sequence[str]:
    """The contents of a request's messages of one role: what a script usually looks at."""
    return [m["content"] for m in request["messages"] if m["role"] == role]
