"""An OpenAI-compatible server in a process of its own that answers after a fixed time from a plan.

    with StubEndpoint(plan_of(rollouts), latency_s=1.0) as stub:
        Endpoint(base_url=stub.base_url, model="stub")

It is no model: the answer to a request is the call that the plan has for its ticket at that point
of the conversation, so the same conversation gets the same answer whoever asks, in whatever order.
That is what it takes to time a runner, and to compare two runs call by call. The server does as
little as it can (it never parses a body), or it would be what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.nouns.trajectory import Rollout

Plan = Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]
"""For each ticket the calls (name, arguments) that solve it, one a turn."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TICKETS = (
    re.compile(rb'"role": ?"user", ?"content": ?("(?:[^"\\]|\\.)*")'),
    re.compile(rb'"content": ?("(?:[^"\\]|\\.)*"), ?"role": ?"user"'),
    re.compile(rb'<ticket>\\n((?:[^"\\]|\\.)*?)\\n</ticket>'),
)
"""Where a ticket stands in a request: in telejudge's, LangChain's, and tau2's own solo agent's."""
_TURN = re.compile(rb'"role": ?"assistant"')


def plan_of(rollouts: Iterable[Rollout]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """The calls that were made for each ticket; of several rollouts of a ticket the first."""
    plan: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for rollout in rollouts:
        calls = [
            (call.name, call.arguments)
            for message in rollout.trajectory.messages
            if message.role == "assistant"
            for call in message.tool_calls
        ]
        plan.setdefault(rollout.task.ticket, calls)
    return plan


class StubEndpoint:
    """The server; a context manager that starts and ends the process."""

    def __init__(self, plan: Plan, latency_s: float = 0.0) -> None:
        self._plan, self._latency_s = plan, latency_s
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""

    def __enter__(self) -> StubEndpoint:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self._plan, file)
            file.flush()
            command = [sys.executable, "-m", __name__, "--plan", file.name]
            command += ["--latency", str(self._latency_s), "--until-stdin-ends"]
            self._process = subprocess.Popen(  # of its own session: a Ctrl-C is not meant for it
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            assert self._process.stdout is not None
            self.base_url = self._process.stdout.readline().strip()
        if not self.base_url:
            raise RuntimeError("the stub endpoint did not start; its error is above")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


class _Answers:
    """Bytes in, bytes out; `answers[ticket][turn]` are made once, before the first request."""

    def __init__(self, plan: Plan) -> None:
        self._made = {
            ticket.strip(): [_response(i, name, given) for i, (name, given) in enumerate(calls)]
            for ticket, calls in plan.items()
        }
        self._known: dict[bytes, list[bytes]] = {}

    def __call__(self, body: bytes) -> bytes:
        found = next(filter(None, (pattern.search(body) for pattern in _TICKETS)), None)
        key = found.group(1) if found else b""
        if key not in self._known:
            text = key if key.startswith(b'"') else b'"' + key + b'"'
            self._known[key] = self._made.get(json.loads(text).strip(), [])
        calls = self._known[key]
        turn = len(_TURN.findall(body))
        return calls[turn] if turn < len(calls) else _DONE


def _response(turn: int, name: str, arguments: Mapping[str, Any]) -> bytes:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": f"call_{turn}", "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = json.dumps(
        {
            "id": "chatcmpl-stub",
            "object": "chat.completion",
            "created": 0,
            "model": "stub",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


_DONE = _response(0, "done", {})


class _Connection(asyncio.Protocol):
    """One keep-alive connection: a request at a time, as HTTP/1.1 clients send them."""

    def __init__(self, answers: Callable[[bytes], bytes], latency_s: float) -> None:
        self._answers, self._latency_s = answers, latency_s
        self._parts: list[bytes] = []
        self._have, self._want = 0, -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._have += len(data)
        if self._want < 0:
            head = b"".join(self._parts)
            end, length = head.find(b"\r\n\r\n"), _LENGTH.search(head)
            if end < 0:
                return
            self._want = end + 4 + (int(length.group(1)) if length else 0)
        if self._have >= self._want:
            body = b"".join(self._parts)
            self._parts, self._have, self._want = [], 0, -1
            asyncio.get_running_loop().call_later(self._latency_s, self._answer, body)

    def _answer(self, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._answers(body))


async def _serve(plan: Plan, latency_s: float, port: int) -> None:
    answers = _Answers(plan)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(answers, latency_s), "127.0.0.1", port, backlog=2048
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plan", type=Path, required=True, help="JSON: ticket to calls")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds for each answer")
    parser.add_argument("--until-stdin-ends", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    args = parser.parse_args()
    if args.until_stdin_ends:  # the parent's end is ours, however it came
        threading.Thread(target=lambda: os._exit(bool(sys.stdin.read())), daemon=True).start()
    asyncio.run(_serve(json.loads(args.plan.read_text()), args.latency, args.port))


if __name__ == "__main__":
    main()
