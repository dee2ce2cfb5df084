"""A conversation as one model's tokenizer writes it, appended to and never tokenised again.

    codec, log = ChatCodec(tokenizer), TokenLog()
    log.add_context(codec.opening(messages, tools))
    log.add_generated(ids, logprobs)                    # what the model said, as it said it
    log.add_context(codec.continuation(log.ids, turn, results, tools))
    log.trace()

Text that was generated in one way and tokenised again may come out as other tokens; training on
those would train on what the model never said. So only what stands between two of the model's
turns is ever tokenised: the end of its turn if it did not write that itself (it was cut at its
token limit), the new messages, and the head of its next turn.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telejudge_agents.reply import Written, message_of, parse_reply, split_thinking
from telejudge_agents.template import Template
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.trajectory import TokenTrace

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_log = logging.getLogger(__name__)


class TokenLog:
    """The tokens of one episode so far; three lists of equal length."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._mask: list[int] = []
        self._logprobs: list[float] = []

    def add_context(self, ids: Sequence[int]) -> None:
        """Tokens that the agent did not choose."""
        self.ids += ids
        self._mask += [0] * len(ids)
        self._logprobs += [0.0] * len(ids)

    def add_generated(self, ids: Sequence[int], logprobs: Sequence[float]) -> None:
        """Tokens that the agent chose, each with its log-probability."""
        if len(ids) != len(logprobs):
            raise ValueError(f"{len(ids)} tokens with {len(logprobs)} logprobs")
        self.ids += ids
        self._mask += [1] * len(ids)
        self._logprobs += logprobs

    def trace(self) -> TokenTrace:
        return TokenTrace(
            ids=tuple(self.ids), mask=tuple(self._mask), logprobs=tuple(self._logprobs)
        )


class ChatCodec:
    """Writes messages as token ids and reads replies, by the tokenizer's own chat template.

    `end_ids` end a turn beside the tokenizer's eos token; `options` go to the template
    (`enable_thinking=False`). Raises UsageError when there is no template, or one that cannot
    render the conversation.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        end_ids: Sequence[int] = (),
        options: dict[str, Any] | None = None,
    ) -> None:
        self._tokenizer: Any = tokenizer
        eos = getattr(tokenizer, "eos_token_id", None)
        ends = {*end_ids, eos} if isinstance(eos, int) else {*end_ids}
        self.end_ids: frozenset[int] = frozenset(ends)
        self._ends = [self._decode([i]) for i in sorted(self.end_ids)]
        self._template = Template(tokenizer, ends=self._ends, options=options)

    def opening(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[int]:
        """The conversation up to the model's first turn."""
        return self._encode(self._template.opening(messages, tools))

    def continuation(
        self,
        ids: Sequence[int],
        turn: Message,
        new: Sequence[Message],
        tools: Sequence[ToolSpec],
    ) -> list[int]:
        """What comes between the model's `turn`, the end of `ids`, and its next one."""
        text = self._template.after_turn(turn, new, tools)
        if ids and ids[-1] in self.end_ids:
            written = [end for end in self._ends if text.startswith(end)]
            text = text.removeprefix(max(written, key=len, default=""))
        return self._encode(text)

    def read(self, ids: Sequence[int], *, first_call: int) -> Message:
        """The message that the generated `ids` are; never raises."""
        message = self._read_by_schema(ids, first_call)
        if message is not None:
            return message
        ended = bool(ids) and ids[-1] in self.end_ids
        return parse_reply(self._decode(ids[:-1] if ended else ids), first_call=first_call)

    def _read_by_schema(self, ids: Sequence[int], first_call: int) -> Message | None:
        """By the tokenizer's response schema, if it has one and the reply fits it."""
        if getattr(self._tokenizer, "response_schema", None) is None:
            return None
        try:
            parsed = self._tokenizer.parse_response(self._decode(ids))
            calls = [
                Written(str(f["name"]), f.get("arguments"))
                for f in (c.get("function", c) for c in parsed.get("tool_calls") or ())
            ]
        except (ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
            _log.debug("the response schema does not fit, reading the text instead: %s", error)
            return None
        thinking = parsed.get("thinking") or parsed.get("reasoning_content")
        text = str(parsed.get("content") or "")
        if thinking is None:
            thinking, text = split_thinking(text)
        return message_of(calls, text, thinking, first_call=first_call)

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
