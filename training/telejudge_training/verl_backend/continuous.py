"""A Voice over verl: Continuous Token frames the turns, verl's servers generate them.

verl's builders know for each model family what stands between two turns. One thing they leave to
us: a turn that was cut at its token limit has no end token, and one is written here, outside the
loss.

Replies are read by the model's own format: `rollout.multi_turn.format`. `hermes` (Qwen, SmolLM, our
tiny model) is read by our reader, which keeps malformed calls for the world to answer; the others
by verl's parser of that name, which drops them.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from verl.experimental.agent_loop.tool_parser import ToolParser
from verl.tools.schemas import OpenAIFunctionToolSchema

from telejudge_agents.reply import Written, message_of, split_thinking
from telejudge_agents.tokens import ChatCodec
from telejudge_envs.chat_format import to_openai, tools_to_openai
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message
from telejudge_training.speech import Messages, Said, Tape, Tools

if TYPE_CHECKING:
    from verl.experimental.agent_loop.agent_loop import AgentLoopBase

OURS = "hermes"


class ContinuousVoice:
    """One episode's conversation with one of verl's servers (always the same: prefix caches)."""

    def __init__(
        self, loop: AgentLoopBase, sampling: dict[str, Any], tool_format: str = OURS
    ) -> None:
        self._loop: Any = loop
        self._sampling = sampling
        self._tokenizer: Any = loop.tokenizer
        self._request_id = uuid4().hex
        self._parser: Any = None
        if tool_format != OURS:
            self._parser = ToolParser.get_tool_parser(tool_format, loop.tokenizer)
        self._codec = ChatCodec(self._tokenizer)
        self._cut = False
        self.extra_fields: dict[str, Any] = {}
        """What verl wants back of its own: versions of the weights that spoke."""

    @property
    def end_id(self) -> int:
        return int(self._tokenizer.eos_token_id)

    async def open(self, tape: Tape, said: Messages, tools: Tools) -> None:
        # not ct_build_initial_tokens, which would cut a long prompt's head off
        builder, chat = self._loop.continuous_token_builder, _chat_of(said)
        schemas = tools_to_openai(tools) or None
        tape.ids = await self._loop.loop.run_in_executor(
            None, lambda: builder.build_initial_tokens(chat, tools=schemas)
        )

    async def say(self, tape: Tape, most: int) -> Said:
        stops = getattr(self._parser, "stop_token_ids", None) or []
        sampling = {**self._sampling, "max_tokens": most}
        if stops:
            sampling["stop_token_ids"] = [*(sampling.get("stop_token_ids") or ()), *stops]
        try:
            out = await self._loop.server_manager.generate(
                request_id=self._request_id, prompt_ids=tape.ids, sampling_params=sampling
            )
        except Exception as error:
            raise EndpointError(
                f"verl's rollout server failed: {type(error).__name__}: {error}"[:500],
                cause="server_error",
            ) from error
        if not out.token_ids:
            raise EndpointError("verl's rollout server said nothing", cause="bad_response")
        self._remember(out.extra_fields)
        if out.log_probs is None:
            tape.logprobs = None
        merged, tape.mask, tape.logprobs = await self._loop.ct_merge_assistant_token(
            tape.ids,
            out.token_ids,
            tape.mask,
            tape.logprobs,
            assistant_logprobs=out.log_probs if tape.logprobs is not None else None,
        )
        tape.ids = list(merged.token_ids)
        self._cut = len(out.token_ids) >= most and out.token_ids[-1] != self.end_id
        return Said(list(out.token_ids), ended=not self._cut)

    async def hear(self, tape: Tape, before: Messages, new: Messages, tools: Tools) -> None:
        if self._cut:
            tape.ids = [*tape.ids, self.end_id]
            tape.mask = [*tape.mask, 0]
            tape.logprobs = None if tape.logprobs is None else [*tape.logprobs, 0.0]
        earlier, later = _chat_of(before), _chat_of(new)
        merged, tape.mask, tape.logprobs = await self._loop.ct_merge_context_msg(
            earlier,
            [*earlier, *later],
            tape.ids,
            tape.mask,
            tape.logprobs,
            tools=tools_to_openai(tools) or None,
        )
        tape.ids = list(merged.token_ids)

    async def read(self, ids: Sequence[int], tools: Tools, first_call: int) -> Message:
        if self._parser is None:
            return self._codec.read(ids, first_call=first_call)
        schemas = [_schema_of(tool) for tool in tools_to_openai(tools)]
        text, found = await self._parser.extract_tool_calls(list(ids), schemas)
        thinking, words = split_thinking(text or "")
        calls = [Written(call.name, call.arguments) for call in found]
        return message_of(calls, words, thinking, first_call=first_call)

    def _remember(self, fields: dict[str, Any]) -> None:
        for key, value in fields.items():
            if key == "max_global_steps" or key not in self.extra_fields:
                self.extra_fields[key] = value


def _chat_of(messages: Messages) -> list[dict[str, Any]]:
    """Messages as chat templates take them: no content is null, arguments are objects."""
    chat = to_openai(messages)
    for message in chat:
        message["content"] = message.get("content") or ""
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return chat


def _schema_of(tool: dict[str, Any]) -> OpenAIFunctionToolSchema:
    """The tool as verl's parsers take it: each parameter has a type, and nothing nested."""
    function = tool["function"]
    properties = function["parameters"].get("properties", {})
    flat = {name: _property(given) for name, given in properties.items()}
    parameters = {
        "type": "object",
        "properties": flat,
        "required": function["parameters"].get("required", []),
    }
    return OpenAIFunctionToolSchema.model_validate(
        {**tool, "function": {**function, "parameters": parameters}}
    )


def _property(given: dict[str, Any]) -> dict[str, Any]:
    types = [one["type"] for one in given.get("anyOf", ()) if "type" in one]
    kept = {key: given[key] for key in ("description", "enum") if key in given}
    return {"type": given.get("type") or types or "string", **kept}
