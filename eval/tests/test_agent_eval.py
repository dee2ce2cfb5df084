"""Measures of agents against figures worked out by hand, and by enumerating what they estimate."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.errors import DataError
from telejudge_envs.nouns.trajectory import Failure
from telejudge_envs.registry import open_world
from telejudge_eval.agent_eval import passk
from telejudge_eval.agent_eval.differences import HARM, HONEST, differences
from telejudge_eval.agent_eval.faults import faults_of
from telejudge_eval.agent_eval.measures import excused_fail, measure, parts
from telejudge_eval.agent_eval.records import Episode, Found, episodes_of
from telejudge_eval.agent_eval.summary import as_json, summarise_agent
from telejudge_eval.agent_eval.versus import versus
from telejudge_eval.agent_measures import judged_by_verifier


def episode(task: str, number: int, success: bool | None, **more: Any) -> Episode:
    given: dict[str, Any] = {
        "id": f"{task}-{number}", "task_id": task, "ticket": "t", "world": "w", "mode": "solo",
        "split": "test", "level": 2, "success": success, "calls": 4, "stop": "agent_stop",
        "reward": None if success is None else float(success), "tools": 1.0,
    }  # fmt: skip
    return Episode(**(given | more))


def played(**tasks: str) -> list[Episode]:
    """`a="110"` is a task with two successes and a failure; `x` was somebody else's fault."""
    return [
        episode(task, n, None if c == "x" else c == "1", excused="user: lost" if c == "x" else None)
        for task, said in tasks.items()
        for n, c in enumerate(said)
    ]


@pytest.mark.parametrize("n", [1, 4, 7])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_chances_are_those_of_drawing_k_of_the_episodes(n: int, k: int):
    for c in range(n + 1):
        won = [True] * c + [False] * (n - c)
        draws = list(combinations(won, k))
        if not draws:
            assert passk.drawn(n, c, k) is passk.at_least_one(n, c, k) is None
            continue
        assert passk.drawn(n, c, k) == pytest.approx(fmean(all(d) for d in draws))
        assert passk.at_least_one(n, c, k) == pytest.approx(fmean(any(d) for d in draws))
        assert passk.powered(n, c, k) == pytest.approx((c / n) ** k)


def test_only_the_drawn_convention_is_unbiased():
    """Over all ways in which 4 episodes with success 1/2 each can end."""
    outcomes = [bin(ways).count("1") for ways in range(16)]
    assert fmean(passk.drawn(4, c, 2) or 0 for c in outcomes) == pytest.approx(0.25)
    assert fmean(passk.powered(4, c, 2) or 0 for c in outcomes) > 0.25 + 0.05


def test_figures_are_means_over_tasks():
    found = measure(played(a="1100", b="1111", c="0000"))
    assert found["success"].value == pytest.approx((0.5 + 1 + 0) / 3)
    assert found["pass^2"].value == pytest.approx((1 / 6 + 1) / 3)
    assert found["(c/n)^2"].value == pytest.approx((0.25 + 1) / 3)
    assert found["pass@2"].value == pytest.approx((5 / 6 + 1) / 3)
    assert found["pass^8"].value is None
    assert found["tokens"].value is None
    low, high = found["success"].low, found["success"].high
    assert low is not None
    assert high is not None
    assert 0 <= low < 0.5 < high <= 1


def test_what_others_made_fail_is_left_out_or_counted_as_asked():
    episodes = played(a="11x", b="0x1")
    assert measure(episodes)["success"].value == pytest.approx((1 + 0.5) / 2)
    assert measure(episodes)["pass^2"].value == pytest.approx(0.5)
    counted = measure(excused_fail(episodes))
    assert counted["success"].value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert counted["pass^2"].value == pytest.approx((1 / 3 + 0) / 2)


def test_a_chance_that_some_task_has_too_few_episodes_for_is_not_given():
    assert measure(played(a="11", b="1"))["pass^2"].value is None
    assert measure(played(a="11", b="1"))["pass^1"].value == 1


def test_effort_to_resolve_is_that_of_successes():
    episodes = [
        episode("a", 0, True, calls=3, seconds=10.0),
        episode("a", 1, False, calls=9, seconds=90.0),
    ]
    found = measure(episodes)
    assert (found["calls"].value, found["calls_to_resolve"].value) == (6, 3)
    assert found["seconds_to_resolve"].value == 10


def test_parts_count_a_task_under_each_of_its_faults():
    episodes = [
        episode("a", 0, True, faults=("sim", "apn"), level=2, marks=("broken",)),
        episode("b", 0, False, faults=("apn",), level=10),
    ]
    found = parts(episodes)
    assert found["fault"]["apn"]["success"].value == 0.5
    assert found["fault"]["sim"]["success"].value == 1
    assert list(found["level"]) == ["2", "10"]
    assert found["mark"]["broken"]["success"].value == 1
    assert found["mark"]["none"]["success"].value == 0


def test_two_agents_on_the_same_tasks():
    names = [f"t{n}" for n in range(8)]
    worse, better = played(**dict.fromkeys(names, "00")), played(**dict.fromkeys(names, "11"))
    found = versus([*worse, *played(only="1")], better)
    line = next(line for line in found.lines if line.name == "success")
    assert (found.tasks, found.left_out) == (8, 1)
    assert (line.first, line.second, line.difference.value) == (0, 1, 1)
    assert line.difference.p == pytest.approx(2 / 2**8)  # exact: all 2^8 ways are tried
    assert line.difference.low == line.difference.high == 1
    same = next(line for line in versus(better, better).lines if line.name == "success")
    assert (same.difference.value, same.difference.p) == (0, 1)
    with pytest.raises(DataError, match="share no task"):
        versus(played(a="1"), played(b="1"))


def test_differences_name_the_defects_that_moved_our_reward():
    episodes = [
        episode("a", 0, True),
        episode("b", 0, True, reward=0.05, defects=(
            Found(kind="policy_violation", severity="hard"),
            Found(kind="redundant_read", severity="soft"))),
        episode("c", 0, False, reward=0.1, defects=(Found(kind="left_fault", severity="soft"),)),
    ]  # fmt: skip
    rows = {(row.world, row.ours): row for row in differences(episodes)}
    assert dict(rows[1, HARM].kinds) == {"policy_violation": 1}
    assert not rows[1, HARM].agree
    assert rows[0, HONEST].agree
    assert sum(row.episodes for row in rows.values()) == 3


@pytest.mark.parametrize("name", ["tau2-telecom", "base-station"])
def test_both_worlds_from_rollouts_to_figures(name: str, tmp_path: Path):
    world = open_world(name)
    tasks = list(world.tasks("test"))[:4]
    judged: list[Any] = []
    for agent in ("gold", "expert"):
        out = tmp_path / f"{agent}.jsonl"
        rollouts = run(world, tasks, scripted(agent, world), rollouts=2, out=out)
        [(key, groups)] = judged_by_verifier(rollouts).items()
        judged.append(summarise_agent(key, episodes_of(groups, open_world), samples=200))
    gold = judged[0]
    assert gold.figures["success"].value == gold.figures["pass^2"].value == 1
    assert set(gold.parts["fault"]) == {f for t in tasks for f in faults_of(t)}
    assert gold.parts["fault"]
    told = as_json(judged, versus(gold.episodes, judged[1].episodes, samples=200))
    assert told["against"]["tasks"] == 4
    assert told["agents"][0]["measures"]["success"]["value"] == 1


def test_excuses_come_from_outcomes():
    world = open_world("tau2-telecom")
    rollouts = run(world, list(world.tasks("test"))[:1], scripted("gold", world), rollouts=1)
    [rollout] = rollouts
    assert rollout.outcome is not None
    failed = Failure(owner="endpoint", cause="timeout")
    lost = rollout.model_copy(
        update={"outcome": rollout.outcome.model_copy(update={"faults": (failed,)})}
    )
    [(_, groups)] = judged_by_verifier([lost]).items()
    [found] = episodes_of(groups, open_world)
    assert (found.success, found.excused) == (None, "endpoint: timeout")
    assert measure([found])["success"].value is None
