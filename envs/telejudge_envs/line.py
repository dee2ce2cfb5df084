"""Connections of one event loop to one endpoint: a request in, the answer's JSON out.

    line = Line(endpoint)
    raw = await line.post("/chat/completions", request, limit_s=60)        # raises Trouble
    await line.close()

aiohttp, not the openai package: of 256 requests under way at once each cost that one and httpx
2 ms of CPU and dozens of turns of the event loop, so answers that came together waited for each
other (`benchmarks/concurrent_episodes.py`). An answer that is here is now read, and the next
request of its episode sent, in one go.
"""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from telejudge_envs.answers import assemble
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import MissingExtraError
from telejudge_envs.pace import Pace
from telejudge_envs.retry import Trouble, status_trouble

CONNECT_S = 10.0
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


class Line:
    """Must be made, used and closed in one running event loop; `slots` bound what is under way.

    Raises MissingExtraError without aiohttp, UsageError for an empty key.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.slots = asyncio.Semaphore(endpoint.concurrency)
        self.pace = Pace(endpoint.requests_per_minute)
        self._endpoint = endpoint
        self._aiohttp = transport()
        self._sessions = _opened(endpoint, endpoint.key())
        self._session: Any = None
        loop = asyncio.get_running_loop()
        self._forgotten = weakref.finalize(self, _hang_up, loop, self._sessions)
        self._forgotten.atexit = False

    async def post(self, path: str, request: Mapping[str, Any], limit_s: float) -> Any:
        """The answer's JSON, a stream's put together. Raises Trouble, at the latest after
        `limit_s` seconds."""
        try:
            # A limit from byte to byte would be outlasted by a server that drips.
            async with asyncio.timeout(limit_s):
                return await self._post(path, request)
        except TimeoutError as error:
            what = f"gave no complete answer within {limit_s:.3g} s"
            raise Trouble("timeout", what, again=True) from error
        except (self._aiohttp.ClientError, OSError) as error:
            what = f"could not be reached or hung up ({type(error).__name__}: {error})"
            raise Trouble("connection", what, again=True) from error
        except ValueError as error:
            what = f"sent an answer that cannot be read ({type(error).__name__}: {error})"
            raise Trouble("bad_response", what) from error

    async def close(self) -> None:
        self._forgotten.detach()
        await self._sessions.aclose()

    async def _post(self, path: str, request: Mapping[str, Any]) -> Any:
        endpoint = self._endpoint
        body = _body({**request, **STREAMED} if endpoint.stream else request)
        if self._session is None:
            self._session = await anext(self._sessions)
        async with self._session.post(endpoint.base_url + path, data=body) as answer:
            if not answer.ok:
                text = await answer.text(errors="replace")
                raise status_trouble(answer.status, text, answer.headers)
            if endpoint.stream:
                return await assemble(_events(answer.content))
            return json.loads(await answer.read())


async def _opened(endpoint: Endpoint, key: str) -> AsyncGenerator[Any]:
    """One session; a generator, since `asyncio.run` closes those that its callers forgot."""
    aiohttp = transport()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=_trust(endpoint)),  # `slots` is the limit
        timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        # A proxy set for the outside world must not swallow calls to this machine.
        trust_env=not endpoint.is_loopback,
    ) as session:
        yield session


def _hang_up(loop: asyncio.AbstractEventLoop, sessions: AsyncGenerator[Any]) -> None:
    """For a Line that was dropped; aiohttp complains of sessions that nobody closes."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: loop.create_task(sessions.aclose()))


def transport() -> Any:
    """The package `aiohttp`; raises MissingExtraError."""
    try:
        import aiohttp
    except ImportError as error:
        raise MissingExtraError("aiohttp", "endpoint") from error
    return aiohttp


def _trust(endpoint: Endpoint) -> Any:
    """Certificates as httpx and openai trust them (SSL_CERT_FILE, SSL_CERT_DIR, certifi's): the
    system's own are missing in slim containers. Making them takes 20 ms."""
    if not endpoint.base_url.startswith("https:"):
        return True
    import httpx

    return httpx.create_ssl_context()


def _body(request: Mapping[str, Any]) -> bytes:
    from pydantic_core import to_json

    try:
        return to_json(request)  # a fifth of json's time
    except ValueError:  # lone surrogates, which a model may write
        return json.dumps(request).encode()


async def _events(content: Any) -> AsyncIterator[Any]:
    """What a stream's `data:` lines hold, up to [DONE]. Raises Trouble for an error among them."""
    async for line in _lines(content):
        if not line.startswith(b"data:"):
            continue
        text = line.removeprefix(b"data:").strip()
        if text == b"[DONE]":
            return
        event = json.loads(text)
        if isinstance(event, dict) and event.get("error"):
            what = f"sent an error in its stream: {str(event['error'])[:300]}"
            raise Trouble("bad_response", what)
        yield event


async def _lines(content: Any) -> AsyncIterator[bytes]:
    """Of any length, which aiohttp's own are not; the last one may lack its end."""
    rest = b""
    async for part in content.iter_any():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line
    yield rest
