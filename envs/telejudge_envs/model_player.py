"""What a customer and a technician played by a model share: asking it, and minding that it plays.

    class ModelUser(ModelPlayer):
        who = "customer"
        def lived(self, conversation): ...      # the conversation as he lives it
        def knows(self) -> str: ...             # what he was told before it began

His faults are his, not the agent's:

| what | becomes |
|---|---|
| the endpoint fails, refuses, or answers with nothing | EndpointError; the episode is not scored |
| he breaks his role twice in a row: speaks as a model or as the agent, writes calls as text | \
PlayerError `broke_role`; the episode ends by `user_error` and is not scored |
| he tells a number or an id that nobody has shown him | `faults`, cause `invented`; played on, \
and listed in the outcome's `coped_with` |
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import os
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Meter
from telejudge_envs.errors import EndpointError, PlayerError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.trajectory import Failure, Usage

TRIES = 2
MAX_DETAIL = 300

_OUT_OF_ROLE = re.compile(
    r"\bas an? (?:AI|artificial|(?:large )?language model)|\bI(?: am|'m) an? (?:AI|language model)"
    r"|\bhow (?:can|may) I (?:help|assist) you\b|</?(?:tool_call|think|function_call)>"
    r"|^\s*\{\s*\"(?:name|tool_calls|function)\"\s*:",
    re.IGNORECASE,
)
_FACT = re.compile(r"(?<![\w.])(?:[A-Z]{1,4}[-_]?\d{2,}[\w-]*|\d+\.\d+|\d{3,})(?![\w])")
"""What can be invented and checked: ids, decimals, numbers of three digits and more."""


class ModelPlayer(ABC):
    """Plays the user of one episode. `meter` holds what that cost, `faults` what he did wrong."""

    who = "user"

    def __init__(self, client: ChatClient, key: str) -> None:
        self.client = client
        self.meter = Meter()
        self._key = key
        self._faults: list[Failure] = []

    @property
    def usage(self) -> Usage:
        return self.meter.usage

    @property
    def faults(self) -> tuple[Failure, ...]:
        return tuple(self._faults)

    @abstractmethod
    def lived(self, conversation: Sequence[Message]) -> list[Message]:
        """The conversation from his side: the agent is the user, and he is the assistant."""

    @abstractmethod
    def knows(self) -> str:
        """What he was told before the conversation began."""

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The model's next message. Raises EndpointError or PlayerError."""
        lived = self.lived(conversation)
        said = self._in_role(lived, tools, len(conversation))
        calls = tuple(
            call.model_copy(update={"id": f"user_{len(conversation)}_{n}", "owner": "user"})
            for n, call in enumerate(said.tool_calls[:1])
        )
        if not calls and not said.text.strip():
            where = f"{self.client.endpoint.base_url} (model {self.client.endpoint.model})"
            raise EndpointError(
                f"{where} answered for the {self.who} with neither words nor a call; "
                "give it more tokens or another model",
                cause="bad_response",
            )
        if not calls:
            self._mind_inventions(said.text, lived)
        return Message(role="user", text="" if calls else said.text, tool_calls=calls)

    def _in_role(self, lived: Sequence[Message], tools: Sequence[ToolSpec], turn: int) -> Message:
        text = ""
        for attempt in range(TRIES):
            said = run(self._ask(lived, tools, turn, attempt)).message
            if said.tool_calls or not _OUT_OF_ROLE.search(said.text):
                return said
            text = said.text
        raise PlayerError(f"The {self.who} broke his role: {text[:MAX_DETAIL]}", cause="broke_role")

    async def _ask(
        self, lived: Sequence[Message], tools: Sequence[ToolSpec], turn: int, attempt: int
    ) -> Completion:
        name = f"{self._key}|{turn}" + (f"|{attempt}" if attempt else "")
        digest = hashlib.sha256(name.encode()).digest()
        seed = int.from_bytes(digest[:4], "big") >> 1
        return await self.client.complete(lived, tools, seed=seed, meter=self.meter)

    def _mind_inventions(self, text: str, lived: Sequence[Message]) -> None:
        heard = " ".join([self.knows(), *(m.text for m in lived), *_arguments(lived)])
        known = re.sub(r"[\s()-]", "", heard)
        invented = [f for f in _FACT.findall(text) if re.sub(r"[\s()-]", "", f) not in known]
        if invented:
            detail = f"The {self.who} told what nobody had shown him: {', '.join(invented)}"
            self._faults.append(Failure(owner="user", cause="invented", detail=detail[:MAX_DETAIL]))


def _arguments(lived: Sequence[Message]) -> list[str]:
    return [str(value) for m in lived for c in m.tool_calls for value in c.arguments.values()]


class _Loop:
    """An event loop in a thread of its own: `User.reply` is not async, the client is, and the
    caller may be inside a running loop already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def get(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():  # no thread survives a fork
                self._process = os.getpid()
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="players", daemon=True).start()
                atexit.register(self._end, self._process)
            return self._loop

    def _end(self, process: int) -> None:
        """Close the connections, as `asyncio.run` does at its end."""
        if self._loop is not None and process == os.getpid():
            closing = asyncio.run_coroutine_threadsafe(self._loop.shutdown_asyncgens(), self._loop)
            with suppress(TimeoutError):
                closing.result(timeout=1)


_LOOP = _Loop()
"""One for all players of the process, so that their client keeps its connections."""


def run(ask: Coroutine[Any, Any, Completion]) -> Completion:
    """Wait for an answer from outside of its loop."""
    return asyncio.run_coroutine_threadsafe(ask, _LOOP.get()).result()
