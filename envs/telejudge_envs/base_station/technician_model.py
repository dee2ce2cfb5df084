"""A field technician played by a model behind any OpenAI-compatible endpoint, for dual mode.

    client = ChatClient(Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b"))
    episode = world.open(task, user=ModelTechnician(client, task, seed=0))

In: the conversation as the technician lives it: his dispatch, the agent's words, his own calls and
what they returned; the agent's calls and the policy stay hidden from him. Out: the model's words,
or a call of one of his tools. Raises EndpointError when the endpoint fails; the episode books that
as the endpoint's failure.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Coroutine, Sequence
from typing import Any

from telejudge_envs.base_station.technician import ScriptedTechnician
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Meter
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Usage

RULES = """\
You are {name}, a field technician for mobile radio sites. An engineer in the operations centre
writes to you; you are his eyes and hands on site. You answer as the technician, in a few plain
sentences.

- You can act only with your tools, and you know only what they showed you. Never invent a reading.
- Do what the engineer asks, in his order, one tool call at a time. Stop at the first call that
  fails and tell him.
- Do not look for the cause and do not repair anything on your own: he decides, you report.
- When an id, a spare part or a step is not clear, ask him instead of guessing.
- Do not do what he told you to leave alone.
- After the calls, tell him what they showed, with the reading ids and the exact values.
"""

PERSONAS: dict[str, str] = {
    "expert": "You have done this for twenty years. When you arrive on site you look at the "
    "breakers and the lamps of the boards, and tell him what you see without being asked.",
    "novice": "This is your first month. You do only what is said step by step, you volunteer "
    "nothing, and you ask whenever an id is missing.",
    "wrong_theory": "You are sure that you know the cause before you have looked: {theory}. Say so "
    "when you first report. Do what he asks all the same.",
}

DISPATCH = "You were sent to site {site_id} for this job: {task}. Parts in your van: {parts}."
NOT_SENT = "Nobody has sent you anywhere yet."
NOTHING_SAID = "The engineer is on the line."


class ModelTechnician:
    """Plays the technician of one task by asking a model. `meter` holds what that cost."""

    def __init__(self, client: ChatClient, task: Task, seed: int = 0) -> None:
        self.client = client
        self.meter = Meter()
        scripted = ScriptedTechnician(task, seed)
        self._key = f"{task.id}|{seed}"
        self._persona = PERSONAS[scripted.persona].format(theory=scripted.theory)

    @property
    def usage(self) -> Usage:
        return self.meter.usage

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The model's next message. Raises EndpointError when the endpoint fails."""
        lived = self._lived(conversation)
        completion = run(self._ask(lived, tools, len(conversation)))
        said = completion.message
        calls = tuple(
            call.model_copy(update={"id": f"field_{len(conversation)}_{n}", "owner": "user"})
            for n, call in enumerate(said.tool_calls[:1])
        )
        if not calls and not said.text.strip():
            where = f"{self.client.endpoint.base_url} (model {self.client.endpoint.model})"
            raise EndpointError(
                f"{where} answered for the technician with neither words nor a call; "
                "give it more tokens or another model",
                cause="bad_response",
            )
        return Message(role="user", text="" if calls else said.text, tool_calls=calls)

    async def _ask(
        self, lived: Sequence[Message], tools: Sequence[ToolSpec], turn: int
    ) -> Completion:
        digest = hashlib.sha256(f"{self._key}|{turn}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big") >> 1
        return await self.client.complete(lived, tools, seed=seed, meter=self.meter)

    def _lived(self, conversation: Sequence[Message]) -> list[Message]:
        """The conversation from his side: the agent is the user, and he is the assistant."""
        head = f"{RULES.format(name='Sam')}\n{self._persona}\n{_job(conversation)}"
        lived = [Message(role="system", text=head)]
        own = {call.id for m in conversation if m.role == "user" for call in m.tool_calls}
        ticket = next((m for m in conversation if m.role == "user"), None)
        for message in conversation:
            if message.role == "assistant" and message.text and not message.tool_calls:
                lived.append(Message(role="user", text=message.text))
            elif message.role == "user" and message is not ticket:
                lived.append(message.model_copy(update={"role": "assistant"}))
            elif message.role == "tool" and message.tool_call_id in own:
                lived.append(message)
        if len(lived) == 1:
            lived.append(Message(role="user", text=NOTHING_SAID))
        return lived


def _job(conversation: Sequence[Message]) -> str:
    """His last dispatch, which is all that he hears of the agent's calls."""
    done = {m.tool_call_id for m in conversation if m.role == "tool" and not m.error}
    sent: list[ToolCall] = [
        call
        for m in conversation
        for call in m.tool_calls
        if call.name == "dispatch_technician" and call.id in done
    ]
    if not sent:
        return NOT_SENT
    given = sent[-1].arguments
    parts = ", ".join(map(str, given.get("parts") or ())) or "none"
    return DISPATCH.format(
        site_id=given.get("site_id"), task=given.get("task") or "see the engineer", parts=parts
    )


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
                threading.Thread(
                    target=self._loop.run_forever, name="technician", daemon=True
                ).start()
            return self._loop


_LOOP = _Loop()
"""One for all technicians of the process, so that their client keeps its connections."""


def run(ask: Coroutine[Any, Any, Completion]) -> Completion:
    """Wait for an answer from outside of its loop."""
    return asyncio.run_coroutine_threadsafe(ask, _LOOP.get()).result()
