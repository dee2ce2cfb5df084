"""The turns of an episode, alike in every world where calls change a state and a user may talk.

    class MyEpisode(TurnEpisode):
        def call(self, call): ...            # one call on the state; changes go to self._ledger
        def _truth(self): ...                # the world's checks on the state as it is
        tools, user_tools                    # who may call what

Here: the order of messages, ids that no two calls share, when an episode stops, and whose failure
that was. Nothing raises because of what an agent or a user did:

| what | stop | failure.owner |
|---|---|---|
| a message without words or calls, text in solo mode | `agent_error` | agent |
| ten failed calls | `too_many_errors` | |
| the user's model endpoint failed | `failed` | endpoint |
| the user's code raised, said nothing, called without end, broke his role | `user_error` | user |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from telejudge_envs import tracing
from telejudge_envs.errors import EndpointError, PlayerError, UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolResult, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Change, Failure, FaultOwner, Outcome, StopReason
from telejudge_envs.protocol import User

MAX_ERRORS = 10
MAX_USER_CALLS = 30
MAX_DETAIL = 500

Answered = tuple[tuple[ToolCall, ToolResult], ...]
"""Calls as they were made, with their own ids, and what each returned."""


class TurnEpisode(ABC):
    """Single use. A user's mistakes that belong to the task are his attribute `faults`."""

    def __init__(self, task: Task, seed: int, user: User | None) -> None:
        self.task, self.seed = task, seed
        self.stop: StopReason | None = None
        self.failure: Failure | None = None
        self._user = user
        self._messages: list[Message] = []
        self._ledger: list[Change] = []
        self._ids: set[str] = set()
        self._errors = self._turns = 0

    @property
    def observation(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    @property
    def ledger(self) -> tuple[Change, ...]:
        return tuple(self._ledger)

    @property
    @abstractmethod
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools that the agent may call."""

    @property
    @abstractmethod
    def user_tools(self) -> tuple[ToolSpec, ...]:
        """The tools that the user may call; none in solo mode."""

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

    def call_all(self, calls: Sequence[ToolCall]) -> Answered:
        """The calls of one message with their results; ids are made unique in the episode."""
        return self._make(tuple(self._with_own_id(call) for call in calls))

    @abstractmethod
    def call(self, call: ToolCall) -> ToolResult:
        """One call, outside any message: the state changes and goes to the ledger."""

    def finish(self, stop: StopReason, failure: Failure | None = None) -> None:
        """End the episode from outside (deadline, dead endpoint, end of a recording)."""
        self.stop, self.failure = stop, failure

    def outcome(self) -> Outcome:
        """The truth as of now, with what others did to it."""
        faults = (self.failure,) if self.failure and self.failure.owner != "agent" else ()
        coped_with: tuple[Failure, ...] = getattr(self._user, "faults", ())
        return self._truth().model_copy(update={"faults": faults, "coped_with": coped_with})

    # -- what a world decides

    @abstractmethod
    def _truth(self) -> Outcome:
        """The world's checks and rewards on the state as it is; no faults."""

    def _make(self, calls: tuple[ToolCall, ...]) -> Answered:
        """The calls of one message, one after another."""
        return tuple((call, self._traced(call)) for call in calls)

    def _traced(self, call: ToolCall) -> ToolResult:
        with tracing.tool(call) as told:
            result = self.call(call)
            told(result)
        return result

    def _closed_by(self, answered: Answered) -> bool:
        """Whether the agent's calls ended the case."""
        return False

    def _counts(self, call: ToolCall) -> bool:
        """Whether a failure of this call is one of the ten that an episode may have."""
        return True

    def _leaves(self, message: Message) -> bool:
        """Whether agent or user ends the case by these words."""
        return False

    # -- the agent's turn

    def _run(self, message: Message) -> None:
        answered = self._answer(message)
        if self._closed_by(answered):
            self.stop = "agent_stop"

    def _say(self, message: Message) -> None:
        self._messages.append(message)
        if self._leaves(message):
            self.stop = "agent_stop"
        elif not message.text.strip() or self.task.view.mode == "solo":
            what = "said nothing" if not message.text.strip() else "answered in text in solo mode"
            self._blame("agent_error", "agent", "protocol", f"The agent {what}.")
        else:
            self._hear_user()

    def _answer(self, message: Message) -> Answered:
        """Make the calls of a message of either side, and write it down with its results."""
        answered = self.call_all(message.tool_calls)
        made = tuple(call for call, _ in answered)
        self._messages.append(message.model_copy(update={"tool_calls": made}))
        for call, result in answered:
            self._errors += result.error and self._counts(call)
            self._messages.append(
                Message(role="tool", text=result.content, tool_call_id=call.id, error=result.error)
            )
        if self._errors >= MAX_ERRORS:
            self.stop = "too_many_errors"
        return answered

    # -- the user's turn

    def _hear_user(self) -> None:
        """Let the user call tools until he says something (or has called too many)."""
        for _ in range(MAX_USER_CALLS):
            reply = self._ask_user()
            if reply is None:
                return
            if not reply.tool_calls:
                self._messages.append(reply)
                if self._leaves(reply):
                    self.stop = "user_stop"
                return
            owned = tuple(c.model_copy(update={"owner": "user"}) for c in reply.tool_calls)
            self._answer(reply.model_copy(update={"tool_calls": owned}))
            if self.stop is not None:
                return
        what = f"The user made {MAX_USER_CALLS} calls without a word."
        self._blame("user_error", "user", "endless", what)

    def _ask_user(self) -> Message | None:
        """The user's next message; None when he failed, which ends the episode."""
        if self._user is None:
            raise UsageError("nobody plays the user: open(task, user=…)")
        try:
            reply = self._user.reply(self.observation, self.user_tools)
        except EndpointError as error:
            self._blame("failed", "endpoint", error.cause, str(error))
        except PlayerError as error:
            self._blame("user_error", "user", error.cause, str(error))
        except Exception as error:
            self._blame("user_error", "user", "crash", f"{type(error).__name__}: {error}")
        else:
            if reply.role == "user" and (reply.tool_calls or reply.text.strip()):
                return reply
            what = "The user's reply was empty or not of role user."
            self._blame("user_error", "user", "protocol", what)
        return None

    def _blame(self, stop: StopReason, owner: FaultOwner, cause: str, detail: str) -> None:
        self.stop = stop
        self.failure = Failure(owner=owner, cause=cause, detail=detail[:MAX_DETAIL])

    # -- the calls

    def _with_own_id(self, call: ToolCall) -> ToolCall:
        own, n = call.id, 1
        while own in self._ids:
            n += 1
            own = f"{call.id}~{n}"
        self._ids.add(own)
        return call if own == call.id else call.model_copy(update={"id": own})
