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

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import TokenTrace, Usage
from telejudge_envs.tau2_telecom.user import FAILED, IT_SAYS

DONE = "done"
TRANSFER = "transfer_to_human_agents"
PLEASE_RUN = "Please run this on your phone and tell me what it says: {call}"


@dataclass(frozen=True)
class Call:
    """A tool call without its id."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Heard(NamedTuple):
    """What came back: a tool's result, or the user's words."""

    text: str
    error: bool = False


@dataclass(frozen=True)
class Dialect:
    """How a script talks in a world where the user owns tools (dual control).

    `it_says` parts the user's words from the output that he reports, `failed` ends the words
    before the output of a call that failed; `done` and `transfer` are the world's tools that close
    and hand over a case, said as `closing` and `hold_on` where the agent does not own them.
    """

    done: str
    transfer: str
    it_says: str
    failed: str
    please_run: str
    closing: str
    hold_on: str
    goodbye: str
    users: frozenset[str] = frozenset()
    """Tools of the user, in a world where `done` is always the agent's."""


TAU2 = Dialect(
    done=DONE,
    transfer=TRANSFER,
    it_says=IT_SAYS,
    failed=FAILED,
    please_run=PLEASE_RUN,
    closing="All steps for your case are done. Does everything work now?",
    hold_on="YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.",
    goodbye="I have no further steps to offer. Goodbye. ###STOP###",
)

Plan = Generator[Call | str, Heard, None]
Planner = Callable[[str], Plan]
"""From the ticket (in dual mode: the user's first words) to a plan."""


class ScriptedAgent:
    """Acts out one plan in one episode.

    In dual mode it asks the user to run the tools that it does not own, and says what `done` and
    a transfer mean to him.
    """

    def __init__(self, planner: Planner, dialect: Dialect = TAU2) -> None:
        self._planner = planner
        self._dialect = dialect
        self._plan: Plan | None = None
        self._own: frozenset[str] = frozenset()
        self._read = 0
        self._calls = 0
        self._handed_over = False

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
                self._own = frozenset(tool.name for tool in tools)
                self._plan = self._planner(heard.text)
                turn = next(self._plan)
            else:
                turn = self._plan.send(heard)
        except StopIteration:
            done = self._dialect.done
            turn = Call(done) if done in self._own else self._dialect.goodbye
        return self._utter(turn)

    def _listen(self, messages: Sequence[Message]) -> Heard:
        new = [messages[i] for i in range(self._read, len(messages))]
        self._read = len(messages)
        said = [m for m in new if m.role == "user" and not m.tool_calls]
        if said:
            words = said[-1].text
            opening, _, output = words.partition(self._dialect.it_says)
            return Heard(output or words, error=opening.endswith(self._dialect.failed))
        results = [m for m in new if m.role == "tool"]
        return Heard(results[-1].text, results[-1].error) if results else Heard("")

    def _utter(self, turn: Call | str) -> Message:
        if isinstance(turn, str):
            return Message(role="assistant", text=turn)
        if turn.tool not in self._own and self._is_users(turn.tool):
            return Message(role="assistant", text=self._in_words(turn))
        self._handed_over = self._handed_over or turn.tool == self._dialect.transfer
        self._calls += 1
        call = ToolCall(id=f"call_{self._calls}", name=turn.tool, arguments=dict(turn.arguments))
        return Message(role="assistant", tool_calls=(call,))

    def _is_users(self, tool: str) -> bool:
        return self._dialect.done not in self._own or tool in self._dialect.users

    def _in_words(self, turn: Call) -> str:
        if turn.tool == self._dialect.done:
            return self._dialect.hold_on if self._handed_over else self._dialect.closing
        arguments = ", ".join(
            f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in turn.arguments.items()
        )
        return self._dialect.please_run.format(call=f"{turn.tool}({arguments})")


@dataclass(frozen=True)
class ScriptedFactory:
    """Starts a scripted agent for each episode; `planner` makes its plan's maker."""

    name: str
    planner: Callable[[TaskView, int], Planner]
    versions: dict[str, str] = field(default_factory=lambda: {"scripted": "1"})
    dialect: Dialect = TAU2

    def start(self, task: TaskView, seed: int) -> ScriptedAgent:
        return ScriptedAgent(self.planner(task, seed), self.dialect)
