"""A field technician played by a model behind any OpenAI-compatible endpoint, for dual mode.

    client = ChatClient(Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b"))
    episode = world.open(task, user=ModelTechnician(client, task, seed=0))

In: the conversation as the technician lives it: his dispatch, the agent's words, his own calls and
what they returned; the agent's calls and the policy stay hidden from him. Out: the model's words,
or a call of one of his tools. Whose fault his mistakes are says model_player.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from telejudge_envs.base_station.technician import ScriptedTechnician
from telejudge_envs.client import ChatClient
from telejudge_envs.model_player import ModelPlayer
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task

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


class ModelTechnician(ModelPlayer):
    """Plays the technician of one task by asking a model. `meter` holds what that cost."""

    who = "technician"

    def __init__(self, client: ChatClient, task: Task, seed: int = 0) -> None:
        super().__init__(client, f"{task.id}|{seed}")
        scripted = ScriptedTechnician(task, seed)
        self._persona = PERSONAS[scripted.persona].format(theory=scripted.theory)

    def knows(self) -> str:
        return self._persona

    def lived(self, conversation: Sequence[Message]) -> list[Message]:
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
