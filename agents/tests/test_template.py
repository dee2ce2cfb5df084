"""Chat templates of several families: a conversation is continued as it would be rendered."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from telejudge_agents.template import _chat
from telejudge_agents.tokens import ChatCodec, TokenLog
from telejudge_envs.chat_format import tools_to_openai
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec

HERMES = """{%- if tools %}<|im_start|>system
{{ messages[0].content if messages[0].role == 'system' }}
{%- for t in tools %}{{ t | tojson }}{% endfor %}<|im_end|>
{% endif -%}
{%- for m in messages if m.role != 'system' -%}
{%- if m.role == 'tool' -%}
{%- if loop.previtem is not defined or loop.previtem.role != 'tool' -%}<|im_start|>user{%- endif %}
<tool_response>
{{ m.content }}
</tool_response>
{%- if loop.last or loop.nextitem.role != 'tool' %}<|im_end|>
{% endif -%}
{%- else -%}<|im_start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""
"""Results share one user turn, as in Qwen 2.5."""

THINKING = HERMES.replace(
    "{{ m.content }}{% for c",
    "{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('</think>')[-1] }}"
    "{% elif m.role == 'assistant' %}<think>\n\n</think>\n\n{{ m.content }}"
    "{% else %}{{ m.content }}{% endif %}{% for c",
)
"""Drops the thinking of earlier turns and puts an empty one into the last, as Qwen 3 does."""

ONE_CALL = """{%- for m in messages -%}
{%- if m.tool_calls and m.tool_calls | length > 1 -%}
{{ raise_exception('one call at once') }}
{%- endif -%}
<|head|>{{ 'ipython' if m.role == 'tool' else m.role }}<|/head|>
{%- if m.tool_calls -%}{%- set f = m.tool_calls[0].function -%}
{"name": "{{ f.name }}", "parameters": {{ f.arguments | tojson }}}
{%- else -%}{{ m.content | trim }}{%- endif -%}<|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|head|>assistant<|/head|>{%- endif -%}"""
"""Refuses turns of several calls, as Llama 3.1 does."""

TEXT_ARGUMENTS = """{%- for m in messages -%}
<|{{ m.role }}|>{{ m.content }}
{%- for c in m.tool_calls or [] %}[{{ c.function.name + c.function.arguments }}]{% endfor %}
{%- if m.role == 'assistant' -%}<|im_end|>{%- endif -%}
{%- endfor -%}{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"""
"""Wants arguments as text, as DeepSeek V3 does; nothing ends a user's turn."""

DEAF = """{%- for m in messages if m.role != 'tool' -%}
<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor -%}{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""
"""Leaves out results without a word, as templates of models without tools do."""

END = "<|im_end|>"
LOOK = ToolSpec(name="look", description="Looks.", parameters={"type": "object", "properties": {}})
SYSTEM = Message(role="system", text="Be good.")


def tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    """Bytes, and one token that ends a turn."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        ["x"],
        trainers.BpeTrainer(
            vocab_size=258,
            special_tokens=[END, "<pad>"],
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END, pad_token="<pad>")
    made.chat_template = template
    return made


def user(text: str) -> Message:
    return Message(role="user", text=text)


def calls(*ids: str) -> Message:
    made = tuple(ToolCall(id=i, name="look", arguments={"a": 'b "c"'}) for i in ids)
    return Message(role="assistant", tool_calls=made)


def result(call_id: str, text: str) -> Message:
    return Message(role="tool", text=text, tool_call_id=call_id)


def words(text: str) -> Message:
    return Message(role="assistant", text=text)


Turns = list[tuple[Message, list[Message]]]

CONVERSATIONS: dict[str, Turns] = {
    "calls": [(calls("a"), [result("a", "fine")]), (calls("b"), [result("b", '{"x": "xqz"}')])],
    "two calls": [(calls("a", "b"), [result("a", "fine"), result("b", "bad")])],
    "words": [(words("What is it?"), [user("My phone.")]), (calls("a"), [result("a", "ok")])],
}


class Spoken:
    """Plays a model that says exactly what the template would write for each turn."""

    def __init__(self, template: str) -> None:
        self.tokenizer: Any = tokenizer(template)
        self.codec = ChatCodec(self.tokenizer)

    def render(self, messages: list[Message], *, prompt: bool) -> str:
        return self.tokenizer.apply_chat_template(
            _chat(messages),
            tools=tools_to_openai([LOOK]),
            add_generation_prompt=prompt,
            tokenize=False,
        )

    def says(self, before: list[Message], turn: Message) -> list[int]:
        head = self.render(before, prompt=True)
        whole = self.render([*before, turn], prompt=False)
        assert whole.startswith(head)
        text = whole[len(head) :]
        return self.encode(text[: text.index(END) + len(END)])

    def encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def play(self, turns: Turns, *, cut: int = 0) -> tuple[str, str]:
        """(what the log's tokens spell, what the template renders for the whole conversation);
        the last `cut` tokens of each turn are not generated."""
        told, log = [SYSTEM, user("Help!")], TokenLog()
        log.add_context(self.codec.opening(told, [LOOK]))
        for turn, new in turns:
            ids = self.says(told, turn)
            ids = ids[: len(ids) - cut]
            log.add_generated(ids, [-1.0] * len(ids))
            log.add_context(self.codec.continuation(log.ids, turn, new, [LOOK]))
            told += [turn, *new]
        spelled = self.tokenizer.decode(log.ids, clean_up_tokenization_spaces=False)
        return spelled, self.render(told, prompt=True)


@pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS.keys())
@pytest.mark.parametrize("cut", [0, 1])
def test_a_conversation_is_continued_as_it_is_rendered(turns: Turns, cut: int) -> None:
    """A turn cut just before its end token gets that end as context."""
    spelled, rendered = Spoken(HERMES).play(turns, cut=cut)
    assert spelled == rendered


def test_earlier_thinking_stays_in_the_tokens() -> None:
    spelled, rendered = Spoken(THINKING).play(CONVERSATIONS["words"])
    empty = "<think>\n\n</think>\n\n"
    assert spelled.count(empty) == 2
    assert rendered.count(empty) == 0
    assert spelled.replace(empty, "") == rendered


def test_a_template_for_one_call_still_takes_the_results_of_two() -> None:
    spoken = Spoken(ONE_CALL)
    spelled, rendered = spoken.play(CONVERSATIONS["calls"])
    assert spelled == rendered
    ids = spoken.encode("whatever" + END)
    turn, new = CONVERSATIONS["two calls"][0]
    text = spoken.tokenizer.decode(spoken.codec.continuation(ids, turn, new, [LOOK]))
    head = "<|head|>assistant<|/head|>"
    assert text == f"<|head|>ipython<|/head|>fine{END}<|head|>ipython<|/head|>bad{END}{head}"


def test_a_template_that_wants_arguments_as_text() -> None:
    codec = ChatCodec(tokenizer(TEXT_ARGUMENTS))
    turn, new = CONVERSATIONS["calls"][0]
    ids = codec.continuation(codec._encode("…" + END), turn, new, [LOOK])
    assert codec._decode(ids) == "<|tool|>fine<|assistant|>"


def test_a_template_that_would_swallow_results_is_refused() -> None:
    codec = ChatCodec(tokenizer(DEAF))
    turn, new = CONVERSATIONS["calls"][0]
    with pytest.raises(UsageError, match="cannot render messages of roles tool"):
        codec.continuation([], turn, new, [LOOK])
    assert codec.continuation([], words("hm"), [user("so?")], [LOOK])


def test_missing_and_broken_templates_say_so() -> None:
    with pytest.raises(UsageError, match="no chat template"):
        ChatCodec(tokenizer(None))
    broken = ChatCodec(tokenizer("{{ raise_exception('system role not supported') }}"))
    with pytest.raises(UsageError, match=r"refuses roles system.*system role not supported"):
        broken.opening([SYSTEM], [])


SCHEMA = {
    "type": "object",
    "properties": {
        "role": {"const": "assistant"},
        "thinking": {"type": "string", "x-regex": r"<hm>(.*?)</hm>"},
        "content": {"type": "string", "x-regex": r"(?:</hm>)?([^<>]*?)(?:<call|<\|im_end)"},
        "tool_calls": {
            "type": "array",
            "x-regex-iterator": r"<call (.*?)/>",
            "items": {"type": "object", "x-parser": "json", "properties": {}},
        },
    },
}


def test_a_response_schema_is_used_and_a_misfit_read_as_text() -> None:
    made = tokenizer(HERMES)
    made.response_schema = SCHEMA
    codec = ChatCodec(made)
    text = f'<hm>so</hm>Wait.<call {{"name": "look", "arguments": {{"a": 1}}}}/>{END}'
    message = codec.read(codec._encode(text), first_call=4)
    assert (message.reasoning, message.text) == ("so", "Wait.")
    assert [(c.id, c.name, c.arguments) for c in message.tool_calls] == [
        ("call_4", "look", {"a": 1})
    ]
    misfit = codec.read(codec._encode("<call {broken/>" + END), first_call=1)
    assert (misfit.text, misfit.tool_calls) == ("<call {broken/>", ())
