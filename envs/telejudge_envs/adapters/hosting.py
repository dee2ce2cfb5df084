"""What all servers share: who may come in, how much, how many at once, and for how long.

    address = checked_host("127.0.0.1", token=None)        # elsewhere only with a token
    app = Door(app, host=address, token=token, limits=Limits())
    seats = Sessions(Limits(sessions=8, idle_s=600))
    seat = seats.get("anna", lambda: Seat(world, task, player="mcp"))

| refused | how |
|---|---|
| no token, or another one | 401; a WebSocket is closed before it opens |
| a page of another site that talks to this machine (DNS rebinding) | 403 |
| more than `body_bytes` in a request or a WebSocket message | 413; the WebSocket is cut off |
| one more than `sessions` at once | Crowded |
| a session that was idle for `idle_s` | Expired, for good: a session is single use |
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from telejudge_envs.errors import TelejudgeError, UsageError

T = TypeVar("T")
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

REMEMBERED = 10_000
"""Names of expired sessions that are refused a second time."""


@dataclass(frozen=True)
class Limits:
    """`idle_s`: seconds after which a session that nobody uses is closed."""

    sessions: int = 32
    idle_s: float = 900.0
    body_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        if min(self.sessions, self.idle_s, self.body_bytes) <= 0:
            raise UsageError(f"limits must be positive: {self}")


class Crowded(TelejudgeError):
    """As many sessions are open as may be."""


class Expired(TelejudgeError):
    """The session was idle for too long, and is gone."""


class Sessions(Generic[T]):
    """Named sessions; each is made once, kept while it is used, and never made again."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._open: OrderedDict[str, tuple[T, float]] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, make: Callable[[], T]) -> T:
        """The session of this name, opened when there was none. Raises Crowded or Expired."""
        with self._lock:
            self._expire()
            if name in self._gone:
                raise Expired(
                    f"session '{name}' was idle for more than {self._limits.idle_s:g} s and is "
                    "closed; open another one under a new name"
                )
            if name not in self._open and len(self._open) >= self._limits.sessions:
                raise Crowded(f"{self._limits.sessions} sessions are open, no more may be")
            session = self._open[name][0] if name in self._open else make()
            self._open[name] = (session, self._clock())
            self._open.move_to_end(name)
            return session

    def __len__(self) -> int:
        with self._lock:
            self._expire()
            return len(self._open)

    def _expire(self) -> None:
        oldest = self._clock() - self._limits.idle_s
        while self._open and next(iter(self._open.values()))[1] < oldest:
            name, _ = self._open.popitem(last=False)
            self._gone[name] = None
            if len(self._gone) > REMEMBERED:
                self._gone.popitem(last=False)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def checked_host(host: str, token: str | None) -> str:
    """The host to bind to. Raises UsageError for one that others reach while there is no token."""
    if token is not None and len(token) < 16:
        raise UsageError("the token is too short: at least 16 characters, such as `openssl rand`'s")
    if not is_loopback(host) and token is None:
        raise UsageError(
            f"{host} can be reached from elsewhere: set a token (TELEJUDGE_SERVE_TOKEN), or bind "
            "to 127.0.0.1"
        )
    return host


class Door:
    """ASGI middleware in front of a server that is bound to `host`."""

    def __init__(self, app: App, *, host: str, token: str | None, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._token = token.encode() if token else None
        self._local = is_loopback(host)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = self._refusal(headers)
        if refusal is not None:
            await _refuse(scope, send, *refusal)
        elif scope["type"] == "websocket":
            await self._app(scope, self._watched(receive), send)
        else:
            await self._bounded(scope, receive, send, headers)

    def _refusal(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        if self._local and not _is_local(headers):
            return 403, "this server listens to its own machine only"
        given = headers.get("authorization", "").removeprefix("Bearer ").encode("latin-1")
        if self._token is not None and not hmac.compare_digest(given, self._token):
            return 401, "a token is needed: Authorization: Bearer …"
        return None

    async def _bounded(
        self, scope: Any, receive: Receive, send: Send, headers: Mapping[str, str]
    ) -> None:
        """The request with its whole body, once that is known to be small enough."""
        most, said = self._limits.body_bytes, headers.get("content-length", "0")
        body, more = b"", not said.isdecimal() or int(said) <= most
        small = more
        while more and small:
            part = await receive()
            if part["type"] != "http.request":
                return  # the client has gone
            body, more = body + part.get("body", b""), part.get("more_body", False)
            small = len(body) <= most
        if not small:
            await _refuse(scope, send, 413, f"at most {most} bytes a request")
            return
        whole = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> dict[str, Any]:
            return whole.pop() if whole else await receive()

        await self._app(scope, again, send)

    def _watched(self, receive: Receive) -> Receive:
        """A WebSocket's messages; too long a message or silence ends it."""

        async def next_message() -> dict[str, Any]:
            try:
                message = await asyncio.wait_for(receive(), self._limits.idle_s)
            except TimeoutError:
                return {"type": "websocket.disconnect", "code": 1001, "reason": "idle"}
            data = message.get("text") or message.get("bytes") or ""
            size = len(data.encode()) if isinstance(data, str) else len(data)
            if size > self._limits.body_bytes:
                return {"type": "websocket.disconnect", "code": 1009, "reason": "too long"}
            return message

        return next_message


def _is_local(headers: Mapping[str, str]) -> bool:
    """Whether Host, and Origin where a browser sends it, name this machine."""
    hosts = [f"//{headers.get('host', '')}", *filter(None, [headers.get("origin")])]
    return all(is_loopback(urlsplit(host).hostname or "") for host in hosts)


async def _refuse(scope: Any, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})
