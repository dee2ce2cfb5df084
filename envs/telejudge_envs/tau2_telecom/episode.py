"""One episode of tau2-Telecom: messages in, tool results and the user's replies out.

`turns.TurnEpisode` keeps the turns. Here: what a call does to tau2's databases, and the endings
that are tau2's own (tau2.orchestrator): `done` ends a solo case and other calls of that message are
not made; a token in the words of agent or user ends a case. A bad call changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from telejudge_envs.nouns.message import Message, ToolCall, ToolResult, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Outcome
from telejudge_envs.protocol import User
from telejudge_envs.tau2_telecom import ledger, score, tools, upstream
from telejudge_envs.tau2_telecom.prompts import GREETING, system_prompt
from telejudge_envs.tau2_telecom.user import OUT_OF_SCOPE, STOP, TRANSFER
from telejudge_envs.turns import Answered, TurnEpisode

MAX_RESULT = 16_000


class Tau2Episode(TurnEpisode):
    """Single use. `db` and `phone` are tau2's live databases: read them, never write them."""

    def __init__(
        self,
        task: Task,
        parsed: upstream.Tau2Task,
        env: Any,
        policy: str,
        seed: int,
        user: User | None,
    ) -> None:
        super().__init__(task, seed, user)
        self._parsed, self._env = parsed, env
        self._calls: list[ToolCall] = []
        self._bills = 0
        self._books, self._phone = self._dump_books(), self._dump_phone()
        self._messages = [Message(role="system", text=system_prompt(policy, task.view.mode))]
        if task.view.mode == "solo":
            self._messages.append(Message(role="user", text=task.view.ticket))
        else:
            self._messages.append(Message(role="assistant", text=GREETING))
            if user is not None:
                self._hear_user()

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return tools.specs(self.task.view.mode, "agent")

    @property
    def user_tools(self) -> tuple[ToolSpec, ...]:
        return tools.specs(self.task.view.mode, "user")

    @property
    def db(self) -> upstream.TelecomDB:
        return self._env.tools.db

    @property
    def phone(self) -> upstream.TelecomUserDB:
        return self._env.user_tools.db

    def call(self, call: ToolCall) -> ToolResult:
        """One call, outside any message: the state changes and goes to the ledger."""
        self._calls.append(call)
        wrong = tools.complaint(call, self.task.view.mode)
        if wrong is not None:
            return ToolResult(call_id=call.id, content=f"Error: {wrong}", error=True)
        books_reachable = self._reaches_books(call)
        content, error = self._ask_tau2(call)
        self._name_new_bills()
        books = self._dump_books() if books_reachable else self._books
        phone = self._dump_phone()
        if error:
            self._restore_if_changed(books, phone)
        else:
            self._ledger.extend(ledger.changes(self._books, books, call.id))
            self._ledger.extend(ledger.changes(self._phone, phone, call.id))
            self._books, self._phone = books, phone
        return ToolResult(call_id=call.id, content=_bounded(content), error=error)

    def satisfied(self) -> bool:
        """Whether the task's assertions on the state hold right now."""
        return all(c.passed for c in score.assertion_checks(self._env, self._parsed))

    def _truth(self) -> Outcome:
        return score.outcome(self._env, self._parsed, self._calls, self.stop)

    # -- the endings

    def _make(self, calls: tuple[ToolCall, ...]) -> Answered:
        if self._has_done(calls):
            return tuple((call, self._skip(call)) for call in calls)
        return super()._make(calls)

    def _closed_by(self, answered: Answered) -> bool:
        return self._has_done(call for call, _ in answered)

    def _has_done(self, calls: Iterable[ToolCall]) -> bool:
        return self.task.view.mode == "solo" and any(call.name == tools.DONE for call in calls)

    def _leaves(self, message: Message) -> bool:
        ends = (STOP,) if message.role == "assistant" else (STOP, TRANSFER, OUT_OF_SCOPE)
        return any(token in message.text for token in ends)

    # -- the state

    def _ask_tau2(self, call: ToolCall) -> tuple[str, bool]:
        """What tau2's own `get_response` does, without its log line and message for every call."""
        requestor = "assistant" if call.owner == "agent" else "user"
        try:
            answer = self._env.make_tool_call(call.name, requestor=requestor, **call.arguments)
            self._env.sync_tools()
            return self._env.to_json_str(answer) or "", False
        except Exception as error:
            return f"Error: {error}", True

    def _skip(self, call: ToolCall) -> ToolResult:
        if call.name == tools.DONE:
            self._calls.append(call)
            return ToolResult(call_id=call.id, content=STOP)
        return ToolResult(
            call_id=call.id, content="Error: not made, because done() ends the case.", error=True
        )

    def _reaches_books(self, call: ToolCall) -> bool:
        """Whether the call can change the operator's database.

        The phone's tools hold no reference to it; after one of them, tau2's sync writes there only
        to book a payment that the customer was asked for.
        """
        asked_to_pay = self._env.user_tools.db.surroundings.payment_request is not None
        return asked_to_pay or call.name in self._env.tools.tools

    def _dump_books(self) -> dict[str, Any]:
        return self._env.tools.db.model_dump(warnings=False)

    def _dump_phone(self) -> dict[str, Any]:
        return self._env.user_tools.db.model_dump(warnings=False)

    def _restore_if_changed(self, books: dict[str, Any], phone: dict[str, Any]) -> None:
        """tau2 can fail half-way through a write; a failed call must change nothing."""
        if books != self._books:
            self._env.tools.db = upstream.TelecomDB.model_validate(self._books)
        if phone != self._phone:
            self._env.user_tools.db = upstream.TelecomUserDB.model_validate(self._phone)

    def _name_new_bills(self) -> None:
        """tau2 names the bill that a refuel opens by uuid4; the same seed must give the same id."""
        known = {b["bill_id"] for b in self._books["bills"]}
        if len(known) == len(self._env.tools.db.bills):
            return
        for bill in self._env.tools.db.bills:
            if bill.bill_id in known:
                continue
            self._bills += 1
            key = f"{self.task.id}|{self.seed}|{self._bills}"
            old, bill.bill_id = bill.bill_id, f"B{random.Random(key).getrandbits(32):08x}"
            for customer in self._env.tools.db.customers:
                customer.bill_ids = [bill.bill_id if i == old else i for i in customer.bill_ids]


def _bounded(content: str) -> str:
    if len(content) <= MAX_RESULT:
        return content
    return f"{content[:MAX_RESULT]}… ({len(content) - MAX_RESULT:,} more characters)"
