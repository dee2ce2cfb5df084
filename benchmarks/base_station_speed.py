"""How fast the base-station world is: READ calls, world build, step labels.

    python benchmarks/base_station_speed.py

One process, one core. READ calls go through the tool layer as in an episode: the arguments are
checked, the tool runs, the result becomes JSON text. Which reads, and how often each, is counted
from gold plans; repeated calls and calls on freshly changed worlds come as often as they do there.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from telejudge_envs.base_station.episode import BaseStationEpisode, compact, tool_named
from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.oracle.labels import label_steps
from telejudge_envs.base_station.retrace import oracle_steps, retrace
from telejudge_envs.base_station.spec import Spec, build
from telejudge_envs.base_station.tasks import specs
from telejudge_envs.base_station.validate import fresh
from telejudge_envs.nouns.message import ToolCall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    every = [spec for split in ("train", "dev", "test", "ood") for spec in specs(split).values()]
    chosen = random.Random(options.seed).sample(every, options.tasks)
    builds = [timed(lambda s=spec: build(s)) for spec in chosen]
    print(f"world build: median {1e3 * statistics.median(builds):.2f} ms ({len(builds)} tasks)")
    print_reads(chosen)
    print_labels(chosen)


def print_reads(chosen: list[Spec]) -> None:
    """Every read of the gold plans, at the state at which gold made it."""
    seconds, calls, slow = 0.0, 0, 0.0
    again, repeated = 0.0, 0
    for spec in chosen:
        played = Gold(fresh(spec)).play()
        episode = fresh(spec)
        for message in played.observation:
            for call in message.tool_calls:
                tool = tool_named(call.name)
                if tool is None or tool.marked.effect != "read":
                    episode.call(call)
                    continue
                took = timed(lambda e=episode, c=call: e.call(c))
                seconds, calls, slow = seconds + took, calls + 1, max(slow, took)
                again += timed(lambda e=episode, c=call: ten(e, c))
                repeated += 10
    print(
        f"READ calls: {calls / seconds:,.0f} a second at the first look ({calls:,} calls of gold "
        f"plans, slowest {1e3 * slow:.1f} ms), {repeated / again:,.0f} when the state is unchanged"
    )


def ten(episode: BaseStationEpisode, call: ToolCall) -> str:
    return compact([episode.call(call).content for _ in range(10)])


def print_labels(chosen: list[Spec]) -> None:
    """The oracle's labels for whole gold trajectories; replaying them is not counted."""
    taken, lengths = [], []
    for spec in chosen:
        played = Gold(fresh(spec)).play()
        steps = oracle_steps(retrace(fresh(spec), played.observation))
        start = build(spec)
        taken.append(timed(lambda d=start, s=steps: label_steps(d, s)))
        lengths.append(len(steps))
    print(
        f"step labels: median {1e3 * statistics.median(taken):.1f} ms a trajectory of "
        f"{statistics.mean(lengths):.0f} calls on average, slowest {1e3 * max(taken):.0f} ms"
    )


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
