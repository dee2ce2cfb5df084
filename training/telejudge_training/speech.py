"""An agent whose tokens are kept as they were generated, whatever generates and frames them.

    agents = TokenAgents("policy", voice, Budget(prompt=12_288, response=8_192, turn=1_024))
    rollout = await play(world, planned, agents)
    rollout.trajectory.trace                      # ids, mask, logprobs

A `Voice` is what a backend offers: text to ids around what the model said, and the model itself.
No id that the model produced is ever made from text again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from telejudge_envs.errors import EndpointError, TelejudgeError, UsageError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import FaultOwner, TokenTrace, Usage
from telejudge_envs.slots import Kinds, Slots

_log = logging.getLogger(__name__)

Cut = Literal["turn", "response"]
"""Which budget cut a turn or ended an episode."""

Messages = Sequence[Message]
Tools = Sequence[ToolSpec]


class Said(NamedTuple):
    """A turn of the model: its ids, the end token included when it wrote one (`ended`)."""

    ids: list[int]
    ended: bool


@dataclass
class Tape:
    """The tokens of an episode: `mask` and `logprobs` run over what follows the prompt."""

    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] | None = field(default_factory=list)

    @property
    def prompt(self) -> list[int]:
        return self.ids[: len(self.ids) - len(self.mask)]

    @property
    def response(self) -> list[int]:
        return self.ids[len(self.ids) - len(self.mask) :]


class Voice(Protocol):
    """How one model is spoken to."""

    async def open(self, tape: Tape, said: Messages, tools: Tools) -> None:
        """Write the prompt on an empty tape."""
        ...

    async def say(self, tape: Tape, most: int) -> Said:
        """Let the model go on with at most so many tokens, and write them on the tape.

        Raises EndpointError when the model's server fails.
        """
        ...

    async def hear(self, tape: Tape, before: Messages, new: Messages, tools: Tools) -> None:
        """Write what was said and answered since the model's turn, which is the last of `before`,
        up to the head of its next."""
        ...

    async def read(self, ids: Sequence[int], tools: Tools, first_call: int) -> Message:
        """The message that a turn's ids are; never raises for what the model wrote."""
        ...


@dataclass(frozen=True)
class Budget:
    """In tokens: the prompt at most, all that follows it, and one turn of the model's."""

    prompt: int
    response: int
    turn: int


class TokenAgents:
    """Makes a TokenAgent for each episode. `kinds` are names that the model reads as slots."""

    waits_on: FaultOwner = "endpoint"
    versions: dict[str, str]

    def __init__(self, name: str, voice: Voice, budget: Budget, kinds: Kinds = ()) -> None:
        self.name, self.voice, self.budget, self.kinds = name, voice, budget, kinds
        self.versions = {"model": name}
        self.last: TokenAgent | None = None
        """The one that was started last, for a caller that plays one episode."""

    def start(self, task: TaskView, seed: int) -> TokenAgent:
        self.last = TokenAgent(self)
        return self.last


class TokenAgent:
    """Acts in one episode and keeps its tokens."""

    def __init__(self, maker: TokenAgents) -> None:
        self._voice, self._budget = maker.voice, maker.budget
        self._slots = Slots(maker.kinds) if maker.kinds else None
        self._read = 0
        self.tape = Tape()
        self.usage = Usage()
        self.cut: Cut | None = None
        self.model_seconds = 0.0

    @property
    def trace(self) -> TokenTrace | None:
        if self.tape.logprobs is None or not self.tape.mask:
            return None
        prompt = [0] * len(self.tape.prompt)
        return TokenTrace(
            ids=tuple(self.tape.ids),
            mask=(*prompt, *self.tape.mask),
            logprobs=(*map(float, prompt), *self.tape.logprobs),
        )

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The model's next message; an empty one when there is no room left to say any.

        Raises EndpointError when the model's server fails or the turn could not be framed (neither
        is the policy's failure), UsageError when the prompt is longer than it may be.
        """
        try:
            return await self._act(messages, tools)
        except TelejudgeError:
            raise
        except Exception as error:
            _log.exception("the agent loop failed")
            why = f"the agent loop failed: {type(error).__name__}: {error}"[:500]
            raise EndpointError(why, cause="agent_loop") from error

    async def _act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        await self._listen(messages, tools)
        room = self._budget.response - len(self.tape.mask)
        if room < 1:
            self.cut = "response"
            return Message(role="assistant")
        most = min(room, self._budget.turn)
        started = time.perf_counter()
        said = await self._voice.say(self.tape, most)
        self.model_seconds += time.perf_counter() - started
        message = await self._voice.read(said.ids, tools, self.usage.calls + 1)
        if not said.ended:
            self.cut = "turn" if most == self._budget.turn else "response"
        self._count(said, message)
        return message if self._slots is None else self._slots.show_message(message)

    async def _listen(self, messages: Messages, tools: Tools) -> None:
        shown = messages if self._slots is None else [self._slots.hide_message(m) for m in messages]
        if not self.tape.ids:
            await self._voice.open(self.tape, shown, tools)
            if len(self.tape.ids) > self._budget.prompt:
                raise UsageError(
                    f"the prompt has {len(self.tape.ids):,} tokens, and the longest prompt "
                    f"allowed has {self._budget.prompt:,}: raise it (verl: data.max_prompt_length)"
                )
        else:
            own = self._read + 1  # its own turn is on the tape already
            await self._voice.hear(self.tape, shown[:own], shown[own:], tools)
        self._read = len(messages)

    def _count(self, said: Said, message: Message) -> None:
        self.usage = Usage(
            calls=self.usage.calls + len(message.tool_calls),
            prompt_tokens=len(self.tape.ids) - sum(self.tape.mask),
            completion_tokens=self.usage.completion_tokens + len(said.ids),
            requests=self.usage.requests + 1,
        )
