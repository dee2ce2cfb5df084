"""A contract that any world must pass; call it from a test of yours.

check_world(MyWorld(), split="train", junk=my_malformed_calls)
"""

from __future__ import annotations

from collections.abc import Iterable

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.protocol import Episode, World


def check_world(
    world: World, split: str, *, mode: Mode = "solo", junk: Iterable[ToolCall] = ()
) -> None:
    """Raises AssertionError naming the broken rule."""
    tasks = world.tasks(split, mode)
    assert tasks, f"split {split} of {world.name} is empty"
    assert [t.id for t in world.tasks(split, mode)] == [t.id for t in tasks], "tasks changed order"
    task = tasks[0]
    assert world.task(task.id, mode).view == task.view, "task() and tasks() disagree"
    assert type(task.view) is TaskView, "the public view must be a TaskView"
    _refuses_unknown_names(world)
    first, second = world.open(task, seed=7), world.open(task, seed=7)
    assert isinstance(first, Episode), f"{type(first).__name__} is no Episode"
    assert first.observation == second.observation, "the same seed gave other observations"
    assert first.observation[0].role == "system", "the first message must be the system's"
    assert len({t.name for t in first.tools}) == len(first.tools), "tool names repeat"
    reads_change_nothing(world, task)
    junk_changes_nothing(world, task, junk)


def reads_change_nothing(world: World, task: Task) -> None:
    """Every read tool that needs no argument leaves the ledger empty."""
    episode = world.open(task)
    for tool in episode.tools:
        if tool.effect == "read" and not tool.parameters.get("required"):
            _call(episode, ToolCall(id=f"read-{tool.name}", name=tool.name))
            assert not episode.ledger, f"reading with {tool.name} changed {episode.ledger[0].path}"


def junk_changes_nothing(world: World, task: Task, junk: Iterable[ToolCall]) -> None:
    """Each malformed call returns an error result, changes nothing and raises nothing."""
    episode = world.open(task)
    for call in junk:
        if episode.stop is not None:
            episode = world.open(task)
        answers = _call(episode, call)
        assert answers[0].error, f"{call.name} with {str(call.arguments)[:80]} did not fail"
        assert not episode.ledger, (
            f"the failed call of {call.name} changed {episode.ledger[0].path}"
        )


def _call(episode: Episode, call: ToolCall) -> tuple[Message, ...]:
    answers = episode.step(Message(role="assistant", tool_calls=(call,)))
    assert answers, f"{call.name} was not answered"
    assert answers[0].role == "tool", f"{call.name} was answered by a {answers[0].role} message"
    return answers


def _refuses_unknown_names(world: World) -> None:
    for ask in (lambda: world.tasks("no such split"), lambda: world.task("no such task")):
        try:
            ask()
        except UsageError:
            continue
        raise AssertionError("an unknown split or task was accepted")
