"""The one door to OpenAI-compatible chat endpoints: messages in, a Completion out.

    client = ChatClient(Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b"))
    completion = await client.complete([Message(role="user", text="Hello")])
    completion.message.text, completion.usage.prompt_tokens

Retries are bounded, jittered and inside a deadline; what remains is an `EndpointError` whose
`cause` is one of: timeout, rate_limited, server_error, connection, bad_request, auth,
context_overflow, bad_response, refused, circuit_open. Works with openai 2 and 3.

An endpoint that keeps failing is left alone for a while (see breaker.py). A server that refuses a
`response_format` is asked without it, and not asked for it again.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from telejudge_envs import tracing
from telejudge_envs.answers import assemble, read_answer
from telejudge_envs.breaker import Breaker
from telejudge_envs.chat_format import to_openai, tools_to_openai
from telejudge_envs.endpoint import Completion, Endpoint, Meter
from telejudge_envs.errors import EndpointError, MissingExtraError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.pace import Pace
from telejudge_envs.retry import ADVICE, Trouble, attempts, status_trouble
from telejudge_envs.structured import REFUSALS, Wishes

CONNECT_S = 10.0
PATH = "/chat/completions"


class ChatClient:
    """Asks one endpoint. Safe to share between tasks and between event loops.

    `seed` makes the jitter of the waits repeatable; `meter` holds the totals of all completions.
    Clients of one endpoint may share a `breaker`.
    """

    def __init__(
        self, endpoint: Endpoint, *, seed: int = 0, breaker: Breaker | None = None
    ) -> None:
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "endpoint") from error
        self.endpoint = endpoint
        self.meter = Meter()
        self.breaker = breaker or Breaker(endpoint.breaker_after, endpoint.breaker_cooldown_s)
        self._openai = openai
        httpx = openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0]
        self._httpx = importlib.import_module(httpx)  # httpx or httpx2, as openai has it
        self._wishes = Wishes()
        self._rng = random.Random(seed)
        self._lines: dict[asyncio.AbstractEventLoop, _Line] = {}

    @tracing.around(tracing.chat)
    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] | None = None,
        response_format: Mapping[str, Any] | None = None,
        seed: int | None = None,
        *,
        meter: Meter | None = None,
        send_reasoning: bool = False,
        one_call: bool = False,
    ) -> Completion:
        """One answer. Raises EndpointError when the last attempt failed too.

        `meter` is added to as well as the client's own, whether or not an answer came. A
        `response_format` is a wish: a server that answers it with 400 or 422 is asked for the next
        looser one (a JSON schema, any JSON object, text).
        """
        formats = self._wishes.after(response_format)
        for i, wish in enumerate(formats):
            request = self._request(messages, tools, wish, seed, send_reasoning)
            if one_call and tools:
                request["parallel_tool_calls"] = False
            try:
                completion = await self._ask(request, meter)
            except _Refused as error:
                if wish is None:
                    raise error.final from error.__cause__
            else:
                self._wishes.refused(formats[:i])
                return completion
        raise AssertionError("the last format is none, and its answer final")

    async def _ask(self, request: Mapping[str, Any], meter: Meter | None) -> Completion:
        self._check_circuit()
        line, began, tried = self._line(), 0.0, 0
        async with line.slots:
            if not self.breaker.admits():
                raise self._circuit_open()
            await line.pace.wait()
            began = time.monotonic()
            report = self.breaker.abandoned
            try:
                endpoint = self.endpoint
                async for attempt in attempts(endpoint.max_retries, endpoint.deadline_s, self._rng):
                    with attempt:
                        tried += 1
                        left = endpoint.deadline_s - (time.monotonic() - began)
                        raw = await self._attempt(line, request, left)
                        took = time.monotonic() - began
                        completion = read_answer(raw, tried - 1, took, endpoint.prices)
                        report = self.breaker.succeeded
                        return self._count(completion, meter)
            except Trouble as trouble:
                report = self.breaker.failed if trouble.is_sickness else self.breaker.succeeded
                self._count_failure(trouble, tried, time.monotonic() - began, meter)
                final = self._error(trouble, tried)
                if trouble.status in REFUSALS and trouble.cause == "bad_request":
                    raise _Refused(final) from trouble.__cause__
                raise final from trouble.__cause__
            finally:
                report()
        raise AssertionError("tenacity neither returned nor raised")

    def _check_circuit(self) -> None:
        """Whoever would only queue up behind an open circuit is told at once."""
        if self.breaker.state == "open":
            raise self._circuit_open()

    def _circuit_open(self) -> EndpointError:
        wait = f"left alone for {self.breaker.waits_s:.0f} s"
        what = f"failed {self.breaker.after} times in a row and is {wait}"
        return self._error(Trouble("circuit_open", what), 0)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        line = self._lines.pop(asyncio.get_running_loop(), None)
        if line is not None:
            await line.close()

    def _request(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] | None,
        response_format: Mapping[str, Any] | None,
        seed: int | None,
        send_reasoning: bool,
    ) -> dict[str, Any]:
        request: dict[str, Any] = dict(self.endpoint.sampling)
        request |= request.pop("extra_body", None) or {}
        request["model"] = self.endpoint.model
        request["messages"] = to_openai(messages, reasoning=send_reasoning)
        if tools:
            request["tools"] = tools_to_openai(tools)
        if response_format is not None:
            request["response_format"] = dict(response_format)
        if seed is not None and self.endpoint.send_seed:
            request["seed"] = seed % 2**31
        return request

    async def _attempt(self, line: _Line, request: Mapping[str, Any], left: float) -> Any:
        limit = max(0.001, min(self.endpoint.timeout_s, left))
        try:
            # The transport's own timeout counts from byte to byte; a dripping server outlasts it.
            async with asyncio.timeout(limit):
                with line.client() as client:
                    # `chat.completions.create` would walk all tools and messages in Python to
                    # bring each to its type, again for every request.
                    return await self._post(client, request)
        except Trouble:
            raise
        except (TimeoutError, self._openai.APITimeoutError) as error:
            what = f"gave no complete answer within {limit:.3g} s"
            raise Trouble("timeout", what, again=True) from error
        except self._openai.APIStatusError as error:
            answer = error.response
            raise status_trouble(answer.status_code, answer.text, answer.headers) from error
        except (self._openai.APIConnectionError, self._httpx.TransportError) as error:
            reason = error.__cause__ or error
            what = f"could not be reached or hung up ({type(reason).__name__}: {reason})"
            raise Trouble("connection", what, again=True) from error
        except (self._openai.OpenAIError, ValueError) as error:
            what = f"sent an answer that cannot be read ({type(error).__name__}: {error})"
            raise Trouble("bad_response", what) from error

    async def _post(self, client: Any, request: Mapping[str, Any]) -> Any:
        if not self.endpoint.stream:
            return await client.post(PATH, cast_to=object, body=request)
        asked = {**request, "stream": True, "stream_options": {"include_usage": True}}
        stream_cls = self._openai.AsyncStream[object]
        chunks = await client.post(
            PATH, cast_to=object, body=asked, stream=True, stream_cls=stream_cls
        )
        async with chunks:
            return await assemble(aiter(chunks))

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            for closed in [known for known in self._lines if known.is_closed()]:
                del self._lines[closed]
            self._lines[loop] = _Line(self._openai, self._httpx, self.endpoint)
        return self._lines[loop]

    def _count(self, completion: Completion, meter: Meter | None) -> Completion:
        spent = completion.usage.model_dump(include=_COUNTED)
        for each in filter(None, (self.meter, meter)):
            each.add(**spent)
        return completion

    def _count_failure(
        self, trouble: Trouble, tried: int, seconds: float, meter: Meter | None
    ) -> None:
        prompt, completion = trouble.tokens
        prices = self.endpoint.prices
        for each in filter(None, (self.meter, meter)):
            each.add(
                prompt_tokens=prompt,
                completion_tokens=completion,
                requests=tried,
                retries=max(0, tried - 1),
                seconds=seconds,
                cost_usd=prices.cost(prompt, completion) if prices else 0.0,
            )

    def _error(self, trouble: Trouble, tried: int) -> EndpointError:
        where = f"{self.endpoint.base_url} (model {self.endpoint.model})"
        times = f" after {tried} attempts" if tried > 1 else ""
        return EndpointError(
            f"{where} {trouble.what}{times}; {ADVICE[trouble.cause]}", cause=trouble.cause
        )


class _Refused(Exception):
    """The server called the request bad; perhaps because of its response_format."""

    def __init__(self, final: EndpointError) -> None:
        super().__init__(str(final))
        self.final = final


_COUNTED = {
    "prompt_tokens",
    "completion_tokens",
    "requests",
    "retries",
    "seconds",
    "cost_usd",
}


class _Line:
    """Connections and places of one event loop; neither may cross to another loop."""

    def __init__(self, openai: Any, httpx: Any, endpoint: Endpoint) -> None:
        self.slots = asyncio.Semaphore(endpoint.concurrency)
        self.pace = Pace(endpoint.requests_per_minute)
        self._openai, self._endpoint = openai, endpoint
        self._timeout = openai.Timeout(
            endpoint.timeout_s, connect=min(CONNECT_S, endpoint.timeout_s)
        )
        self._trust = httpx.create_ssl_context()  # 20 ms each
        self._free: list[Any] = []

    @contextmanager
    def client(self) -> Iterator[Any]:
        """One request's own client, with a connection that the next one finds open.

        A pool of them would be slower: httpx looks at all its connections at every request and
        answer.
        """
        client = self._free.pop() if self._free else self._open()
        try:
            yield client
        finally:
            self._free.append(client)

    def _open(self) -> Any:
        # A proxy set for the outside world must not swallow calls to this machine.
        http = self._openai.DefaultAsyncHttpxClient(
            timeout=self._timeout, trust_env=not self._endpoint.is_loopback, verify=self._trust
        )
        return self._openai.AsyncOpenAI(
            base_url=self._endpoint.base_url,
            api_key=self._endpoint.key(),
            max_retries=0,
            timeout=self._timeout,
            http_client=http,
        )

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()
