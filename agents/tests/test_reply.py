"""Reading a model's own text: every way of writing a call, and never an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_agents.reply import parse_reply
from telejudge_envs.nouns.message import Message

CALL = '{"name": "look", "arguments": {"a": 1}}'

READS: list[tuple[str, list[tuple[str, dict[str, Any]]], str]] = [
    (f"<tool_call>\n{CALL}\n</tool_call>", [("look", {"a": 1})], ""),
    (f"Let me see.\n<tool_call>{CALL}</tool_call>", [("look", {"a": 1})], "Let me see."),
    (f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>", [("look", {"a": 1})] * 2, ""),
    (f"<tool_call>{CALL}", [("look", {"a": 1})], ""),
    (CALL, [("look", {"a": 1})], ""),
    (f"[{CALL}, {CALL}]", [("look", {"a": 1})] * 2, ""),
    (f"<|python_tag|>{CALL}", [("look", {"a": 1})], ""),
    (f"[TOOL_CALLS] [{CALL}]", [("look", {"a": 1})], ""),
    (f"```json\n{CALL}\n```", [("look", {"a": 1})], ""),
    ('{"name": "look", "parameters": {"a": 1}}', [("look", {"a": 1})], ""),
    ('{"name": "look", "arguments": "{\\"a\\": 1}"}', [("look", {"a": 1})], ""),
    ('{"name": "done"}', [("done", {})], ""),
    (
        '{"tool_calls": [{"id": "x", "type": "function", "function": ' + CALL + "}]}",
        [("look", {"a": 1})],
        "",
    ),
    ("Your phone is fine.", [], "Your phone is fine."),
    ('{"name": "Ann", "age": 3}', [], '{"name": "Ann", "age": 3}'),
    ("[1, 2]", [], "[1, 2]"),
    ("", [], ""),
]


@pytest.mark.parametrize(("text", "calls", "words"), READS)
def test_calls_and_words_are_read(
    text: str, calls: list[tuple[str, dict[str, Any]]], words: str
) -> None:
    message = parse_reply(text, first_call=3)
    assert [(c.name, c.arguments) for c in message.tool_calls] == calls
    assert [c.id for c in message.tool_calls] == [f"call_{3 + i}" for i in range(len(calls))]
    assert message.text == words
    assert all(c.raw is None for c in message.tool_calls)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<tool_call>{"name": "look", "arguments": {"a": </tool_call>', "look"),
        ('<tool_call>{"name": "look", "arguments": [1]}</tool_call>', "look"),
        ('<tool_call>{"name": "look", "arguments": {"a": NaN}}</tool_call>', "look"),
        ("<tool_call>look()</tool_call>", ""),
        ("<tool_call></tool_call>", ""),
        ('<tool_call>{"arguments": {}}</tool_call>', ""),
        ('{"name": "look", "arguments": "{half"}', "look"),
    ],
)
def test_a_malformed_call_keeps_its_text(text: str, name: str) -> None:
    (call,) = parse_reply(text, first_call=1).tool_calls
    assert call.name == name
    assert call.raw is not None
    assert call.raw in text
    assert call.arguments == {}


@pytest.mark.parametrize(
    ("text", "thinking", "words"),
    [
        ("<think>\nhm\n</think>\n\nYes.", "hm", "Yes."),
        ("hm</think>Yes.", "hm", "Yes."),  # the template opened the thinking
        ("<think>\n\n</think>Yes.", None, "Yes."),
        ("<think>endless", "endless", ""),
        ("Yes.", None, "Yes."),
    ],
)
def test_thinking_is_kept_apart(text: str, thinking: str | None, words: str) -> None:
    message = parse_reply(text, first_call=1)
    assert (message.reasoning, message.text) == (thinking, words)


PIECES = [
    "<tool_call>",
    "</tool_call>",
    CALL,
    "<think>",
    "</think>",
    "{",
    "}",
    "[",
    '"name":',
    "\\",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=9)))
def test_no_text_makes_it_raise(pieces: list[str]) -> None:
    message = parse_reply("".join(pieces), first_call=1)
    assert Message.model_validate_json(message.model_dump_json()) == message


def test_deeply_nested_arguments_are_read_as_text() -> None:
    deep = '{"name": "look", "arguments": ' + '{"a":' * 5000 + "1" + "}" * 5001
    assert parse_reply(f"<tool_call>{deep}</tool_call>", first_call=1).tool_calls[0].raw
    assert json.loads(CALL)["name"] == parse_reply(CALL, first_call=1).tool_calls[0].name
