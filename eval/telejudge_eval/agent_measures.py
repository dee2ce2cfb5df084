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
from telejudge_training.summary import LACKS_AMOUNT, summarise


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
    """One column an agent; every row says what it is a mean of."""
    table = Table(title="Agents by the verifier (means over tasks, 95% bootstrap interval)")
    table.add_column("")
    columns: list[dict[str, str]] = []
    for name, judged in by_agent.items():
        table.add_column(name, justify="right", overflow="fold")
        columns.append(_column(judged, bootstrap))
    for row in columns[0] if columns else ():
        table.add_row(row, *(column[row] for column in columns))
    (console or Console()).print(table)


def _column(judged: Sequence[JudgedGroup], bootstrap: int) -> dict[str, str]:
    summary: dict[str, Any] = summarise(judged, bootstrap=bootstrap)
    shown = {"tasks": str(summary["tasks"]), "episodes": str(summary["rollouts"])}
    for title, key in (
        ("success by the world's evaluator", "success"),
        ("answer", "answer"),
        ("tool-call reasonableness", "tools"),
        ("reward", "reward"),
        ("calls an episode", "calls"),
    ):
        value = summary[key]
        shown[title] = (
            "–"
            if value["mean"] is None
            else f"{value['mean']:.2f} ({value['low']:.2f}–{value['high']:.2f})"
        )
    for k in (1, 2, 4, 8):
        value = pass_hat_k(judged, k)
        shown[f"pass^{k}"] = "–" if value is None else f"{value:.2f}"
    lacking = summary[LACKS_AMOUNT]
    rest = summary["other_tickets"]
    for title, part in (
        ("success, ticket lacks the refuel amount", lacking),
        ("success, other tickets", rest),
    ):
        value = part["success"]
        shown[title] = "–" if value is None else f"{value:.2f} ({part['tasks']} tasks)"
    shown["abstained"] = str(summary["abstained"])
    top = list(summary["defects"].items())[:3]
    shown["most frequent defects"] = "\n".join(f"{kind} {n}" for kind, n in top) or "none"
    return shown
