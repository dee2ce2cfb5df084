"""How often the consistency judge is right: careless experts, each task played several times.

    python benchmarks/consistency.py [--tasks 400] [--rollouts 6] [--thresholds 0.5,0.8,1]

The expert plays base-station tasks of `dev`; what the judge answers is held against the outcome of
each episode. Needs no model and no network.
"""

from __future__ import annotations

import argparse
import asyncio
from statistics import fmean

from rich.console import Console
from rich.table import Table

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.groups import groups_of, outcomes_of
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.registry import open_world
from telejudge_judges.briefing import WorldBriefings
from telejudge_judges.consistency import ConsistencyJudge


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--rollouts", type=int, default=6, help="of each task")
    parser.add_argument("--thresholds", default="0.5,0.8,1")
    chosen = parser.parse_args()
    world = open_world("base-station")
    tasks = list(world.tasks("dev"))[: chosen.tasks]
    rollouts = run(world, tasks, scripted("expert", world), rollouts=chosen.rollouts)
    truth = {name: outcome.answer for name, outcome in outcomes_of(rollouts).items()}
    groups = groups_of(rollouts)
    table = Table(title=f"{len(truth):,} rollouts, {fmean(truth.values()):.1%} of them right")
    for column in ("threshold", "scored", "answers right"):
        table.add_column(column, justify="right")
    for threshold in map(float, chosen.thresholds.split(",")):
        judge = ConsistencyJudge(threshold=threshold, briefings=WorldBriefings(lambda _: world))
        said = asyncio.run(_answers(judge, groups))
        right = fmean(answer == truth[name] for name, answer in said.items()) if said else 0.0
        table.add_row(f"{threshold:g}", f"{len(said):,}", f"{right:.1%}")
    Console().print(table)


async def _answers(judge: ConsistencyJudge, groups: list[Group]) -> dict[str, int]:
    """By trajectory; who is abstained is left out."""
    judged = [await judge.judge(group) for group in groups]
    return {
        v.trajectory_id: v.answer for one in judged for v in one.verdicts if v.answer is not None
    }


if __name__ == "__main__":
    main()
