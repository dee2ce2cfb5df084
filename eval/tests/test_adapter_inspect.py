"""The task and the scorer in inspect_ai's own `eval`, with its mock model."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from adapter_harness import BASE_STATION, TAU2, gold_calls, secrets, told

from telejudge_envs.adapters.seat import find_task
from telejudge_envs.registry import open_world

inspect_ai = pytest.importorskip("inspect_ai")

from inspect_ai.model import ModelOutput, ModelUsage, get_model  # noqa: E402

from telejudge_eval.adapters import inspect_task as adapter  # noqa: E402

MOCK = "mockllm/model"


def run(task: Any, outputs: Sequence[Any], folder: Path, **options: Any) -> Any:
    model = get_model(MOCK, custom_outputs=list(outputs))
    (log,) = inspect_ai.eval(
        task, model=model, log_dir=str(folder), display="none", log_level="warning", **options
    )
    logging.getLogger().handlers.clear()
    return log


def only(task: Any, task_id: str) -> Any:
    """The task with a single sample."""
    task.dataset = task.dataset.filter(lambda sample: sample.id == task_id)
    assert len(task.dataset) == 1
    return task


def counted(output: Any) -> Any:
    """With a token count, for which the mock model would fetch an encoding from the net."""
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


def calls_tool(name: str, arguments: dict[str, Any]) -> Any:
    return counted(ModelOutput.for_tool_call(MOCK, name, arguments))


def says(text: str) -> Any:
    return counted(ModelOutput.from_content(MOCK, text))


@pytest.mark.slow
@pytest.mark.parametrize(("world", "which"), [BASE_STATION, TAU2])
def test_gold_calls_score_full_and_the_model_is_told_nothing(
    world: str, which: str, tmp_path: Path
) -> None:
    here = open_world(world)
    task = find_task(here, which)
    asked: list[Any] = []
    outputs = iter([calls_tool(*call) for call in gold_calls(here, task)])

    def answer(messages: Any, tools: Any, choice: Any, config: Any) -> Any:
        asked.append([[m.model_dump() for m in messages], [t.model_dump() for t in tools]])
        return next(outputs)

    model = get_model(MOCK, custom_outputs=answer)
    split = task.view.split if world == "base-station" else "small"
    one = only(adapter.world_task(world=world, split=split), task.id)
    (log,) = inspect_ai.eval(one, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success", log.error
    score = log.samples[0].scores["judged"]
    assert score.value["solved"] == 1
    assert score.value["reward"] == score.metadata["verdict"]["reward"] > 0
    assert asked
    kept = secrets(here, task)
    assert not any(told(payload, kept) for payload in asked)


@pytest.mark.slow
def test_a_model_that_does_nothing_scores_nothing(tmp_path: Path) -> None:
    task = adapter.world_task(world="base-station", split="dev", limit=2)
    log = run(task, [says("No idea.")] * 2, tmp_path)
    assert log.status == "success", log.error
    assert [s.scores["judged"].value["solved"] for s in log.samples] == [0, 0]
    found = {metric.name: s.metrics["mean"].value for s in log.results.scores for metric in [s]}
    assert found["solved"] == 0
    assert found["reward"] < 0.1


@pytest.mark.slow
def test_junk_calls_are_answered_and_an_abstention_is_no_score(tmp_path: Path) -> None:
    junk = [
        calls_tool("no_such_tool", {}),
        calls_tool("get_kpi", {"nonsense": [1]}),
        says("I give up."),
    ]
    task = adapter.world_task(world="base-station", split="dev", limit=1, judge="consistency")
    log = run(task, junk, tmp_path)
    assert log.status == "success", log.error
    errors = [m.error for m in log.samples[0].messages if m.role == "tool"]
    assert len(errors) == 2
    assert all(errors)
    score = log.samples[0].scores["judged"]
    assert all(math.isnan(value) for value in score.value.values())
    assert score.explanation.startswith("abstained")


@pytest.mark.slow
def test_a_limit_of_inspects_ends_the_episode_and_what_was_done_is_scored(tmp_path: Path) -> None:
    look = calls_tool("get_clock", {})
    task = adapter.world_task(world="base-station", split="dev", limit=1)
    log = run(task, [look] * 9, tmp_path, message_limit=8)
    assert log.samples[0].limit.type == "message"
    score = log.samples[0].scores["judged"]
    assert score.metadata["stop"] == "max_steps"
    assert score.value["solved"] == 0


@pytest.mark.slow
def test_inspect_finds_the_task_in_its_file(tmp_path: Path) -> None:
    arguments = {"world": "base-station", "split": "dev", "limit": 1}
    log = run(f"{adapter.__file__}@world_task", [says("No.")], tmp_path, task_args=arguments)
    assert log.status == "success", log.error
    assert log.eval.dataset.samples == 1
