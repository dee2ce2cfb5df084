"""The numbers of a report, each with its n: figures by phase, defects by kind, one line a group.

In: judged groups. Out: small records that the template prints.

    table = figures(groups, ["before", "after"])
    table[0].rows[0].cells[0]      # Figure(text="41.2 %", n=320)

What was not scored is counted, never taken as a number: an episode without a known outcome, or
with a failure that is not the agent's, is left out of every mean, and so is an abstention.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_eval.report.entry import Entry, entries
from telejudge_eval.report.text import digest, number

TIE = 1e-6
"""Rewards that differ by less are equal, as in training."""

MARKS_SHOWN = 4
"""Marks that get a table of their own, the most frequent first."""

SEVERITIES = ("safety", "hard", "soft")


@dataclass(frozen=True)
class Figure:
    """A number ready to print and how many episodes (or groups) it stands on."""

    value: float | None
    text: str
    n: int


@dataclass(frozen=True)
class FigureRow:
    """`is_mean`: the cells are means over n episodes; otherwise counts out of n."""

    name: str
    cells: tuple[Figure, ...]
    change: str
    is_mean: bool


@dataclass(frozen=True)
class FigureTable:
    """The same figures for one subset of the tasks."""

    title: str
    rows: tuple[FigureRow, ...]


Measure = Callable[[Entry], float | None]


SUCCESS = "Success by the world's evaluator"

MEASURES: tuple[tuple[str, Measure, int | None], ...] = (
    (SUCCESS, lambda e: None if e.solved is None else float(e.solved), None),
    ("Right answer by the judge", lambda e: e.scored and e.scored.answer, None),
    ("Tool-call reasonableness", lambda e: e.scored and e.scored.tools, 3),
    ("Reward", lambda e: e.scored and e.scored.reward, 3),
    ("Calls an episode", lambda e: float(e.calls), 1),
)
"""Name, value of one episode, and its digits; None for a share, shown in percent."""


def figures(groups: Sequence[JudgedGroup], phases: Sequence[str]) -> list[FigureTable]:
    """Figures for all tasks and, where the mark occurs, apart for marked and unmarked ones."""
    tables = [_table("All tasks", groups, phases)]
    counted = Counter(mark for g in groups for mark in set(g.group.task.marks))
    for mark, _ in counted.most_common(MARKS_SHOWN):
        title = f"Tasks marked “{digest(mark.replace('_', ' '), 60)}”"
        tables.append(_table(title, [g for g in groups if mark in g.group.task.marks], phases))
    if counted:
        others = [g for g in groups if not g.group.task.marks]
        tables.append(_table("Tasks without a mark", others, phases))
    return tables


def _table(title: str, groups: Sequence[JudgedGroup], phases: Sequence[str]) -> FigureTable:
    by_phase = [[g for g in groups if g.phase == phase] for phase in phases]
    episodes = [[e for g in members for e in entries(g)] for members in by_phase]
    rows = []
    for name, measure, digits in MEASURES:
        cells = tuple(_mean(measure, members, digits) for members in episodes)
        rows.append(FigureRow(name, cells, change(cells, phases, digits), True))
    counts: list[tuple[str, Callable[[list[JudgedGroup]], int]]] = [
        ("Abstentions (of episodes)", lambda gs: sum(_abstained(g) for g in gs)),
        ("Failures of others (of episodes)", lambda gs: sum(_foreign(g) for g in gs)),
    ]
    for name, count in counts:
        cells = tuple(
            _count(count(members), len(of)) for members, of in zip(by_phase, episodes, strict=True)
        )
        rows.append(FigureRow(name, cells, "", False))
    ties = tuple(_count(sum(map(is_tied, ms)), len(ms)) for ms in by_phase)
    rows.append(FigureRow("Tied (of groups)", ties, "", False))
    tasks = {g.group.task.id for g in groups if g.phase in phases}
    return FigureTable(f"{title} ({len(tasks)})", tuple(rows))


def _mean(measure: Measure, episodes: Iterable[Entry], digits: int | None) -> Figure:
    values = [float(value) for e in episodes if (value := measure(e)) is not None]
    if not values:
        return Figure(None, "–", 0)
    return figure(fmean(values), len(values), digits)


def figure(value: float, n: int, digits: int | None) -> Figure:
    """A mean over n episodes; a share, in percent, where `digits` is None."""
    text = f"{100 * value:.1f} %" if digits is None else number(value, digits)
    return Figure(value, text, n)


def _count(value: int, of: int) -> Figure:
    return Figure(value, str(value), of) if of else Figure(None, "–", 0)


def change(cells: tuple[Figure, ...], phases: Sequence[str], digits: int | None) -> str:
    """After minus before, with its sign."""
    by_phase = dict(zip(phases, cells, strict=True))
    before, after = by_phase.get("before"), by_phase.get("after")
    if not before or not after or before.value is None or after.value is None:
        return ""
    difference = after.value - before.value
    if digits is None:
        return signed(100 * difference, 1, " pp")
    return signed(difference, digits)


def signed(value: float, digits: int, unit: str = "") -> str:
    """A difference with its sign; no sign when it rounds to nothing."""
    if round(value, digits) == 0:
        return f"{0:.{digits}f}{unit}"
    return f"{value:+.{digits}f}{unit}".replace("-", "−")


def _abstained(judged: JudgedGroup) -> int:
    return sum(v.abstained is not None for v in judged.verdict.verdicts)


def _foreign(judged: JudgedGroup) -> int:
    return sum(entry.foreign_failure for entry in entries(judged))


def is_tied(judged: JudgedGroup) -> bool:
    """Do at least two scored trajectories all carry the same reward? Then nothing is learnt."""
    rewards = [v.reward for v in judged.verdict.verdicts if v.reward is not None]
    return len(rewards) > 1 and max(rewards) - min(rewards) < TIE


@dataclass(frozen=True)
class Rate:
    """`n` defects in `of` judged episodes, as so many in 100 episodes."""

    value: float | None
    text: str
    n: int
    of: int


@dataclass(frozen=True)
class DefectRow:
    """A kind of defect and its rate in each phase."""

    kind: str
    severity: str
    cells: tuple[Rate, ...]
    change: str


def defect_rows(groups: Sequence[JudgedGroup], phases: Sequence[str]) -> list[DefectRow]:
    """Defects by kind and severity, the gravest and then the most frequent first."""
    counts: dict[str, Counter[tuple[str, str]]] = {phase: Counter() for phase in phases}
    judged_episodes: Counter[str] = Counter()
    for judged in groups:
        if judged.phase in counts:
            for verdict in judged.verdict.verdicts:
                judged_episodes[judged.phase] += verdict.abstained is None
                found = [(d.severity, d.kind) for d in verdict.defects]
                counts[judged.phase].update(found)
    total: Counter[tuple[str, str]] = sum(counts.values(), Counter())
    rows = []
    for severity, kind in sorted(
        total, key=lambda key: (SEVERITIES.index(key[0]), -total[key], key)
    ):
        cells = tuple(
            _rate(counts[phase][severity, kind], judged_episodes[phase]) for phase in phases
        )
        by_phase = dict(zip(phases, cells, strict=True))
        before, after = by_phase.get("before"), by_phase.get("after")
        change = ""
        if before and after and before.value is not None and after.value is not None:
            change = signed(after.value - before.value, 1)
        rows.append(DefectRow(kind, severity, cells, change))
    return rows


def _rate(count: int, of: int) -> Rate:
    if not of:
        return Rate(None, "–", 0, 0)
    return Rate(100 * count / of, f"{100 * count / of:.1f}", count, of)


@dataclass(frozen=True)
class GroupLine:
    """A group's line in the table of groups."""

    solved: int
    solved_of: int
    right: int
    scored: int
    reward: float | None
    spread: float | None
    """Standard deviation of the rewards within the group."""
    tied: bool
    abstained: int
    hard: int
    """Hard and safety defects."""
    defects: int

    @property
    def tags(self) -> list[str]:
        """What the reader may filter by."""
        tags = {
            "right": 0 < self.scored == self.right,
            "wrong": self.scored > 0 == self.right,
            "mixed": 0 < self.right < self.scored,
            "tied": self.tied,
            "abstained": self.abstained > 0,
            "hard": self.hard > 0,
        }
        return [tag for tag, holds in tags.items() if holds]


def group_line(judged: JudgedGroup) -> GroupLine:
    """Count one group."""
    members = entries(judged)
    solved = [entry.solved for entry in members if entry.solved is not None]
    scored = [entry.scored for entry in members if entry.scored is not None]
    rewards = [verdict.reward for verdict in scored if verdict.reward is not None]
    defects = [defect for v in judged.verdict.verdicts for defect in v.defects]
    return GroupLine(
        solved=sum(solved),
        solved_of=len(solved),
        right=sum(verdict.answer == 1 for verdict in scored),
        scored=len(scored),
        reward=fmean(rewards) if rewards else None,
        spread=pstdev(rewards) if rewards else None,
        tied=is_tied(judged),
        abstained=_abstained(judged),
        hard=sum(defect.severity != "soft" for defect in defects),
        defects=len(defects),
    )
