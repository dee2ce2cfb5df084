"""The Gymnasium environment against Gymnasium's own checks, and against cheating."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from adapter_harness import BASE_STATION, TAU2, gold_calls, secrets, told
from lamp_world import lamp_package

from telejudge_envs.adapters.seat import Seat, find_task
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env  # noqa: E402

from telejudge_eval.adapters import gymnasium_env as adapter  # noqa: E402

MODULE = "telejudge_eval.adapters.gymnasium_env"
WORLDS = ("base-station", "tau2-telecom")


def make(world: str, **options: Any) -> Any:
    return gymnasium.make(f"{MODULE}:telejudge/{world}-v0", **options)


@pytest.mark.parametrize("world", WORLDS)
def test_gymnasiums_own_checks_pass(world: str, recwarn: pytest.WarningsRecorder) -> None:
    split = "small" if world == "tau2-telecom" else "dev"
    env = make(world, split=split, render_mode="ansi")
    check_env(env.unwrapped, skip_render_check=False)
    about_us = [str(w.message) for w in recwarn if "gym" in str(w.filename)]
    assert not [text for text in about_us if "render" not in text]


@pytest.mark.parametrize(("world", "which"), [BASE_STATION, TAU2])
def test_gold_calls_are_paid_at_the_end_and_nothing_is_told_before(world: str, which: str) -> None:
    here = open_world(world)
    task = find_task(here, which)
    env = make(world, task=which)
    text, info = env.reset(seed=3)
    assert task.view.ticket in text
    assert {t["function"]["name"] for t in info["tools"]} == {t.name for t in here.open(task).tools}
    seen: list[Any] = [text, info]
    *calls, closing = gold_calls(here, task)
    for tool, arguments in calls:
        text, reward, terminated, truncated, info = env.step(_action(tool, arguments))
        assert (reward, terminated, truncated) == (0.0, False, False)
        assert set(info) == {"messages"}
        seen += [text, info]
    kept = secrets(here, task)
    assert not any(told(payload, kept) for payload in seen)
    *_, reward, terminated, truncated, info = env.step(_action(*closing))
    assert (terminated, truncated, info["answer"]) == (True, False, 1)
    assert reward == info["verdict"]["reward"] == _judged(here, task)
    assert reward > 0
    with pytest.raises(UsageError, match="is over"):
        env.step(_action(*closing))


def _judged(world: World, task: Task) -> float | None:
    """What the verifier itself says of the gold calls."""
    seat = Seat(world, task, player="test")
    for tool, arguments in gold_calls(world, task):
        seat.call(tool, arguments)
    group = Group(id="g", task=task.view, trajectories=(seat.rollout.trajectory,))
    return Verifier(lambda _: world).judge_now(group).verdicts[0].reward


def _action(tool: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"tool": tool, "arguments": arguments})


def test_words_in_solo_mode_end_the_episode_and_earn_next_to_nothing() -> None:
    env = make("base-station", task="dev:0")
    env.reset(seed=0)
    *_, reward, terminated, _, info = env.step("I do not feel like it.")
    assert terminated
    assert info["stop"] == "agent_error"
    assert (info["answer"], info["verdict"]["answer"]) == (0, 0)
    assert 0 <= reward < 0.1
    assert "gave_up" in {defect["kind"] for defect in info["verdict"]["defects"]}


def test_an_episode_out_of_steps_is_truncated() -> None:
    env = make("tau2-telecom", task="small:0")
    env.reset(seed=0)
    most = find_task(open_world("tau2-telecom"), "small:0").view.max_steps
    steps = [env.step(_action("check_status_bar", {})) for _ in range(most)]
    assert [step[2] or step[3] for step in steps] == [False] * (len(steps) - 1) + [True]
    *_, terminated, truncated, info = steps[-1]
    assert (terminated, truncated, info["stop"]) == (False, True, "max_steps")


@pytest.mark.filterwarnings("ignore:.*NaN:UserWarning")
def test_a_judge_that_abstains_gives_no_number() -> None:
    env = make("base-station", task="dev:0", judge="consistency")  # a group of one: nothing agrees
    env.reset(seed=0)
    *_, reward, terminated, _, info = env.step("Nothing.")
    assert terminated
    assert math.isnan(reward)
    assert info["verdict"]["abstained"]


def test_seeds_choose_tasks() -> None:
    env = make("base-station", split="test")
    tickets = [env.reset(seed=seed)[0] for seed in (1, 1, 2)]
    assert tickets[0] == tickets[1] != tickets[2]
    asked, _ = env.reset(options={"task": "test:4"})
    assert find_task(open_world("base-station"), "test:4").view.ticket in asked


@pytest.mark.parametrize("junk", ["", "[]", "{}", '{"tool": 3}', '[{"tool": "x"}, 4]', "[" * 9999])
def test_what_is_no_call_is_words(junk: str) -> None:
    assert adapter.message_of(junk, 0).tool_calls == ()


def test_several_calls_are_one_message() -> None:
    said = adapter.message_of('[{"tool": "a"}, {"tool": "b", "arguments": "no object"}]', 5)
    assert [(c.id, c.name, c.raw) for c in said.tool_calls] == [
        ("c5", "a", None),
        ("c6", "b", "no object"),
    ]


def test_a_users_world_and_judge_work_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(lamp_package(tmp_path)))
    adapter.register_worlds()
    env = make("lamp", judge="lamp-judge")
    assert env.reset(seed=0)[0] == "Light the lamp.\n\nIt is dark."
    assert env.step('{"tool": "press"}')[1] == 0.0
    *_, reward, terminated, _, info = env.step('{"tool": "leave"}')
    assert (reward, terminated, info["answer"]) == (1.0, True, 1)
