"""How often items are hit, and which of them tell candidates apart.

    known = read_hits([Path("observations.jsonl")])
    rule = HitRule(least=0.02, most=0.98, seen=20)
    rule.drops(item, known.get(item.id))

A hit is a candidate of whom the statement is true; the rate is hits / (hits + misses), `na` counts
neither way. An item that is true of nearly everybody or of nearly nobody says nothing about who did
better, and costs tokens with every trajectory. Core items (the outcome, safety) are never dropped:
that they are seldom hit is what one hopes for.

Observations are lines that a judge writes; it reads those that it is given when it is made, never
its own of the same run, so that a verdict does not depend on what was judged before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Noun
from telejudge_judges.rubric.items import RubricItem
from telejudge_judges.rubric.reply import Answer

DRAFTED = "drafted"
"""The source of an item that a generator wrote."""

Heard = Mapping[str, Answer]
"""A candidate's answers by item id."""


class Observation(Noun):
    """What the candidates of one group gave for one item."""

    group_id: str
    item: str
    text: str = ""
    """Of drafted items, which stand in no file."""
    yes: int = 0
    no: int = 0
    na: int = 0


@dataclass(frozen=True)
class Hits:
    """Counts of one item over all that was observed."""

    yes: int = 0
    no: int = 0
    na: int = 0
    text: str = ""

    @property
    def seen(self) -> int:
        return self.yes + self.no

    @property
    def rate(self) -> float | None:
        """None as long as the item applied to nobody."""
        return self.yes / self.seen if self.seen else None


@dataclass(frozen=True)
class HitRule:
    """Keep items with a rate from `least` to `most`; judge none by fewer than `seen` candidates."""

    least: float = 0.02
    most: float = 0.98
    seen: int = 20

    def __post_init__(self) -> None:
        if not 0.0 <= self.least <= self.most <= 1.0 or self.seen < 1:
            raise UsageError(
                f"hit rates must be 0 <= least <= most <= 1 and seen at least 1, got {self}"
            )

    def drops(self, item: RubricItem, hits: Hits | None) -> bool:
        """Whether the item is hit too rarely or too often."""
        if item.core or hits is None or hits.rate is None or hits.seen < self.seen:
            return False
        return not self.least <= hits.rate <= self.most

    def tells_apart(self, item: RubricItem, heard: Sequence[Heard]) -> bool:
        """Whether an item without a history tells the candidates of one group apart: it applied to
        two at least, and within the rates."""
        hits = count(answers[item.id] for answers in heard)
        rate = hits.rate
        return hits.seen > 1 and rate is not None and self.least <= rate <= self.most


def observations(
    group_id: str, items: Iterable[RubricItem], heard: Sequence[Heard]
) -> list[Observation]:
    """What the candidates of a group gave, item by item."""
    made = []
    for item in items:
        hits = count(answers[item.id] for answers in heard)
        text = item.text if item.source == DRAFTED else ""
        made.append(
            Observation(
                group_id=group_id, item=item.id, text=text, yes=hits.yes, no=hits.no, na=hits.na
            )
        )
    return made


def count(answers: Iterable[Answer]) -> Hits:
    """Hits of one item among these answers."""
    said = [answer.verdict for answer in answers]
    return Hits(yes=said.count("yes"), no=said.count("no"), na=said.count("na"))


def read_hits(paths: Iterable[Path]) -> Mapping[str, Hits]:
    """Counts by item id. A group that was judged again counts as it was judged last.

    Raises DataError naming file and line.
    """
    last: dict[tuple[str, str], Observation] = {}
    for path in paths:
        for one in store.read(path, Observation):
            last[(one.group_id, one.item)] = one
    totals: dict[str, Hits] = {}
    for one in last.values():
        so_far = totals.get(one.item, Hits())
        totals[one.item] = Hits(
            so_far.yes + one.yes, so_far.no + one.no, so_far.na + one.na, one.text or so_far.text
        )
    return totals


def record(path: Path, observations: Iterable[Observation]) -> None:
    """Append to a file. Raises UsageError when another process is writing it."""
    with store.Store(path, Observation) as file:
        for one in observations:
            file.append(one)
