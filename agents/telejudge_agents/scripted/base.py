"""What all scripted agents share: a plan that speaks and listens, wrapped as an Agent.

In: a plan, that is a generator which yields its next turn (a Call, or text) and is sent what came
back. Out: an agent whose `decide` is synchronous and cheap: it reads new messages only.

    def plan(ticket: str) -> Plan:
        bar = yield Call("check_status_bar")
        if not bar.error:
            yield Call("done")

    agent = ScriptedAgent(plan)
    message = agent.decide(episode.observation, episode.tools)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import TokenTrace, Usage

DONE = "done"
GIVE_UP = "Goodbye. Please call again if you need more help."
"""Said when a plan has ended and the episode still asks for a turn in dual mode."""


@dataclass(frozen=True)
class Call:
    """A tool call without its id."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Heard(NamedTuple):
    """What came back: a tool's result, or the user's words."""

    text: str
    error: bool = False


Plan = Generator[Call | str, Heard, None]
Planner = Callable[[str], Plan]
"""From the ticket (in dual mode: the user's first words) to a plan."""


class ScriptedAgent:
    """Acts out one plan in one episode."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._plan: Plan | None = None
        self._read = 0
        self._calls = 0

    @property
    def usage(self) -> Usage:
        return Usage(calls=self._calls)

    @property
    def trace(self) -> TokenTrace | None:
        return None

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        return self.decide(messages, tools)

    def decide(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The next message. Looks only at messages that came since the last one."""
        heard = self._listen(messages)
        try:
            if self._plan is None:
                self._plan = self._planner(heard.text)
                turn = next(self._plan)
            else:
                turn = self._plan.send(heard)
        except StopIteration:
            turn = Call(DONE) if any(t.name == DONE for t in tools) else GIVE_UP
        return self._utter(turn)

    def _listen(self, messages: Sequence[Message]) -> Heard:
        new = [messages[i] for i in range(self._read, len(messages))]
        self._read = len(messages)
        spoken = [m for m in new if m.role in ("user", "tool") and not m.tool_calls]
        said = [m for m in spoken if m.role == "user"] or spoken
        if not said:
            return Heard("")
        return Heard(said[-1].text, said[-1].error)

    def _utter(self, turn: Call | str) -> Message:
        if isinstance(turn, str):
            return Message(role="assistant", text=turn)
        self._calls += 1
        call = ToolCall(id=f"call_{self._calls}", name=turn.tool, arguments=dict(turn.arguments))
        return Message(role="assistant", tool_calls=(call,))


@dataclass(frozen=True)
class ScriptedFactory:
    """Starts a scripted agent for each episode; `planner` makes its plan's maker."""

    name: str
    planner: Callable[[TaskView, int], Planner]
    versions: dict[str, str] = field(default_factory=lambda: {"scripted": "1"})

    def start(self, task: TaskView, seed: int) -> ScriptedAgent:
        return ScriptedAgent(self.planner(task, seed))
