"""Conversions between our messages and OpenAI's; waits between attempts."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.chat_format import from_openai, parse_arguments, to_openai
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.retry import LONGEST_WAIT_S, Trouble, retry_after, wait_before

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text(), st.text())
def test_calls_survive_the_round_trip(arguments: dict, name: str, text: str) -> None:
    call = ToolCall(id="c1", name=name, arguments=arguments)
    said = Message(role="assistant", text=text, tool_calls=(call,))
    back = from_openai(to_openai([said])[0])
    assert back.tool_calls == said.tool_calls
    if "<think>" not in text:
        assert back.text == text


@given(st.text() | json_values)
def test_any_arguments_are_understood_or_kept_raw(given_arguments: object) -> None:
    arguments, raw = parse_arguments(given_arguments)
    assert isinstance(arguments, dict)
    if raw is not None:
        assert arguments == {}
        assert isinstance(raw, str)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}',
        "[" * 100_000,
        "x" * 1_000_000,
        "true",
        "{'a': 1}",
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
    ],
)
def test_hostile_arguments_are_kept_raw(text: str) -> None:
    assert parse_arguments(text) == ({}, text)


@given(json_values)
def test_malformed_calls_go_back_as_valid_json(value: object) -> None:
    call = ToolCall(id="c", name="f", raw=str(value))
    sent = to_openai([Message(role="assistant", tool_calls=(call,))])[0]
    arguments = json.loads(sent["tool_calls"][0]["function"]["arguments"])
    assert arguments == {"malformed_arguments": str(value)}


def test_the_users_own_calls_are_not_the_agents_to_see() -> None:
    look = ToolCall(id="u1", name="check_status_bar", owner="user")
    mine = ToolCall(id="a1", name="get_customer_by_id")
    conversation = [
        Message(role="system", text="policy"),
        Message(role="user", text="help"),
        Message(role="assistant", tool_calls=(mine,), reasoning="secret"),
        Message(role="tool", text="{}", tool_call_id="a1"),
        Message(role="assistant", text="look at the bar"),
        Message(role="user", tool_calls=(look,)),
        Message(role="tool", text="No signal", tool_call_id="u1"),
        Message(role="user", text="It says no signal"),
    ]
    sent = to_openai(conversation)
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert "No signal" not in json.dumps(sent)
    assert "secret" not in json.dumps(sent)
    assert to_openai(conversation, reasoning=True)[2]["reasoning_content"] == "secret"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"content": 5},
        {"tool_calls": [{}]},
        {"content": None},
        {"content": "lone \ud800", "reasoning": "\udfff"},
        {"tool_calls": [{"id": "\ud800", "function": {"name": "\ud800", "arguments": "\ud800"}}]},
    ],
)
def test_odd_answers_become_storable_messages(message: dict) -> None:
    said = from_openai(message)
    assert Message.model_validate_json(said.model_dump_json()) == said


def test_retry_after_forms() -> None:
    now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert retry_after({}) is None
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, now) == 30
    assert retry_after({"retry-after": "Thu, 01 Jan 2026 11:00:30 GMT"}, now) == 0
    for nonsense in ("soon", "nan", "inf", ""):
        assert retry_after({"retry-after": nonsense}) is None


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_waits_are_bounded_and_repeatable(attempt: int, seed: int) -> None:
    trouble = Trouble("server_error", "x", again=True)
    wait = wait_before(attempt, trouble, random.Random(seed))
    assert 0.25 <= wait <= LONGEST_WAIT_S
    assert wait == wait_before(attempt, trouble, random.Random(seed))
