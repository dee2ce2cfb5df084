"""The one door to OpenAI-compatible chat endpoints: messages in, a Completion out.

    client = ChatClient(Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b"))
    completion = await client.complete([Message(role="user", text="Hello")])
    completion.message.text, completion.usage.prompt_tokens

Retries are bounded, jittered and inside a deadline; what remains is an `EndpointError` whose
`cause` is one of: timeout, rate_limited, server_error, connection, bad_request, auth,
context_overflow, bad_response, refused, circuit_open.

An endpoint that keeps failing is left alone for a while (see breaker.py). A server that refuses a
`response_format` is asked without it, and not asked for it again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from telejudge_envs import tracing
from telejudge_envs.answers import read_answer
from telejudge_envs.breaker import Breaker
from telejudge_envs.chat_format import to_openai, tools_to_openai
from telejudge_envs.endpoint import Completion, Endpoint, Meter
from telejudge_envs.errors import EndpointError
from telejudge_envs.line import Line, transport
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.retry import ADVICE, Trouble, attempts
from telejudge_envs.structured import REFUSALS, Wishes

PATH = "/chat/completions"


class ChatClient:
    """Asks one endpoint. Safe to share between tasks and between event loops.

    `seed` makes the jitter of the waits repeatable; `meter` holds the totals of all completions.
    Clients of one endpoint may share a `breaker`.
    """

    def __init__(
        self, endpoint: Endpoint, *, seed: int = 0, breaker: Breaker | None = None
    ) -> None:
        transport()  # raises at once where it is missing
        self.endpoint = endpoint
        self.meter = Meter()
        self.breaker = breaker or Breaker(endpoint.breaker_after, endpoint.breaker_cooldown_s)
        self._wishes = Wishes()
        self._rng = random.Random(seed)
        self._lines: dict[asyncio.AbstractEventLoop, Line] = {}

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
                        limit = max(0.001, min(endpoint.timeout_s, left))
                        raw = await line.post(PATH, request, limit)
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

    def _line(self) -> Line:
        loop = asyncio.get_running_loop()
        if loop not in self._lines:
            for closed in [known for known in self._lines if known.is_closed()]:
                del self._lines[closed]
            self._lines[loop] = Line(self.endpoint)
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
