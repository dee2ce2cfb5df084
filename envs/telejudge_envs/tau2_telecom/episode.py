"""One episode of tau2-Telecom: messages in, tool results and the user's replies out.

Never raises because of what an agent did: a bad call gives an error result and changes nothing.
Episode rules are tau2's (tau2.orchestrator): `done` ends a solo case and other calls of that
message are not made; ten failed calls end an episode; text ends a solo one as the agent's error.
"""

from __future__ import annotations

import random
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolResult, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Change, Failure, Outcome, StopReason
from telejudge_envs.protocol import User
from telejudge_envs.tau2_telecom import ledger, score, tools, upstream
from telejudge_envs.tau2_telecom.prompts import GREETING, system_prompt

MAX_ERRORS = 10
MAX_USER_CALLS = 30
MAX_RESULT = 16_000
STOP_TOKEN = "###STOP###"
TRANSFER_TOKEN = "###TRANSFER###"


class Tau2Episode:
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
        self.task = task
        self.seed = seed
        self.stop: StopReason | None = None
        self.failure: Failure | None = None
        self._parsed, self._env, self._user = parsed, env, user
        self._calls: list[ToolCall] = []
        self._ids: set[str] = set()
        self._ledger: list[Change] = []
        self._errors = self._turns = self._bills = 0
        self._books, self._phone = self._dump_books(), self._dump_phone()
        self._messages = [Message(role="system", text=system_prompt(policy, task.view.mode))]
        if task.view.mode == "solo":
            self._messages.append(Message(role="user", text=task.view.ticket))
        else:
            self._messages.append(Message(role="assistant", text=GREETING))
            if user is not None:
                self._hear_user()

    @property
    def observation(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return tools.specs(self.task.view.mode, "agent")

    @property
    def user_tools(self) -> tuple[ToolSpec, ...]:
        return tools.specs(self.task.view.mode, "user")

    @property
    def ledger(self) -> tuple[Change, ...]:
        return tuple(self._ledger)

    @property
    def db(self) -> upstream.TelecomDB:
        return self._env.tools.db

    @property
    def phone(self) -> upstream.TelecomUserDB:
        return self._env.user_tools.db

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
        calls = tuple(self._with_own_id(call) for call in calls)
        done = any(call.name == tools.DONE for call in calls) and self.task.view.mode == "solo"
        return tuple((call, self._skip(call) if done else self.call(call)) for call in calls)

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

    def finish(self, stop: StopReason, failure: Failure | None = None) -> None:
        """End the episode from outside (deadline, dead endpoint, end of a recording)."""
        self.stop, self.failure = stop, failure

    def satisfied(self) -> bool:
        """Whether the task's assertions on the state hold right now."""
        return all(c.passed for c in score.assertion_checks(self._env, self._parsed))

    def outcome(self) -> Outcome:
        return score.outcome(self._env, self._parsed, self._calls, self.stop, self.failure)

    # -- the agent's turn

    def _run(self, message: Message) -> None:
        answered = self.call_all(message.tool_calls)
        made = tuple(call for call, _ in answered)
        self._messages.append(message.model_copy(update={"tool_calls": made}))
        self._answer(answered)
        if self.task.view.mode == "solo" and any(c.name == tools.DONE for c in made):
            self.stop = "agent_stop"

    def _say(self, message: Message) -> None:
        self._messages.append(message)
        if STOP_TOKEN in message.text:
            self.stop = "agent_stop"
        elif not message.text.strip() or self.task.view.mode == "solo":
            self.stop = "agent_error"
            what = "said nothing" if not message.text.strip() else "answered in text in solo mode"
            self.failure = Failure(owner="agent", cause="protocol", detail=f"The agent {what}.")
        else:
            self._hear_user()

    def _answer(self, answered: tuple[tuple[ToolCall, ToolResult], ...]) -> None:
        for call, result in answered:
            self._errors += result.error
            self._messages.append(
                Message(role="tool", text=result.content, tool_call_id=call.id, error=result.error)
            )
        if self._errors >= MAX_ERRORS:
            self.stop = "too_many_errors"

    # -- the user's turn

    def _hear_user(self) -> None:
        """Let the user call tools until he says something (or has called too many)."""
        if self._user is None:
            raise UsageError("nobody plays the user: open(task, user=…)")
        for _ in range(MAX_USER_CALLS):
            try:
                reply = self._user.reply(self.observation, self.user_tools)
            except Exception as error:
                self._blame_user("crash", f"{type(error).__name__}: {error}")
                return
            if reply.role != "user" or not (reply.tool_calls or reply.text.strip()):
                self._blame_user("protocol", "The user's reply was empty or not of role user.")
                return
            if not reply.tool_calls:
                self._messages.append(reply)
                if STOP_TOKEN in reply.text or TRANSFER_TOKEN in reply.text:
                    self.stop = "user_stop"
                return
            owned = tuple(c.model_copy(update={"owner": "user"}) for c in reply.tool_calls)
            answered = self.call_all(owned)
            made = tuple(call for call, _ in answered)
            self._messages.append(reply.model_copy(update={"tool_calls": made}))
            self._answer(answered)
            if self.stop is not None:
                return
        self._blame_user("endless", f"The user made {MAX_USER_CALLS} calls without a word.")

    def _blame_user(self, cause: str, detail: str) -> None:
        self.stop = "user_error"
        self.failure = Failure(owner="user", cause=cause, detail=detail[:500])

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
            return ToolResult(call_id=call.id, content=STOP_TOKEN)
        return ToolResult(
            call_id=call.id, content="Error: not made, because done() ends the case.", error=True
        )

    def _with_own_id(self, call: ToolCall) -> ToolCall:
        own, n = call.id, 1
        while own in self._ids:
            n += 1
            own = f"{call.id}~{n}"
        self._ids.add(own)
        return call if own == call.id else call.model_copy(update={"id": own})

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
