"""One episode of the base-station world: messages in, results and the technician's replies out.

`turns.TurnEpisode` keeps the turns. Here: what a call does to the network and its clock, that
`submit_resolution_report` ends an episode, and that in dual mode the technician owns the field
tools. A bad call gives an error result and changes nothing.
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
from telejudge_envs.nouns.base import Mode, Owner
from telejudge_envs.nouns.message import Effect, Message, ToolCall, ToolResult, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Outcome
from telejudge_envs.protocol import User
from telejudge_envs.turns import Answered, TurnEpisode

REPORT = "submit_resolution_report"
NOT_STATE = {"version", "busy_tools"}
"""What the ledger leaves out: bookkeeping of the simulation."""

_LISTS = (
    "rectifiers", "fans", "rrus", "lines", "rets", "cells", "ports", "changes", "work_orders",
    "tokens", "spares", "technicians", "standing",
)  # fmt: skip
_ID_OF: dict[str, str] = dict.fromkeys(_LISTS, "id")


class BaseStationEpisode(TurnEpisode):
    """Single use. `db` is the live state: read it, never write it."""

    def __init__(self, task: Task, spec: Spec, db: RanDB, seed: int, user: User | None) -> None:
        super().__init__(task, seed, user)
        self.spec, self.db = spec, db
        self._kits: dict[str, tuple[Tool, Toolkit]] = {
            name: (tool, kit)
            for kit in (NocKit(db), FieldKit(db))
            for name, tool in tools_of(type(kit)).items()
        }
        self._refusals: dict[str, int] = dict(db.busy_tools)
        self._state = _dump(db)
        self._calls = 0
        self._messages = [
            Message(role="system", text=policy_text(task.view.mode)),
            Message(role="user", text=task.view.ticket),
        ]

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return specs(self.task.view.mode, "agent")

    @property
    def user_tools(self) -> tuple[ToolSpec, ...]:
        return specs(self.task.view.mode, "user")

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

    def satisfied(self) -> bool:
        """Whether everything that can be repaired is, and nothing else was touched."""
        return all(check.passed for check in score.state_checks(self.db, self.spec))

    def _truth(self) -> Outcome:
        return score.outcome(self.db, self.spec, self.stop)

    def _closed_by(self, answered: Answered) -> bool:
        return any(call.name == REPORT and not result.error for call, result in answered)

    def _counts(self, call: ToolCall) -> bool:
        return call.owner == "agent"

    def _pass_time(self, tool: Tool, call_id: str) -> None:
        """A write took its time and becomes part of the ledger."""
        self.db.clock_min += tool.marked.minutes
        self.db.version += 1
        after = _dump(self.db)
        self._ledger.extend(ledger.changes(self._state, after, call_id, _ID_OF))
        self._state = after


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
