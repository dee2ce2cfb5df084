"""Demonstrations in, a Hugging Face tokenizer with its own chat template out.

The template is compact: roles are single tokens, the system message is left out (a model this
small learns the rules from demonstrations and rewards, not from 40,000 characters of policy),
every turn of the agent ends with `<|im_end|>`, a tool call is

    <tool_call>{"name": "toggle_data", "arguments": {}}</tool_call>

Phrases that recur (see `phrases.py`) are single tokens; everything else falls back to byte-level
BPE, so any text can be read and written. The result is an ordinary `PreTrainedTokenizerFast`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.slots import SETTING
from telejudge_training.tiny.phrases import find_phrases

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

PAD, END, USER, ASSISTANT, TOOL = "<|pad|>", "<|im_end|>", "<|user|>", "<|assistant|>", "<|tool|>"
SPECIAL = (PAD, END, USER, ASSISTANT, TOOL)

CHAT_TEMPLATE = """\
{%- for m in messages -%}
{%- if m.role == 'user' -%}{{- '<|user|>' + m.content -}}
{%- elif m.role == 'tool' -%}{{- '<|tool|>' + m.content -}}
{%- elif m.role == 'assistant' -%}
{{- '<|assistant|>' -}}
{%- generation -%}
{{- m.content or '' -}}
{%- for call in m.tool_calls or [] -%}
{%- set f = call.function if call.function else call -%}
{%- set args = f.arguments if f.arguments is string else f.arguments | tojson -%}
{{- '<tool_call>{"name": "' + f.name + '", "arguments": ' + args + '}</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>' -}}
{%- endgeneration -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"""

RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": ASSISTANT,
    "fields": {
        "tool_calls": {
            "open": "<tool_call>",
            "close_pattern": r"</tool_call>\s*",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"<\|im_end\|>\s*", "content": "text"},
    },
}
"""How transformers and TRL read a reply of this template back into a message."""

CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


def render_call(call: ToolCall) -> str:
    """The text of one call, as the template writes it."""
    arguments = json.dumps(call.arguments, ensure_ascii=False) if call.raw is None else call.raw
    return f'<tool_call>{{"name": "{call.name}", "arguments": {arguments}}}</tool_call>'


def render_reply(message: Message) -> str:
    """The text of an assistant message without role and end tokens."""
    return message.text + "".join(render_call(call) for call in message.tool_calls)


def parse_reply(text: str, call_id: str) -> Message:
    """Read a reply of this template; what is not a well-formed call stays text.

    Call ids are `call_id` with `.1`, `.2` … appended from the second call on.
    """
    calls: list[ToolCall] = []
    for found in CALL.finditer(text):
        ident = call_id if not calls else f"{call_id}.{len(calls)}"
        calls.append(_read_call(found.group(1), ident))
    return Message(role="assistant", text=CALL.sub("", text).strip(), tool_calls=tuple(calls))


def _read_call(body: str, ident: str) -> ToolCall:
    try:
        read = json.loads(body)
    except ValueError:
        return ToolCall(id=ident, name="", raw=body)
    if not isinstance(read, dict):
        return ToolCall(id=ident, name="", raw=body)
    name, arguments = str(read.get("name", "")), read.get("arguments", {})
    if not isinstance(arguments, dict):
        return ToolCall(id=ident, name=name, raw=json.dumps(arguments))
    return ToolCall(id=ident, name=name, arguments=arguments)


def texts_of(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """(role token, text) for each message that the template shows; the system message is not."""
    shown: list[tuple[str, str]] = []
    for message in messages:
        if message.role == "user":
            shown.append((USER, message.text))
        elif message.role == "tool":
            shown.append((TOOL, message.text))
        elif message.role == "assistant":
            shown.append((ASSISTANT, render_reply(message)))
    return shown


def train_tokenizer(
    conversations: Sequence[Sequence[Message]],
    *,
    bpe_tokens: int = 400,
    max_phrases: int = 900,
    min_count: int = 6,
    long_call: int | None = None,
    cuts: Sequence[tuple[str, str]] = (),
    slots: Sequence[tuple[str, str, int]] = (),
) -> PreTrainedTokenizerFast:
    """Train on whole conversations. At most `bpe_tokens` + `max_phrases` tokens come out.

    `long_call`, `cuts` and `slots` are those of TokenizerSettings; the conversations must have
    their names in slots already. Raises `MissingExtraError` without transformers, `ValueError`
    without conversations.
    """
    if not conversations:
        raise ValueError("a tokenizer needs at least one conversation to be trained on")
    try:
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtraError("transformers", "train") from error
    texts = [text for conversation in conversations for _, text in texts_of(conversation)]
    bpe = train_on_texts(
        texts,
        bpe_tokens=bpe_tokens,
        max_phrases=max_phrases,
        min_count=min_count,
        long_call=long_call,
        cuts=cuts,
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[USER, ASSISTANT, TOOL],
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
        **({SETTING: [list(kind) for kind in slots]} if slots else {}),
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.response_template = RESPONSE_TEMPLATE  # type: ignore[attr-defined]
    return tokenizer


def train_on_texts(
    texts: Sequence[str],
    *,
    bpe_tokens: int = 400,
    max_phrases: int = 900,
    min_count: int = 6,
    long_call: int | None = None,
    cuts: Sequence[tuple[str, str]] = (),
) -> Tokenizer:
    """The tokenizer itself, without a template: phrases and byte-level BPE.

    Raises `MissingExtraError` without tokenizers.
    """
    try:
        from tokenizers import (
            Regex,
            Tokenizer,
            decoders,
            models,
            normalizers,
            pre_tokenizers,
            trainers,
        )
    except ImportError as error:
        raise MissingExtraError("tokenizers", "train") from error
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if cuts:
        replaced = [normalizers.Replace(Regex(pattern), text) for pattern, text in cuts]
        normalizer = normalizers.Sequence(replaced)
        bpe.normalizer = normalizer
        texts = _each_once(texts, normalizer.normalize_str)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=bpe_tokens,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(sorted(set(texts)), trainer)
    bpe.add_tokens(
        find_phrases(texts, min_count=min_count, max_phrases=max_phrases, long_call=long_call)
    )
    return bpe


def _each_once(texts: Sequence[str], change: Callable[[str], str]) -> list[str]:
    """Apply `change`, to equal texts only once."""
    known: dict[str, str] = {}
    for text in texts:
        if text not in known:
            known[text] = change(text)
    return [known[text] for text in texts]
