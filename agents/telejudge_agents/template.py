"""A tokenizer's chat template, asked two things: how a conversation opens, and how it goes on.

    template = Template(tokenizer, ends=["<|im_end|>"])
    template.opening(messages, tools)
    template.after_turn(turn, results, tools)   # "<|im_end|>\\n<|im_start|>user\\n<tool_response>…"

What follows the model's own turn is found by rendering a dummy conversation: a user's word, a turn
like the model's whose words are known, the new messages, the head of the next turn. What is
rendered after the known words, less the rest of the dummy's own call, is the answer. So templates
that rewrite earlier turns (dropping their thinking) do no harm, and nothing that the model said is
ever rendered again.

A template may ignore a message without a word. So before a way of rendering results is trusted it
must show marked ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from telejudge_envs.chat_format import to_openai, tools_to_openai
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_WORDS = "xqzwordsxqz"
"""What the dummy turn says; in a turn of calls, the argument of each."""

_MARK = "xqzresultxqz"
"""What marked messages say."""

_ASK = {"role": "user", "content": "x"}

Chat = list[dict[str, Any]]


class Template:
    """`ends` are the texts of the tokens that end a turn; `options` go to the template.

    Raises UsageError when the tokenizer has no template.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        ends: Sequence[str],
        options: dict[str, Any] | None = None,
    ) -> None:
        self._name = tokenizer.name_or_path or "this model"
        if not getattr(tokenizer, "chat_template", None):
            raise UsageError(
                f"the tokenizer of {self._name} has no chat template; set "
                "`tokenizer.chat_template`, or take an instruction-tuned model"
            )
        self._tokenizer: Any = tokenizer
        self._ends, self._options = tuple(ends), options or {}
        self._ways: dict[tuple[str, ...], int] = {}
        """Which dummy turn works before messages of these roles."""

    def opening(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        """The conversation up to the head of the model's first turn."""
        return self._render(_chat(messages), tools_to_openai(tools), prompt=True)

    def after_turn(self, turn: Message, new: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        """What follows the model's `turn`, beginning with the token that ends it.

        Raises UsageError when the template cannot render the new messages.
        """
        chat, schemas = _chat(new), tools_to_openai(tools)
        roles = (str(len(turn.tool_calls)), *(message["role"] for message in chat))
        dummies = list(_dummies(turn))
        if roles not in self._ways:
            self._ways[roles] = self._find_way(dummies, chat, schemas)
        return self._after_dummy(dummies[self._ways[roles]], chat, schemas)

    def _find_way(self, dummies: Chat, chat: Chat, tools: Chat) -> int:
        """The first dummy turn after which every one of the messages is shown."""
        marked = [{**message, "content": f"{_MARK}{i}."} for i, message in enumerate(chat)]
        troubles = []
        for way, dummy in enumerate(dummies):
            try:
                text = self._after_dummy(dummy, marked, tools)
            except _Unfit as error:
                troubles.append(str(error))
                continue
            if all(message["content"] in text for message in marked):
                return way
            troubles.append("it leaves out a message")
        raise UsageError(
            f"the chat template of {self._name} cannot render messages of roles "
            f"{', '.join(m['role'] for m in chat)} after the agent's turn: {troubles[-1]}"
        )

    def _after_dummy(self, dummy: dict[str, Any], chat: Chat, tools: Chat) -> str:
        words = max(1, len(dummy.get("tool_calls", ())))
        alone = self._tail([_ASK, dummy], tools, words, prompt=False)
        places = [alone.find(end) for end in self._ends if end in alone]
        if "tool_calls" in dummy and not places:
            raise _Unfit("a turn of calls has no end")
        rest = alone[: min(places, default=0)]
        followed = self._tail([_ASK, dummy, *chat], tools, words, prompt=True)
        if not followed.startswith(rest):
            raise _Unfit("it writes a turn otherwise once something follows")
        return followed[len(rest) :]

    def _tail(self, chat: Chat, tools: Chat, words: int, *, prompt: bool) -> str:
        try:
            parts = self._render(chat, tools, prompt=prompt).split(_WORDS, words)
        except UsageError as error:
            raise _Unfit(str(error)) from error
        if len(parts) <= words:
            raise _Unfit("it leaves out what the assistant said")
        return parts[words]

    def _render(self, chat: Chat, tools: Chat, *, prompt: bool) -> str:
        try:
            return self._tokenizer.apply_chat_template(
                chat,
                tools=tools or None,
                add_generation_prompt=prompt,
                tokenize=False,
                **self._options,
            )
        except Exception as error:  # whatever its author raises, or jinja
            raise UsageError(
                f"the chat template of {self._name} refuses roles "
                f"{', '.join(m['role'] for m in chat[:8])}: {error}"
            ) from error


class _Unfit(Exception):
    """The template does not do what this way of using it needs."""


def _dummies(turn: Message) -> Iterator[dict[str, Any]]:
    """Turns with known words that can stand for `turn`, the likest first.

    Some templates want arguments as text; some know no turns of several calls, or of calls at all.
    """
    if turn.tool_calls:
        for arguments in ({"a": _WORDS}, json.dumps({"a": _WORDS})):
            calls = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": arguments},
                }
                for call in turn.tool_calls
            ]
            yield {"role": "assistant", "content": "", "tool_calls": calls}
    yield {"role": "assistant", "content": _WORDS}


def _chat(messages: Sequence[Message]) -> Chat:
    """Messages as templates take them: arguments are objects, no content is null."""
    chat = to_openai(messages)
    for message in chat:
        message["content"] = message.get("content") or ""
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return chat
