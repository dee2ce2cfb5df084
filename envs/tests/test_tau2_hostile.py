"""The tau2-Telecom world against malformed and hostile calls."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_envs.testing import check_world

WORLD = Tau2Telecom()
MALFORMED = [
    ToolCall(id="1", name="no_such_tool"),
    ToolCall(id="2", name="refuel_data"),
    ToolCall(id="3", name="refuel_data", raw='{"customer_id": '),
    ToolCall(id="4", name="reboot_device", arguments={"now": True}),
    ToolCall(id="5", name="get_customer_by_id", arguments={"customer_id": 5}),
    ToolCall(id="6", name="get_details_by_id", arguments={"id": "L" * 1_000_000}),
    ToolCall(id="7", name="set_network_mode_preference", arguments={"mode": 5}),
    ToolCall(id="8", name="set_apn_settings", arguments={"apn_settings": "internet"}),
    ToolCall(id="9", name="set_apn_settings", arguments={"apn_settings": {"apn_name": "mine"}}),
    ToolCall(
        id="10", name="refuel_data",
        arguments={"customer_id": "C1001", "line_id": "L1002", "gb_amount": math.nan},
    ),
    ToolCall(id="11", name="set_data_usage", arguments={}),
    ToolCall(id="12", name="__init__", arguments={}),
]  # fmt: skip


def test_the_world_passes_the_contract():
    check_world(WORLD, "test", junk=MALFORMED)


def test_error_results_are_short_even_for_a_megabyte():
    episode = WORLD.open(WORLD.tasks("test")[0])
    for call in MALFORMED:
        assert len(episode.call(call).content) < 17_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
NAMES = [t.name for t in WORLD.open(WORLD.tasks("test")[0]).tools]
FIELDS = ["customer_id", "line_id", "gb_amount", "id", "mode", "apn_settings", "app_name", "limit"]


MEGABYTE = "(a megabyte)"
"""Drawn in place of one: hypothesis keeps the text of all that it draws, which were gigabytes."""


def in_full(call: ToolCall) -> ToolCall:
    whole = {k: "x" * 1_000_000 if v == MEGABYTE else v for k, v in call.arguments.items()}
    return call.model_copy(update={"arguments": whole})


@st.composite
def hostile_calls(draw) -> ToolCall:
    name = draw(st.sampled_from(NAMES) | st.text(max_size=30))
    values: Any = JSON | st.sampled_from(["C1001", "L1002", MEGABYTE])
    arguments = draw(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), values))
    raw = draw(st.none() | st.text(max_size=50))
    return ToolCall(id=draw(st.text(max_size=5)), name=name, arguments=arguments, raw=raw)


@pytest.mark.slow
@settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(hostile_calls(), min_size=10, max_size=10), st.sampled_from([0, 700, 2000]))
def test_ten_thousand_hostile_calls_never_raise_and_failed_ones_change_nothing(calls, which):
    episode = WORLD.open(WORLD.tasks("full")[which])
    for call in map(in_full, calls):
        before = (episode.db.model_dump(), episode.phone.model_dump(), len(episode.ledger))
        result = episode.call(call)
        after = (episode.db.model_dump(), episode.phone.model_dump(), len(episode.ledger))
        assert len(result.content) < 17_000
        if result.error:
            assert before == after
        else:
            assert (before[:2] == after[:2]) == (before[2] == after[2])
