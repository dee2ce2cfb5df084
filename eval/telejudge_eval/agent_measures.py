"""Rollouts of agents in; each agent's measures by the verifier out.

    pass^k = mean over tasks of C(c, k) / C(n, k)

with c of a task's n episodes successful (tau2-bench, arXiv:2406.12045): the chance that k episodes
drawn from the n all succeed. Episodes that failed by somebody else's fault are left out of n.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from math import comb
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from telejudge_envs.groups import groups_of, latest
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier
from telejudge_training.summary import summarise

KS = (1, 2, 4, 8)


def judged_by_verifier(rollouts: Sequence[Rollout]) -> dict[str, list[JudgedGroup]]:
    """Judged groups by agent and mode (`gpt-4.1, dual`), so that no group mixes agents."""
    verifier = Verifier(open_world)
    records = latest(rollouts)
    judged: dict[str, list[JudgedGroup]] = {}
    for name in sorted({_name(r) for r in records.values()}):
        judged[name] = []
        for group in groups_of(r for r in records.values() if _name(r) == name):
            verdict = asyncio.run(verifier.judge(group))
            truths = {t.id: records[t.id].outcome for t in group.trajectories}
            outcomes = {key: truth for key, truth in truths.items() if truth is not None}
            judged[name].append(
                JudgedGroup(phase=name, group=group, verdict=verdict, outcomes=outcomes)
            )
    return judged


def _name(rollout: Rollout) -> str:
    return f"{rollout.trajectory.agent}, {rollout.trajectory.mode}"


def pass_hat_k(judged: Sequence[JudgedGroup], k: int) -> float | None:
    """None when some task has fewer than k scored episodes."""
    values = []
    for one in judged:
        wins = [o.world_reward == 1 for o in one.outcomes.values() if not o.faults]
        if len(wins) < k:
            return None
        values.append(comb(sum(wins), k) / comb(len(wins), k))
    return fmean(values) if values else None


def agent_table(
    by_agent: Mapping[str, Sequence[JudgedGroup]],
    *,
    bootstrap: int = 2000,
    console: Console | None = None,
) -> None:
    """Two tables, a row an agent: scores with their intervals, then consistency and defects."""
    scores = Table(title="Agents by the verifier: means over tasks, 95% bootstrap interval")
    more = Table(title="Chance that k episodes all succeed; success apart by mark")
    for column in ("agent", "tasks, episodes", "success", "tools", "reward", "calls"):
        scores.add_column(column, justify="left" if column == "agent" else "right")
    for column in ("agent", *(f"pass^{k}" for k in KS), "marked", "unmarked", "abstained"):
        more.add_column(column, justify="left" if column == "agent" else "right")
    told = []
    for name, judged in by_agent.items():
        summary = summarise(judged, bootstrap=bootstrap)
        scores.add_row(
            name,
            f"{summary['tasks']}, {summary['rollouts']}",
            *(_interval(summary[key]) for key in ("success", "tools", "reward", "calls")),
        )
        more.add_row(
            name,
            *(_share(pass_hat_k(judged, k)) for k in KS),
            "\n".join(f"{mark}: {_part(part)}" for mark, part in summary["by_mark"].items()) or "–",
            _part(summary["unmarked"]),
            str(summary["abstained"]),
        )
        kinds = ", ".join(f"{kind} {n}" for kind, n in list(summary["defects"].items())[:5])
        told.append(f"{name}: {kinds or 'no defect'}")
    console = console or Console()
    console.print(scores)
    console.print(more)
    console.print(
        "success: the world's own evaluator. marked: by what is known of the task itself,"
    )
    console.print("such as a ticket that lacks what its check wants (number of tasks).")
    for line in told:
        console.print(f"Defects of {line}", highlight=False, markup=False)


def _interval(value: Mapping[str, float | None]) -> str:
    if value["mean"] is None:
        return "–"
    return f"{value['mean']:.2f}\n{value['low']:.2f}–{value['high']:.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _part(part: Mapping[str, Any]) -> str:
    return "–" if part["success"] is None else f"{part['success']:.2f} ({part['tasks']})"
