"""One episode of the base-station world: messages in, results and the technician's replies out.

Never raises because of what an agent did: a bad call gives an error result and changes nothing.
`submit_resolution_report` ends an episode; so do ten failed calls, or text in solo mode (there
nobody is there to talk to). In dual mode text goes to the technician, who owns the field tools.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from telejudge_envs import ledger
from telejudge_envs.base_station import score
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.policy import policy_text
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Tool, ToolError, Toolkit, tools_of
from telejudge_envs.errors import EndpointError, UsageError
from telejudge_envs.nouns.base import Mode, Owner
from telejudge_envs.nouns.message import Effect, Message, ToolCall, ToolResult, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Change, Failure, Outcome, StopReason
from telejudge_envs.protocol import User

MAX_ERRORS = 10
MAX_USER_CALLS = 30
REPORT = "submit_resolution_report"
NOT_STATE = {"version", "busy_tools"}
"""What the ledger leaves out: bookkeeping of the simulation."""

_LISTS = (
    "rectifiers", "fans", "rrus", "lines", "rets", "cells", "ports", "changes", "work_orders",
    "tokens", "spares", "technicians", "standing",
)  # fmt: skip
_ID_OF: dict[str, str] = dict.fromkeys(_LISTS, "id")


class BaseStationEpisode:
    """Single use. `db` is the live state: read it, never write it."""

    def __init__(self, task: Task, spec: Spec, db: RanDB, seed: int, user: User | None) -> None:
        self.task, self.spec, self.db, self.seed = task, spec, db, seed
        self.stop: StopReason | None = None
        self.failure: Failure | None = None
        self._user = user
        self._kits: dict[str, tuple[Tool, Toolkit]] = {
            name: (tool, kit)
            for kit in (NocKit(db), FieldKit(db))
            for name, tool in tools_of(type(kit)).items()
        }
        self._refusals: dict[str, int] = dict(db.busy_tools)
        self._ids: set[str] = set()
        self._ledger: list[Change] = []
        self._state = _dump(db)
        self._calls = self._errors = self._turns = 0
        self._messages = [
            Message(role="system", text=policy_text(task.view.mode)),
            Message(role="user", text=task.view.ticket),
        ]

    @property
    def observation(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return specs(self.task.view.mode, "agent")

    @property
    def user_tools(self) -> tuple[ToolSpec, ...]:
        return specs(self.task.view.mode, "user")

    @property
    def ledger(self) -> tuple[Change, ...]:
        return tuple(self._ledger)

    def step(self, message: Message) -> tuple[Message, ...]:
        """Apply the agent's message; return what was said and answered after it.

        Raises UsageError when the episode is over or the message is not the agent's.
        """
        if self.stop is not None:
            raise UsageError(f"this episode is over ({self.stop}); open a new one")
        if message.role != "assistant":
            raise UsageError(f"step() takes the agent's message, not one of role {message.role}")
        self._turns += 1
        seen = len(self._messages) + 1
        if message.tool_calls:
            self._run(message)
        else:
            self._say(message)
        if self.stop is None and self._turns >= self.task.view.max_steps:
            self.stop = "max_steps"
        return tuple(self._messages[seen:])

    def call_all(self, calls: tuple[ToolCall, ...]) -> tuple[tuple[ToolCall, ToolResult], ...]:
        """The calls of one message with their results; ids are made unique in the episode."""
        return tuple((own, self.call(own)) for own in map(self._with_own_id, calls))

    def call(self, call: ToolCall) -> ToolResult:
        """One call, outside any message: the state changes and goes to the ledger."""
        self._calls += 1
        wrong = complaint(call, self.task.view.mode)
        if wrong is None and self._refusals.get(call.name, 0) > 0:
            self._refusals[call.name] -= 1
            wrong = f"BUSY: {call.name} is not available at this moment, try again."
        if wrong is not None:
            return _failed(call, wrong)
        tool, kit = self._kits[call.name]
        try:
            answer = tool.call(kit, call.arguments)
        except ToolError as refused:
            return _failed(call, str(refused))
        if tool.marked.effect == "read":
            content = {
                "reading_id": f"r{self._calls}",
                "observed_at": clock(self.db.clock_min),
                "data": answer,
            }
        else:
            self._pass_time(tool, call.id)
            content = {
                "ok": True,
                "action_id": f"w{self._calls}",
                "clock": clock(self.db.clock_min),
                **answer,
            }
        return ToolResult(call_id=call.id, content=compact(content))

    def finish(self, stop: StopReason, failure: Failure | None = None) -> None:
        """End the episode from outside (deadline, dead endpoint, end of a recording)."""
        self.stop, self.failure = stop, failure

    def satisfied(self) -> bool:
        """Whether everything that can be repaired is, and nothing else was touched."""
        return all(check.passed for check in score.state_checks(self.db, self.spec))

    def outcome(self) -> Outcome:
        faults = (self.failure,) if self.failure and self.failure.owner != "agent" else ()
        outcome = score.outcome(self.db, self.spec, self.stop, faults)
        coped_with: tuple[Failure, ...] = getattr(self._user, "faults", ())
        return outcome.model_copy(update={"coped_with": coped_with}) if coped_with else outcome

    # -- the turns

    def _run(self, message: Message) -> None:
        answered = self.call_all(message.tool_calls)
        made = tuple(call for call, _ in answered)
        self._messages.append(message.model_copy(update={"tool_calls": made}))
        self._answer(answered)
        if any(call.name == REPORT and not result.error for call, result in answered):
            self.stop = "agent_stop"

    def _say(self, message: Message) -> None:
        self._messages.append(message)
        if not message.text.strip() or self.task.view.mode == "solo":
            self.stop = "agent_error"
            what = "said nothing" if not message.text.strip() else "answered in text in solo mode"
            self.failure = Failure(owner="agent", cause="protocol", detail=f"The agent {what}.")
        else:
            self._hear_technician()

    def _answer(self, answered: tuple[tuple[ToolCall, ToolResult], ...]) -> None:
        for call, result in answered:
            self._errors += result.error and call.owner == "agent"
            self._messages.append(
                Message(role="tool", text=result.content, tool_call_id=call.id, error=result.error)
            )
        if self._errors >= MAX_ERRORS:
            self.stop = "too_many_errors"

    def _hear_technician(self) -> None:
        """Let the technician use his tools until he says something (or has called too many)."""
        if self._user is None:
            raise UsageError("nobody plays the technician: open(task, user=…)")
        for _ in range(MAX_USER_CALLS):
            try:
                reply = self._user.reply(self.observation, self.user_tools)
            except EndpointError as error:
                self.stop = "failed"
                self.failure = Failure(owner="endpoint", cause=error.cause, detail=str(error)[:500])
                return
            except Exception as error:
                self._blame_technician("crash", f"{type(error).__name__}: {error}")
                return
            if reply.role != "user" or not (reply.tool_calls or reply.text.strip()):
                self._blame_technician("protocol", "His reply was empty or not of role user.")
                return
            if not reply.tool_calls:
                self._messages.append(reply)
                return
            owned = tuple(c.model_copy(update={"owner": "user"}) for c in reply.tool_calls)
            answered = self.call_all(owned)
            made = tuple(call for call, _ in answered)
            self._messages.append(reply.model_copy(update={"tool_calls": made}))
            self._answer(answered)
        self._blame_technician("endless", f"He made {MAX_USER_CALLS} calls without a word.")

    def _blame_technician(self, cause: str, detail: str) -> None:
        self.stop = "user_error"
        self.failure = Failure(owner="user", cause=cause, detail=detail[:500])

    # -- the state

    def _pass_time(self, tool: Tool, call_id: str) -> None:
        """A write took its time and becomes part of the ledger."""
        self.db.clock_min += tool.marked.minutes
        self.db.version += 1
        after = _dump(self.db)
        self._ledger.extend(ledger.changes(self._state, after, call_id, _ID_OF))
        self._state = after

    def _with_own_id(self, call: ToolCall) -> ToolCall:
        own, n = call.id, 1
        while own in self._ids:
            n += 1
            own = f"{call.id}~{n}"
        self._ids.add(own)
        return call if own == call.id else call.model_copy(update={"id": own})


def specs(mode: Mode, owner: Owner) -> tuple[ToolSpec, ...]:
    """The tools that `owner` may call: in solo mode the agent has both kits."""
    return tuple(tool.spec for tool in owned_tools(mode, owner).values())


def owned_tools(mode: Mode, owner: Owner) -> Mapping[str, Tool]:
    return _OWNED[mode, owner]


def _owned() -> dict[tuple[Mode, Owner], dict[str, Tool]]:
    noc, field = tools_of(NocKit), tools_of(FieldKit)
    taken = {
        name: Tool(
            name,
            tool.spec.model_copy(update={"owner": "agent"}),
            tool.marked,
            tool.arguments,
            tool.method,
        )
        for name, tool in field.items()
    }
    return {
        ("solo", "agent"): {**noc, **taken},
        ("solo", "user"): {},
        ("dual", "agent"): noc,
        ("dual", "user"): field,
    }


_OWNED = _owned()


def tool_named(name: str) -> Tool | None:
    """A tool of either kit."""
    return _OWNED["solo", "agent"].get(name)


def effect_of(name: str) -> Effect | None:
    tool = tool_named(name)
    return None if tool is None else tool.marked.effect


def complaint(call: ToolCall, mode: Mode) -> str | None:
    """Why the call does not fit its tool; None when it does."""
    tool = owned_tools(mode, call.owner).get(call.name)
    if tool is None:
        other = tool_named(call.name)
        if other is None:
            return f"there is no tool '{call.name}'"
        return f"{call.name} is not yours to call; ask the technician to do it"
    if call.raw is not None:
        return f"the arguments of {call.name} are not a JSON object: {call.raw[:80]}"
    return tool.complaint(call.arguments)


def clock(minutes: int) -> str:
    """Minutes since midnight as day and time: `10:05`, from the second day on `+1 00:20`."""
    days, rest = divmod(minutes, 24 * 60)
    time = f"{rest // 60:02d}:{rest % 60:02d}"
    return time if days == 0 else f"+{days} {time}"


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _failed(call: ToolCall, why: str) -> ToolResult:
    return ToolResult(call_id=call.id, content=f"Error: {why}"[:500], error=True)


def _dump(db: RanDB) -> dict[str, Any]:
    return db.model_dump(exclude=NOT_STATE)
