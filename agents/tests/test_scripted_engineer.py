"""The careful engineer solves real tau2 tasks, sees only messages, and leaves no untidy call."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from telejudge_agents.scripted.case import is_write
from telejudge_agents.scripted.engineer import engineer
from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.tau2_telecom.episode import Tau2Episode
from telejudge_envs.tau2_telecom.world import Tau2Telecom

GOALS = ("check_status_bar", "run_speed_test", "can_send_mms")


@functools.cache
def world() -> Tau2Telecom:
    return Tau2Telecom()


def play(task: Task, view: TaskView | None = None) -> Tau2Episode:
    episode = world().open(task)
    agent = engineer().start(view or task.view, seed=0)
    while episode.stop is None:
        episode.step(agent.decide(episode.observation, episode.tools))
    return episode


def calls(episode: Tau2Episode) -> list[ToolCall]:
    return [call for message in episode.observation for call in message.tool_calls]


SAMPLE = 60


@functools.cache
def stratified(n: int = SAMPLE) -> list[Task]:
    """n tasks spread evenly over the full split ordered by kind and number of faults."""
    tasks = sorted(world().tasks("full"), key=lambda t: (t.id.split("]")[0], t.view.level, t.id))
    service = [t for t in tasks if t.id.startswith("[service")]
    others = [t for t in tasks if not t.id.startswith("[service")]
    return [*service[:: len(service) // 15][:15], *others[:: len(others) // (n - 15)][: n - 15]]


def test_the_sample_is_stratified() -> None:
    sample = stratified()
    assert len(sample) == 60
    kinds = {t.id.split("]")[0] for t in sample}
    assert kinds == {"[service_issue", "[mms_issue", "[mobile_data_issue"}
    assert len({t.view.level for t in sample}) >= 8


@pytest.mark.parametrize("n", range(SAMPLE))
def test_solves_a_sample(n: int) -> None:
    episode = play(stratified()[n])
    assert episode.outcome().answer == 1
    assert episode.outcome().world_reward == 1.0
    assert episode.stop == "agent_stop"


@pytest.mark.slow
def test_solves_all_tasks_within_the_limit() -> None:
    tasks = world().tasks("full")
    assert len(tasks) == 2285
    unsolved, longest = [], 0
    for task in tasks:
        episode = play(task)  # 0.3 MB, so none is kept
        unsolved += [task.id] if episode.outcome().answer != 1 else []
        longest = max(longest, sum(m.role == "assistant" for m in episode.observation))
    assert unsolved == []
    assert longest <= 50


@pytest.mark.parametrize("n", range(SAMPLE))
def test_every_call_is_tidy(n: int) -> None:
    episode = play(stratified()[n])
    assert not any(m.error for m in episode.observation)
    changed = {change.call_id for change in episode.ledger}
    assert all(is_write(c.name) == (c.id in changed) for c in calls(episode))
    assert list(_repeated_reads(episode)) == []
    assert {c.path.split(".")[1] for c in episode.ledger if c.path.startswith("lines.")} <= {
        "L1002"
    }


def _repeated_reads(episode: Tau2Episode) -> Iterator[str]:
    seen: set[str] = set()
    for call in calls(episode):
        if is_write(call.name):
            seen.clear()
            continue
        key = f"{call.name}{sorted(call.arguments.items())}"
        if key in seen:
            yield key
        seen.add(key)


@pytest.mark.parametrize("n", range(SAMPLE))
def test_looks_first_and_verifies_last(n: int) -> None:
    names = [c.name for c in calls(play(stratified()[n]))]
    writes = [i for i, name in enumerate(names) if is_write(name)]
    if "transfer_to_human_agents" in names:
        assert names[-2:] == ["transfer_to_human_agents", "done"]
        assert names.count("transfer_to_human_agents") == 1
        return
    assert writes, "a solvable task needs at least one write"
    assert names[0] == "get_customer_by_phone"
    assert names[1] in GOALS
    assert any(name in GOALS for name in names[writes[-1] + 1 :])
    assert names[-1] == "done"


def test_sees_nothing_but_messages() -> None:
    """Another task's view and id change nothing: all it knows comes from the messages."""
    one, other = stratified()[-1], stratified()[0]
    told = [c.model_dump() for c in calls(play(one))]
    misled = [c.model_dump() for c in calls(play(one, view=other.view))]
    assert told == misled


def test_refuels_what_the_ticket_says_or_else_the_policys_most() -> None:
    tasks = [t for t in world().tasks("base") if "data_usage_exceeded" in t.id]
    silent = next(t for t in tasks if "refuel" not in t.view.ticket)
    spoken = next(t for t in tasks if "refuel 2.0 GB" in t.view.ticket)
    less = spoken.model_copy(
        update={
            "view": spoken.view.model_copy(
                update={"ticket": spoken.view.ticket.replace("2.0 GB", "1.5 GB")}
            )
        }
    )
    amounts = [
        call.arguments["gb_amount"]
        for task in (silent, spoken, less)
        for call in calls(play(task))
        if call.name == "refuel_data"
    ]
    assert amounts == [2.0, 2.0, 1.5]


def test_pays_only_with_permission() -> None:
    task = next(t for t in world().tasks("full") if t.id.startswith("[service_issue]overdue"))
    ticket = task.view.ticket.replace("They gave permission to pay all their overdue bills.", "")
    assert ticket != task.view.ticket
    mute = task.model_copy(update={"view": task.view.model_copy(update={"ticket": ticket})})
    names = [c.name for c in calls(play(mute))]
    assert "send_payment_request" not in names
    assert names[-2:] == ["transfer_to_human_agents", "done"]


def test_plays_the_same_twice() -> None:
    task = stratified()[40]
    assert play(task).observation == play(task).observation
