"""A customer played by a model, as tau2's own user simulator asks it, for dual mode.

    client = ChatClient(Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b"))
    episode = world.open(task, user=ModelUser(client, task, seed=0))

The system prompt is tau2's: its guidelines for users with tools, from its package, and the task's
scenario. What he lives is what tau2's `UserState.flip_roles` gives its model: the agent's words,
his own words and calls and their results, never the agent's calls. He ends the case by tau2's
tokens, ###STOP###, ###TRANSFER### or ###OUT-OF-SCOPE###.
"""

from __future__ import annotations

from collections.abc import Sequence

from telejudge_envs.client import ChatClient
from telejudge_envs.model_player import ModelPlayer
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.tau2_telecom import upstream
from telejudge_envs.tau2_telecom.tasks import parse


class ModelUser(ModelPlayer):
    """Plays the customer of one task by asking a model."""

    who = "customer"

    def __init__(self, client: ChatClient, task: Task, seed: int = 0) -> None:
        super().__init__(client, f"{task.id}|{seed}")
        self._scenario = str(parse(task.hidden["tau2"]).user_scenario)

    def knows(self) -> str:
        return self._scenario

    def lived(self, conversation: Sequence[Message]) -> list[Message]:
        lived = [Message(role="system", text=upstream.user_prompt(self._scenario))]
        own = {call.id for m in conversation if m.role == "user" for call in m.tool_calls}
        for message in conversation:
            if message.role == "assistant" and message.text and not message.tool_calls:
                lived.append(Message(role="user", text=message.text))
            elif message.role == "user":
                lived.append(message.model_copy(update={"role": "assistant"}))
            elif message.role == "tool" and message.tool_call_id in own:
                lived.append(message)
        return lived
