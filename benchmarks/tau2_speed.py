"""How much faster than tau2's own path is ours, and are the rewards the same?

    python benchmarks/tau2_speed.py               # 40 tasks spread over all
    python benchmarks/tau2_speed.py --all         # all 2,285 (about 25 minutes, nearly all tau2's)

For each task three solo episodes (gold; gold without its last action; the gold calls reversed with
one call repeated) are run twice in this process: by tau2's own code (construct the environment,
make the calls, evaluate with its evaluators) and by ours (open, step, outcome). Only gold episodes
are timed; the rewards of all three are compared.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table
from tau2.data_model.message import AssistantMessage
from tau2.data_model.message import ToolCall as Tau2Call
from tau2.domains.telecom.environment import get_environment
from tau2.evaluator.evaluator_action import ActionEvaluator
from tau2.evaluator.evaluator_env import EnvironmentEvaluator

from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task
from telejudge_envs.tau2_telecom.tasks import parse
from telejudge_envs.tau2_telecom.world import Tau2Telecom


def episodes_of(task: Task) -> list[list[dict[str, Any]]]:
    gold = task.hidden["tau2"]["evaluation_criteria"]["actions"]
    return [gold, gold[:-1], [*gold[::-1], gold[0]]]


def run_tau2(task: Task, actions: list[dict[str, Any]]) -> float:
    """tau2's own construct, replay and evaluate, as its orchestrator and evaluator do it."""
    parsed = parse(task.hidden["tau2"])
    env = get_environment(solo_mode=True)
    initial = parsed.initial_state
    assert initial is not None
    env.set_state(initial.initialization_data, initial.initialization_actions, [])
    messages: list[Any] = []
    for i, action in enumerate(actions):
        call = Tau2Call(
            id=str(i), name=action["name"], arguments=action["arguments"], requestor="assistant"
        )
        messages.append(AssistantMessage(role="assistant", tool_calls=[call]))
        messages.append(env.get_response(call))
    constructor: Any = partial(get_environment)
    reward = EnvironmentEvaluator.calculate_reward(
        constructor, parsed, messages, solo_mode=True
    ).reward
    criteria = parsed.evaluation_criteria
    assert criteria is not None
    if "ACTION" in {b.value for b in criteria.reward_basis}:
        reward *= ActionEvaluator.calculate_reward(parsed, messages).reward
    return reward


def run_ours(world: Tau2Telecom, task: Task, actions: list[dict[str, Any]]) -> float:
    episode = world.open(task)
    for i, action in enumerate(actions):
        call = ToolCall(id=str(i), name=action["name"], arguments=action["arguments"])
        episode.step(Message(role="assistant", tool_calls=(call,)))
    done = ToolCall(id="done", name="done")
    episode.step(Message(role="assistant", tool_calls=(done,)))
    return episode.outcome().world_reward


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=40, help="how many tasks, spread over all")
    parser.add_argument("--all", action="store_true", help="all 2,285 tasks")
    options = parser.parse_args()
    world = Tau2Telecom()
    tasks = world.tasks("full")
    chosen = tasks if options.all else tasks[:: max(1, len(tasks) // options.tasks)]
    run_ours(world, chosen[0], [])  # parsing the shipped files once is no part of an episode
    episodes = [
        (task, i, actions) for task in chosen for i, actions in enumerate(episodes_of(task))
    ]

    def timed(title: str, run: Callable[[Task, list[dict[str, Any]]], float]):
        seconds, rewards = [], []
        for task, i, actions in track(episodes, description=title, console=Console(stderr=True)):
            started = time.perf_counter()
            rewards.append(run(task, actions))
            if i == 0:
                seconds.append(time.perf_counter() - started)
        return seconds, rewards

    theirs, expected = timed("tau2", run_tau2)
    cold, first = timed("ours, first", partial(run_ours, world))
    warm, again = timed("ours, later", partial(run_ours, world))
    differ = [
        (task.id, i, *rewards)
        for (task, i, _), *rewards in zip(episodes, expected, first, again, strict=True)
        if len(set(rewards)) > 1
    ]
    table = Table(title=f"Solo gold episodes of {len(chosen):,} tasks, ms an episode")
    for column in ("path", "median", "mean", "times faster (mean)"):
        table.add_column(column, justify="left" if column == "path" else "right")
    rows = {
        "tau2: construct, replay, evaluate": theirs,
        "ours, first episode of a task": cold,
        "ours, later episodes": warm,
    }
    for name, seconds in rows.items():
        mean = statistics.mean(seconds)
        faster = f"{statistics.mean(theirs) / mean:,.0f}"
        median = f"{1000 * statistics.median(seconds):.2f}"
        table.add_row(name, median, f"{1000 * mean:.2f}", faster)
    console = Console()
    console.print(table)
    console.print(f"Rewards compared: {3 * len(chosen):,} episodes, {len(differ)} differ.")
    for task_id, i, tau2, ours, later in differ[:10]:
        console.print(f"  {task_id} episode {i}: tau2 {tau2}, ours {ours}, {later}", markup=False)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
