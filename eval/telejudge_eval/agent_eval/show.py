"""The tables of `telejudge eval agent`. Every number says what it is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from telejudge_eval.agent_eval.differences import Row
from telejudge_eval.agent_eval.measures import KS, OF_USERS, Figure
from telejudge_eval.agent_eval.records import Episode
from telejudge_eval.agent_eval.summary import AgentSummary
from telejudge_eval.agent_eval.versus import Versus

SCORES = ("success", "tools", "reward")
EFFORT = ("calls", "tokens", "cost_usd", "seconds", "calls_to_resolve", "seconds_to_resolve")
CHANCES = (("drawn", "pass^{}"), ("power", "(c/n)^{}"), ("at least one", "pass@{}"))
KINDS_SHOWN = 4
PARTS_SHOWN = 40


def print_agents(summaries: Sequence[AgentSummary], console: Console) -> None:
    """Scores, effort and chances of all agents; then parts and differences, agent by agent."""
    _figures("Means over tasks, 95% bootstrap interval", summaries, SCORES, console, decimals=2)
    known = [n for n in OF_USERS if any(s.figures[n].value is not None for s in summaries)]
    _figures("Effort an episode", summaries, (*EFFORT, *known), console, decimals=1)
    _chances(summaries, console)
    for one in summaries:
        _parts(one, console)
        _differences(one, console)
        _told(one.episodes, console)


def print_versus(found: Versus, first: str, second: str, console: Console) -> None:
    table = Table(title=f"{second} against {first}: {found.tasks} common tasks")
    for column in ("", "tasks", "first", "second", "second - first", "p"):
        table.add_column(column, justify="left" if column == "" else "right")
    for line in found.lines:
        d = line.difference
        table.add_row(
            line.title,
            str(line.tasks),
            _number(line.first),
            _number(line.second),
            f"{d.value:+.3f} [{_number(d.low)}, {_number(d.high)}]".replace("[", r"\["),
            _p(d.p),
        )
    console.print(table)
    console.print(
        f"Tasks of only one of them, left out: {found.left_out}. p: paired permutation of whole "
        "tasks; many lines are many tests."
    )


def _figures(
    title: str,
    summaries: Sequence[AgentSummary],
    names: Sequence[str],
    console: Console,
    decimals: int,
) -> None:
    table = Table(title=title)
    for column in ("agent", "tasks, episodes", *names):
        table.add_column(column.replace("_", " "), justify="left" if column == "agent" else "right")
    for one in summaries:
        cells = [_interval(one.figures[name], decimals) for name in names]
        table.add_row(one.name, f"{one.tasks}, {len(one.episodes)}", *cells)
    console.print(table)


def _chances(summaries: Sequence[AgentSummary], console: Console) -> None:
    table = Table(title="Chance that k episodes all succeed (two conventions), or one of them")
    for column in ("agent", "k =", *map(str, KS)):
        table.add_column(column, justify="left" if column in ("agent", "k =") else "right")
    for one in summaries:
        for row, form in CHANCES:
            names = [form.format(k) for k in KS]
            cells = [_interval(one.figures[n], 2) if n in one.figures else "" for n in names]
            table.add_row(one.name if row == "drawn" else "", form.format("k"), *cells)
    console.print(table)


def _parts(one: AgentSummary, console: Console) -> None:
    table = Table(title=f"{one.name}: by known defect of the task, split, level, fault")
    for column in ("", "tasks", "success", "tools", "reward", "calls"):
        table.add_column(column, justify="left" if column == "" else "right")
    for kind, values in one.parts.items():
        for value, figures in list(values.items())[:PARTS_SHOWN]:
            table.add_row(
                f"{kind}: {value}",
                str(figures["calls"].tasks),
                _inline(figures["success"]),
                *(_number(figures[name].value, 2) for name in ("tools", "reward")),
                _number(figures["calls"].value, 1),
            )
    console.print(table)


def _differences(one: AgentSummary, console: Console) -> None:
    table = Table(title=f"{one.name}: the world's reward beside ours")
    for column in ("world's", "ours: band", "episodes", "ours: mean", "by which defects"):
        table.add_column(column, justify="right" if "band" not in column else "left")
    for row in one.differences:
        table.add_row(
            str(row.world),
            row.ours if row.agree else f"[bold]{row.ours}[/]",
            str(row.episodes),
            f"{row.mean_reward:.2f}",
            _kinds(row),
        )
    console.print(table)


def _kinds(row: Row) -> str:
    return ", ".join(f"{kind} {n}" for kind, n in list(row.kinds.items())[:KINDS_SHOWN]) or "–"


def _told(episodes: Sequence[Episode], console: Console) -> None:
    excused = Counter(e.excused for e in episodes if e.excused is not None)
    for cause, n in excused.most_common(5):
        console.print(f"{n} episodes not scored: {cause}", highlight=False, markup=False)
    silent = sum(e.reward is None and e.excused is None for e in episodes)
    if silent:
        console.print(f"{silent} more that the verifier abstained from", highlight=False)


def _interval(figure: Figure, decimals: int) -> str:
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return _number(figure.value, decimals)
    low, high = _number(figure.low, decimals), _number(figure.high, decimals)
    return f"{_number(figure.value, decimals)}\n{low}–{high}"


def _inline(figure: Figure) -> str:
    return _interval(figure, 2).replace("\n", " (") + (")" if figure.low is not None else "")


def _number(value: float | None, decimals: int = 3) -> str:
    return "–" if value is None else f"{value:,.{decimals}f}"


def _p(value: float | None) -> str:
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"
