"""What the commands print at the end: small tables whose every number says how many it is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from telejudge_envs.nouns.trajectory import Outcome, Rollout, Usage
from telejudge_envs.nouns.verdict import GroupVerdict

LEVELS_SHOWN, MARKS_SHOWN = 5, 4


def before_after_table(summary: Mapping[str, Any], console: Console) -> None:
    """The main job's result, from the summary of `train_embedded`."""
    before, after = summary["before"], summary["after"]
    table = Table(
        title=f"{after['tasks']} test tasks, {after['rollouts']} episodes, sampled at "
        f"temperature {after['temperature']:g} (95% interval over tasks)"
    )
    table.add_column("")
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    rows = [
        ("success by the world's evaluator", "success", _percent),
        ("tool-call reasonableness", "tools", _decimal),
        ("reward", "reward", _decimal),
        ("calls an episode", "calls", _decimal),
    ]
    for title, key, form in rows:
        table.add_row(title, _interval(before[key], form), _interval(after[key], form))
    for title, old, new in _parts(before, after):
        cells = [_percent(side["success"]) for side in (old, new)]
        table.add_row(f"success, {title} ({new['tasks']} tasks)", *cells)
    greedy = [_percent(side["greedy"]["success"]["mean"]) for side in (before, after)]
    table.add_row("success, greedy decoding (1 episode a task)", *greedy)
    table.add_row("abstained verdicts", str(before["abstained"]), str(after["abstained"]))
    console.print(table)


def _parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Parts of the tasks that are worth a row: by level where there are few, and by mark."""
    parts: list[tuple[str, Any, Any]] = []
    if 1 < len(after["by_level"]) <= LEVELS_SHOWN:
        for level, new in after["by_level"].items():
            parts.append((f"level {level}", before["by_level"][level], new))
    for mark, new in list(after["by_mark"].items())[:MARKS_SHOWN]:
        parts.append((mark.replace("_", " "), before["by_mark"][mark], new))
    if after["by_mark"]:
        parts.append(("other tasks", before["unmarked"], after["unmarked"]))
    return parts


def rollout_table(rollouts: Sequence[Rollout], console: Console | None = None) -> None:
    """Success of each agent and mode, by the world's own reward."""
    table = Table(title="Rollouts")
    for column in ("agent", "mode", "episodes", "success", "calls", "not the agent's fault"):
        table.add_column(column, justify="left" if column in ("agent", "mode") else "right")
    names = sorted({(r.trajectory.agent, r.trajectory.mode) for r in rollouts})
    for agent, mode in names:
        own = [r for r in rollouts if (r.trajectory.agent, r.trajectory.mode) == (agent, mode)]
        scored = [r.outcome.world_reward for r in own if r.outcome and not r.outcome.faults]
        table.add_row(
            agent,
            mode,
            f"{len(own):,}",
            _percent(fmean(scored)) if scored else "–",
            f"{fmean(r.trajectory.usage.calls for r in own):.1f}",
            str(len(own) - len(scored)),
        )
    (console or Console()).print(table)


def rollout_figures(rollouts: Sequence[Rollout]) -> dict[str, float | None]:
    """The main figures of rollouts, for the record of a run."""
    scored = [r.outcome.world_reward for r in rollouts if r.outcome and not r.outcome.faults]
    return {
        "episodes": len(rollouts),
        "success": fmean(scored) if scored else None,
        "calls": fmean(r.trajectory.usage.calls for r in rollouts) if rollouts else None,
        "not_scored": len(rollouts) - len(scored),
        **_spent("", [r.trajectory.usage for r in rollouts]),
        **_spent("user_", users_of(rollouts)),
    }


def users_of(rollouts: Sequence[Rollout]) -> list[Usage]:
    """What the models spent that played users."""
    spent = (r.trajectory.user_usage for r in rollouts)
    return [usage for usage in spent if usage is not None]


def cost_line(rollouts: Sequence[Rollout]) -> str:
    """`, 0.0123 USD, and 4,567 tokens (0.0045 USD) of users`, as far as there are any."""
    cost = sum(r.trajectory.usage.cost_usd for r in rollouts)
    told = f", {cost:.4f} USD" if cost else ""
    if users := users_of(rollouts):
        tokens, cost = _tokens(users), sum(usage.cost_usd for usage in users)
        told += f", and {tokens:,} tokens{f' ({cost:.4f} USD)' if cost else ''} of users"
    return told


def _spent(whose: str, usages: Sequence[Usage]) -> dict[str, float | None]:
    if whose and not usages:
        return {}
    cost = sum(usage.cost_usd for usage in usages)
    return {f"{whose}tokens": _tokens(usages), f"{whose}cost_usd": cost or None}


def _tokens(usages: Sequence[Usage]) -> int:
    return sum(usage.prompt_tokens + usage.completion_tokens for usage in usages)


def training_figures(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """The main figures of an agent's training, from its summary."""
    return {
        f"{name}_{when}": summary[when][name]["mean"]
        for name in ("success", "tools", "calls")
        for when in ("before", "after")
    }


def verdict_figures(groups: Sequence[GroupVerdict]) -> dict[str, float | None]:
    """The main figures of a judge's work."""
    verdicts = [v for g in groups for v in g.verdicts]
    scored = [v for v in verdicts if v.abstained is None]
    return {
        "groups": len(groups),
        "verdicts": len(verdicts),
        "abstained": len(verdicts) - len(scored),
        "judged_right": fmean(v.answer or 0 for v in scored) if scored else None,
        "reward": fmean(v.reward or 0 for v in scored) if scored else None,
        "tokens": sum(g.prompt_tokens + g.completion_tokens for g in groups),
    }


def verdict_table(
    groups: Sequence[GroupVerdict],
    outcomes: Mapping[str, Outcome],
    console: Console | None = None,
) -> None:
    """What a judge said, what it cost, and how often it agrees with known outcomes."""
    verdicts = [v for g in groups for v in g.verdicts]
    scored = [v for v in verdicts if v.abstained is None]
    table = Table(title=f"{groups[0].judge if groups else 'judge'} on {len(groups):,} groups")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("verdicts", f"{len(verdicts):,}")
    table.add_row("abstained", f"{len(verdicts) - len(scored):,}")
    if scored:
        table.add_row("judged right (answer 1)", _percent(fmean(v.answer or 0 for v in scored)))
        table.add_row("tool-call reasonableness", _decimal(fmean(v.tools or 0 for v in scored)))
        table.add_row("reward", _decimal(fmean(v.reward or 0 for v in scored)))
    known = [v for v in scored if v.trajectory_id in outcomes]
    if known:
        agree = sum(v.answer == outcomes[v.trajectory_id].answer for v in known)
        table.add_row("answer equals the recorded outcome", f"{agree} of {len(known)}")
    flips = [g.order_flip_rate for g in groups if g.order_flip_rate is not None]
    if flips:
        table.add_row("order flip rate", _percent(fmean(flips)))
    calls, cached = sum(g.calls for g in groups), sum(g.cached_calls for g in groups)
    if calls or cached:
        tokens = sum(g.prompt_tokens + g.completion_tokens for g in groups)
        table.add_row("model calls (from the cache)", f"{calls:,} ({cached:,})")
        table.add_row("tokens", f"{tokens:,}")
    console = console or Console()
    console.print(table)
    kinds = Counter(d.kind for v in scored for d in v.defects)
    if kinds:
        told = ", ".join(f"{kind} {n}" for kind, n in kinds.most_common())
        console.print(f"Defects: {told}", highlight=False)
    causes = Counter(v.abstained for v in verdicts if v.abstained is not None)
    for cause, n in causes.most_common(5):
        console.print(f"Abstained {n}×: {cause}", highlight=False, markup=False)


def _interval(value: Mapping[str, float | None], form: Any) -> str:
    if value["mean"] is None:
        return "–"
    return f"{form(value['mean'])} ({form(value['low'])}–{form(value['high'])})"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
