"""Dual control: the scripted customer, what he understands, and whole episodes with him."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_agents.scripted.base import PLEASE_RUN, Call, ScriptedAgent
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.instructions import Request, requests
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.tau2_telecom.episode import Tau2Episode
from telejudge_envs.tau2_telecom.user import ScriptedUser, as_i
from telejudge_envs.tau2_telecom.world import Tau2Telecom


@functools.cache
def world() -> Tau2Telecom:
    return Tau2Telecom()


@functools.cache
def phone_tools() -> tuple[ToolSpec, ...]:
    task = world().tasks("test", mode="dual")[0]
    return world().open(task, user=ScriptedUser(task)).user_tools


def task_with(words: str, split: str = "full") -> Task:
    return next(t for t in world().tasks(split, mode="dual") if words in t.id)


def play(name: str, task: Task) -> Tau2Episode:
    episode = world().open(task, user=ScriptedUser(task))
    agent = scripted(name, world()).start(task.view, seed=0)
    while episode.stop is None:
        episode.step(agent.decide(episode.observation, episode.tools))
    return episode


def talk(task: Task, *said: str) -> Tau2Episode:
    """An episode in which the agent says these things, as long as it lasts."""
    episode = world().open(task, user=ScriptedUser(task))
    for text in said:
        episode.step(Message(role="assistant", text=text))
    return episode


def user_calls(episode: Tau2Episode) -> list[tuple[str, dict[str, Any]]]:
    return [(c.name, c.arguments) for m in episode.observation for c in m.tool_calls]


@pytest.mark.parametrize("name", ["engineer", "gold"])
@pytest.mark.parametrize(
    "words",
    [
        "[service_issue]airplane_mode_on|break_apn_settings|overdue_bill_suspension[",
        "[service_issue]contract_end_suspension[",
        "[service_issue]lock_sim_card_pin|unseat_sim_card[",
        "[mobile_data_issue]bad_network_preference|bad_vpn[",
        "[mobile_data_issue]data_usage_exceeded",
        "[mms_issue]bad_wifi_calling|break_apn_mms_setting|break_app_both_permissions[",
    ],
)
def test_agents_solve_with_the_customer(name: str, words: str) -> None:
    episode = play(name, task_with(words))
    assert episode.stop == "user_stop"
    assert episode.outcome().answer == 1


@pytest.mark.slow
def test_engineer_solves_all_base_tasks_with_the_customer() -> None:
    episodes = [play("engineer", task) for task in world().tasks("base", mode="dual")]
    assert [e.task.id for e in episodes if e.outcome().answer != 1] == []
    assert {e.stop for e in episodes} == {"user_stop"}


def test_customer_states_his_problem_and_tells_who_he_is() -> None:
    episode = talk(task_with("[mms_issue]bad_wifi_calling["), "What is your phone number?")
    first, second = (m.text for m in episode.observation if m.role == "user")
    assert first.startswith("I am unable to send MMS messages using my messaging app")
    assert "555-123-2002" not in first
    assert second.startswith("I am John Smith with phone number 555-123-2002.")


def test_customer_answers_about_refuelling_and_paying() -> None:
    data = talk(task_with("[mobile_data_issue]data_usage"), "May I refuel your data?")
    assert "I am willing to refuel 2.0 GB of data" in data.observation[-1].text
    service = talk(task_with("[service_issue]overdue_bill"), "Will you pay the overdue bill?")
    assert "I accept" in service.observation[-1].text
    assert user_calls(data) == user_calls(service) == []


def test_customer_runs_what_the_text_names_in_order_and_reports() -> None:
    episode = talk(
        task_with("[mms_issue]break_app_sms_permission["),
        'First run `toggle_wifi_calling()`, then grant_app_permission {"app_name": "messaging", '
        '"permission": "phone"}, then `check_app_status(app_name=messaging)`.',
    )
    assert user_calls(episode) == [
        ("toggle_wifi_calling", {}),
        ("grant_app_permission", {"app_name": "messaging", "permission": "phone"}),
        ("check_app_status", {"app_name": "messaging"}),
    ]
    report = episode.observation[-1].text
    assert report.index("Wi-Fi Calling is now") < report.index("granted to app 'messaging'")
    assert "Status for App: messaging" in report


def test_customer_reports_a_failure_as_one() -> None:
    episode = talk(task_with("[mms_issue]bad_wifi_calling["), "Run check_app_status() please.")
    assert "I tried check_app_status, but it failed." in episode.observation[-1].text
    assert episode.stop is None


@pytest.mark.parametrize(
    "text",
    [
        "Run fix_everything().",
        "Run check_app_status(app_name=)",
        "Run toggle_data(1, 2, 3)",
        'Run set_network_mode_preference {"mode": }',
    ],
)
def test_customer_says_what_he_did_not_understand(text: str) -> None:
    episode = talk(task_with("[mms_issue]bad_wifi_calling["), text)
    assert user_calls(episode) == []
    assert episode.observation[-1].text.startswith("Sorry, I did not understand")


def test_customer_never_mends_by_himself() -> None:
    talkative = ["Hello?", "Is it better now?", "Please fix it yourself.", "And now?"]
    episode = talk(task_with("[mms_issue]bad_wifi_calling["), *talkative)
    assert episode.ledger == ()
    assert episode.stop is None
    assert {name for name, _ in user_calls(episode)} == {"can_send_mms"}


def test_customer_stops_when_his_reading_shows_it_solved() -> None:
    task = task_with("[mms_issue]bad_wifi_calling[")
    mended = talk(task, "Run toggle_wifi_calling()")
    assert mended.stop is None
    seen = talk(task, "Run toggle_wifi_calling()", "Does it work now?")
    assert seen.stop == "user_stop"
    assert "###STOP###" in seen.observation[-1].text
    assert seen.outcome().answer == 1


def test_customer_leaves_when_transferred() -> None:
    task = task_with("[mms_issue]bad_wifi_calling[")
    episode = talk(task, "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.")
    assert episode.stop == "user_stop"
    assert "###TRANSFER###" in episode.observation[-1].text


def test_names_without_brackets_count_only_when_none_has_them() -> None:
    tools = phone_tools()
    both = "Run toggle_data() and tell me what check_status_bar says."
    assert requests(both, tools).calls == (Request("toggle_data", {}),)
    bare = "Please use toggle_data, then check_status_bar. After toggle_data wait."
    assert [r.tool for r in requests(bare, tools).calls] == ["toggle_data", "check_status_bar"]


def test_scenario_becomes_first_person() -> None:
    assert as_i("Your phone is dead. You want it fixed.") == "My phone is dead. I want it fixed."


_values = st.one_of(
    st.text(max_size=40),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_customer_understands_every_call_an_agent_can_word(data: st.DataObject) -> None:
    tool = data.draw(st.sampled_from(phone_tools()))
    names = list(tool.parameters.get("properties", {}))
    value = st.one_of(_values, st.dictionaries(st.text(max_size=8), _values, max_size=3))
    arguments = {name: data.draw(value) for name in names}
    agent = ScriptedAgent(lambda words: iter([Call(tool.name, arguments)]))  # type: ignore[arg-type]
    text = agent.decide([], []).text
    assert text.startswith(PLEASE_RUN.partition("{")[0])
    assert requests(text, phone_tools()).calls == (Request(tool.name, arguments),)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(["toggle_data", "check_app_status", "(", ")", "{", "}", "=", '"', "["]),
        ),
        max_size=12,
    )
)
def test_no_text_upsets_the_customer(parts: list[str]) -> None:
    asked = requests("".join(parts), phone_tools())
    assert not (asked.calls and asked.complaint)
    assert all(isinstance(r.arguments, dict) for r in asked.calls)
