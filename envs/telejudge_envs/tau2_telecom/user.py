"""A scripted customer for dual-control episodes: no model, same words for the same conversation.

In: the conversation. Out: his next message. He states his problem, tells who he is when asked,
runs the tools on his phone that the agent's text names, reports what they say, and ends with
###STOP### when his own reading shows the problem solved (###TRANSFER### when he is handed over).
He never mends anything by himself.

    world.open(task, user=ScriptedUser(task))

How an agent tells him to run tools, in order: `toggle_data()`,
`grant_app_permission(app_name="messaging", permission="sms")`, or the name followed by a JSON
object. A tool named without brackets counts as a request only if nothing in the text has them.
He does not understand negation ("do not run …").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from telejudge_envs.instructions import Request, requests
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task

STOP = "###STOP###"
TRANSFER = "###TRANSFER###"
OUT_OF_SCOPE = "###OUT-OF-SCOPE###"
IT_SAYS = "It says:\n"
FAILED = "but it failed. "
"""Parts of his reports, by which a scripted agent tells a tool's output from his own words."""

_GOALS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("MMS", "can_send_mms", re.compile(r"\bcan send\b")),
    ("mobile data", "run_speed_test", re.compile(r"\(Excellent\)")),
    ("", "check_status_bar", re.compile(r"📶")),
)
"""Words of his problem, the tool by which he sees it solved, and what it then says."""

_ASKED_WHO = re.compile(r"\b(name|phone number|who are|where|location|abroad|travel)", re.I)
_HANDED_OVER = re.compile(r"being transferred|transferring you|transferred you", re.I)
_FIRST_PERSON = (
    (r"\byou are\b", "I am"),
    (r"\bYou (?=mobile)", "My "),  # sic, in tau2's text
    (r"(?<=asks )you\b", "me"),
    (r"\byour\b", "my"),
    (r"\byou\b", "I"),
)


class ScriptedUser:
    """Plays the customer of one task, by the user scenario in its hidden part."""

    def __init__(self, task: Task) -> None:
        scenario = task.hidden["tau2"]["user_scenario"]["instructions"]
        self._reason = as_i(scenario["reason_for_call"])
        self._known = as_i(scenario.get("known_info") or "That is all I know.")
        self._wishes = _sentences(as_i(scenario.get("task_instructions") or ""))
        self._goal_tool, self._solved = next(
            (tool, sign) for words, tool, sign in _GOALS if words in scenario["reason_for_call"]
        )

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """His next message: words, or calls of his own tools."""
        if not any(m.role == "user" for m in conversation):
            return _say(self._reason)
        heard, since = _last_words(conversation)
        if since:
            return _say(self._report(since))
        if _HANDED_OVER.search(heard):
            return _say(f"Thank you. {TRANSFER}")
        asked = requests(heard, tools)
        if asked.calls:
            return _run(asked.calls, conversation)
        if asked.complaint:
            return _say(f"Sorry, I did not understand: {asked.complaint}")
        answer = self._answer(heard)
        if answer:
            return _say(answer)
        return _run([Request(self._goal_tool, {})], conversation)

    def _answer(self, question: str) -> str:
        words = question.lower()
        told = [self._known] if _ASKED_WHO.search(question) else []
        for topic in ("refuel", "pay a bill", "change"):
            if topic.split()[0] in words:
                told += [s for s in self._wishes if topic in s.lower() and s not in told]
        return " ".join(told)

    def _report(self, since: Sequence[Message]) -> str:
        calls = {call.id: call for m in since for call in m.tool_calls}
        told: list[str] = []
        solved = False
        for result in since:
            call = calls.get(result.tool_call_id or "")
            if call is None:
                continue
            opening = f"I tried {call.name}, {FAILED}" if result.error else f"I ran {call.name}. "
            told.append(f"{opening}{IT_SAYS}{result.text}")
            if call.name == self._goal_tool:
                solved = not result.error and bool(self._solved.search(result.text))
        if solved:
            told.append(f"That is what I wanted, thank you. {STOP}")
        return "\n\n".join(told)


def as_i(text: str) -> str:
    """tau2's scenario ("You are John Smith") in the customer's own words ("I am John Smith")."""
    for pattern, word in _FIRST_PERSON:
        text = re.sub(pattern, word, text, flags=re.I)
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)


def _sentences(text: str) -> list[str]:
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+", text) if s.strip()]


def _last_words(conversation: Sequence[Message]) -> tuple[str, list[Message]]:
    """The agent's last text, and the user's own calls and their results since then."""
    for i in range(len(conversation) - 1, -1, -1):
        message = conversation[i]
        if message.role == "assistant" and not message.tool_calls:
            return message.text, [m for m in conversation[i + 1 :] if m.role in ("user", "tool")]
    return "", []


def _say(text: str) -> Message:
    return Message(role="user", text=text)


def _run(asked: Sequence[Request], conversation: Sequence[Message]) -> Message:
    so_far = sum(len(m.tool_calls) for m in conversation if m.role == "user")
    calls = (
        ToolCall(id=f"user_{n}", name=request.tool, arguments=request.arguments, owner="user")
        for n, request in enumerate(asked, start=so_far + 1)
    )
    return Message(role="user", tool_calls=tuple(calls))
