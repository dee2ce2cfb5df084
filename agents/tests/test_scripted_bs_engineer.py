"""The base stations' engineer solves tasks of every level, breaks no rule, sees only messages."""

from __future__ import annotations

import functools

import pytest

from telejudge_agents.scripted.base import Call, Heard
from telejudge_agents.scripted.base_station.case import Case
from telejudge_agents.scripted.base_station.engineer import engineer
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.faults import FAULTS
from telejudge_envs.base_station.retrace import retrace, rule_steps, task_info
from telejudge_envs.base_station.rules.case import REPAIRS
from telejudge_envs.base_station.rules.check import violations
from telejudge_envs.base_station.spec import team_for
from telejudge_envs.base_station.tasks import spec_of
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.nouns.task import Task, TaskView

LEVELS = (1, 2, 3, 4, 5)
A_LEVEL = 12
WORLD = BaseStation()


def sample(level: int, split: str = "train", mode: Mode = "solo") -> list[Task]:
    """Tasks of a level, spread over the split."""
    tasks = [t for t in WORLD.tasks(split, mode) if t.view.level == level]
    return tasks[:: max(1, len(tasks) // A_LEVEL)][:A_LEVEL]


def play(task: Task, view: TaskView | None = None) -> BaseStationEpisode:
    user = WORLD.scripted_user(task, 0) if task.view.mode == "dual" else None
    episode = WORLD.open(task, user=user)
    agent = engineer().start(view or task.view, seed=0)
    while episode.stop is None:
        episode.step(agent.decide(episode.observation, episode.tools))
    return episode


@functools.cache
def played(level: int, split: str = "train", mode: Mode = "solo") -> list[BaseStationEpisode]:
    return [play(task) for task in sample(level, split, mode)]


def calls(episode: BaseStationEpisode) -> list[ToolCall]:
    return [call for message in episode.observation for call in message.tool_calls]


def broken(episode: BaseStationEpisode) -> list[str]:
    """What the rules say to a replay of the episode."""
    user = WORLD.scripted_user(episode.task, 0) if episode.task.view.mode == "dual" else None
    steps = retrace(WORLD.open(episode.task, user=user), episode.observation)
    info = task_info(episode.task.view, episode.observation)
    return [v.reason for v in violations(rule_steps(steps), info)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("split", ["train", "ood"])
@pytest.mark.parametrize("mode", ["solo", "dual"])
def test_solves_every_level_without_breaking_a_rule(level: int, split: str, mode: Mode) -> None:
    episodes = played(level, split, mode)
    assert len(episodes) == A_LEVEL
    assert [e.task.id for e in episodes if e.outcome().answer != 1] == []
    assert {e.stop for e in episodes} == {"agent_stop"}
    assert [(e.task.id, why) for e in episodes for why in broken(e)] == []


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "dev", "test", "ood"])
def test_solves_all_tasks(split: str) -> None:
    tasks = WORLD.tasks(split)
    assert len(tasks) >= 400
    assert [t.id for t in tasks if play(t).outcome().answer != 1] == []


def test_the_sample_has_most_faults() -> None:
    seen = {atom[:2] for split in ("train", "ood") for lv in LEVELS for e in played(lv, split)
            for atom in e.spec.atoms}  # fmt: skip
    assert len(seen) >= 26
    assert seen <= set(FAULTS)


def test_easy_tasks_are_short() -> None:
    lengths = [len(calls(e)) for e in played(1)]
    assert max(lengths) <= 18
    assert sum(lengths) / len(lengths) <= 11


@pytest.mark.parametrize("level", LEVELS)
def test_looks_first_and_sweeps_last(level: int) -> None:
    for episode in played(level):
        failed = {m.tool_call_id for m in episode.observation if m.error}
        names = [c.name for c in calls(episode) if c.id not in failed]
        assert names[:2] == ["list_alarms", "get_topology"]
        assert names[-1] == "submit_resolution_report"
        repairs = [i for i, name in enumerate(names) if name in REPAIRS]
        after = names[max(repairs, default=0) :]
        assert {"list_alarms", "get_kpi"} <= set(after), episode.task.id


@pytest.mark.parametrize("mode", ["solo", "dual"])
def test_makes_one_call_a_message_and_repeats_no_read(mode: Mode) -> None:
    for episode in played(4, mode=mode):
        own = [m for m in episode.observation if m.role == "assistant"]
        assert all(len(m.tool_calls) <= 1 for m in own)
        texts = [m.text for m in own if not m.tool_calls]
        assert all(text for text in texts)
        assert not texts or mode == "dual"
    if mode == "solo":
        assert [e.task.id for e in played(4) if list(_repeated(e))] == []


def _repeated(episode: BaseStationEpisode) -> list[str]:
    """Reads that were made twice with no write between them."""
    seen: set[str] = set()
    again: list[str] = []
    for call in calls(episode):
        if not call.name.startswith(("get_", "list_", "check_", "diff_", "ping", "measure_")):
            seen.clear()
            continue
        key = f"{call.name}{sorted(call.arguments.items())}"
        again += [key] if key in seen else []
        seen.add(key)
    return again


def test_sees_nothing_but_messages() -> None:
    """Another task's view changes nothing: all that it knows comes from the conversation."""
    one, other = sample(4)[0], sample(1)[-1]
    told = [c.model_dump() for c in calls(play(one))]
    assert told == [c.model_dump() for c in calls(play(one, view=other.view))]


def test_never_unlocks_a_cell_that_a_work_order_holds() -> None:
    tasks = [t for t in WORLD.tasks("train") if spec_of(t).work_order][:A_LEVEL]
    assert len(tasks) == A_LEVEL
    for task in tasks:
        episode = play(task)
        held = episode.db.sites[episode.db.focus].cells[spec_of(task).work_order - 1]
        unlocked = [c.arguments["cell_id"] for c in calls(episode) if c.name == "unlock_cell"]
        assert held.id not in unlocked
        assert held.administrativeState == "LOCKED"


def test_calls_other_teams_exactly_when_they_are_needed() -> None:
    for level in LEVELS:
        for episode in played(level):
            spec = episode.spec
            needed = {team for atom in spec.atoms if (team := team_for(spec, atom))}
            called = {c.arguments["team"] for c in calls(episode) if c.name == "escalate"}
            assert called == needed, episode.task.id


def test_tries_again_when_a_tool_is_busy() -> None:
    task = next(t for t in WORLD.tasks("train") if spec_of(t).busy and spec_of(t).level == 5)
    busy = next(iter(spec_of(task).busy))
    tasks = [t for t in WORLD.tasks("train") if busy in spec_of(t).busy]
    episodes = [play(t) for t in tasks[:20]]
    refused = [e for e in episodes if any("BUSY" in m.text for m in e.observation)]
    assert refused
    assert all(e.outcome().answer == 1 for e in refused)


def test_the_case_reads_results_and_reports_alike() -> None:
    case = Case.of("Trouble ticket TT-1\nSite: K042 (Elm Cross)\nHub: H31")
    call = Call("get_clock", {"site_id": "K042"})
    plain = '{"reading_id": "r4", "observed_at": "10:05", "data": {"sats": 9}}'
    assert case.hear(call, Heard(plain)).data == {"sats": 9}
    assert case.fresh(call)
    case.round += 1
    assert not case.fresh(call)
    assert case.hear(call, Heard(f"I ran get_clock. It says:\n{plain}")).id == "r4"
    assert not case.hear(call, Heard("Sorry, I did not understand.")).ok
    assert case.hear(call, Heard("Error: BUSY: try again", error=True)).busy
    assert case.answer("get_clock").data == {"sats": 9}
