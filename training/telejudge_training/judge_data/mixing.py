"""From pools of candidates to groups, balanced by how many candidates are right and by what is
wrong with the others.

    mixer = Mixer(Mix(sizes=(2, 3, 4, 5)), making)
    for group in mixer.deal(pool): ...

| form | candidates |
|---|---|
| mixed | gold, alternatives, corruptions and the expert's rollouts |
| natural | the expert's rollouts as they came: what a judge sees in training |
| recorded | recorded rollouts |

Of the (size, number right) pairs that a pool can still serve, the one that was used least is taken;
of the candidates, those of the kind that was used least. A candidate is in one group at most.
Training and dev groups hold nobody with a reserved kind of defect; of a test task every second
group holds at least one, when there is one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.trajectory import Group
from telejudge_judges.opaque import digest
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.pools import Member, Pool
from telejudge_training.judge_data.rows import GroupRow

LICENCES = {"tau2-telecom": "MIT", "base-station": "Apache-2.0"}
"""Of the text of a world's trajectories: tau2-bench's data, and our own."""


class Mix(Noun):
    """How groups are made. `reserved` are corruption kinds kept for tests, `hidden` the defects in
    which they show."""

    sizes: tuple[int, ...] = (2, 3, 4, 5)
    per_task: int = 2
    natural: float = 0.3
    """Share of the groups made of the expert's rollouts alone."""
    reserved: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    seed: int = 0


@dataclass
class Mixer:
    """Deals pool after pool; what it dealt before decides what it prefers next."""

    mix: Mix
    making: Making
    shapes: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    """Groups by form, size and number right."""
    kinds: Counter[str] = field(default_factory=Counter)
    naturals: int = 0
    groups: int = 0

    def deal(self, pool: Pool) -> Iterator[GroupRow]:
        """The groups of a pool; fewer than `per_task` when it is used up."""
        dice = random.Random(f"{self.mix.seed}|{pool.key}")
        left = dice.sample(pool.members, len(pool.members))
        fit = [m for m in left if not self._is_reserved(m)]
        if pool.split == "test":
            fit, kept = fit, [m for m in left if self._is_reserved(m)]
        else:
            kept = []
        for number in range(self.mix.per_task):
            form = self._form(pool, fit)
            must = kept[:1] if number % 2 and form == "mixed" else []
            among = [m for m in fit if form == "mixed" or m.truth.origin == _ORIGIN[form]]
            chosen = self._choose(form, must, among, dice)
            if len(chosen) < 2:
                continue
            gone = {m.trajectory.id for m in chosen}
            fit = [m for m in fit if m.trajectory.id not in gone]
            kept = [m for m in kept if m.trajectory.id not in gone]
            yield self._group(pool, form, dice.sample(chosen, len(chosen)))

    def _form(self, pool: Pool, fit: Sequence[Member]) -> str:
        origins = Counter(m.truth.origin for m in fit)
        if origins["recorded"]:
            return "recorded"
        wanted = self.naturals < self.mix.natural * (self.groups + 1)
        corrupted = len(fit) - origins["expert"]
        return "natural" if origins["expert"] > 1 and (wanted or not corrupted) else "mixed"

    def _choose(
        self, form: str, must: Sequence[Member], among: Sequence[Member], dice: random.Random
    ) -> list[Member]:
        """Members of a group: those that it must have and others; fewer than 2: none fits."""
        if form != "mixed":  # as they came
            size = min(dice.choice(self.mix.sizes), len(among))
            return list(among[:size])
        right = [m for m in among if m.truth.answer == 1]
        wrong = [m for m in among if m.truth.answer == 0]
        sure = sum(m.truth.answer for m in must)
        shapes = [
            (size, count)
            for size in self.mix.sizes
            for count in range(size + 1)
            if 0 <= count - sure <= len(right)
            and 0 <= size - count - (len(must) - sure) <= len(wrong)
        ]
        if not shapes:
            return []
        size, count = min(shapes, key=lambda s: (self.shapes[form, *s] * (s[0] + 1), dice.random()))
        chosen = list(must)
        chosen += self._least_used(right, count - sure, dice)
        return chosen + self._least_used(wrong, size - len(chosen), dice)

    def _least_used(
        self, members: Sequence[Member], count: int, dice: random.Random
    ) -> list[Member]:
        """`count` of them, each of the kind that was used least when it is drawn."""
        left, chosen = list(members), list[Member]()
        used = Counter(self.kinds)
        for _ in range(count):
            best = min(left, key=lambda m: (used[sort_of(m)], dice.random()))
            left.remove(best)
            chosen.append(best)
            used[sort_of(best)] += 1
        return chosen

    def _group(self, pool: Pool, form: str, chosen: Sequence[Member]) -> GroupRow:
        right = sum(m.truth.answer for m in chosen)
        self.shapes[form, len(chosen), right] += 1
        self.kinds.update(sort_of(m) for m in chosen)
        self.groups += 1
        self.naturals += form == "natural"
        name = "g" + digest(pool.key, *(m.trajectory.id for m in chosen))[:12]
        own = {m.truth.kind for m in chosen if m.truth.kind in self.mix.reserved}
        reserved = (*pool.reserved, *(f"kind:{kind}" for kind in sorted(filter(None, own))))
        source = pool.task.world
        row = GroupRow(
            id=name,
            split=pool.split,
            form=form,
            group=Group(id=name, task=pool.task, trajectories=tuple(m.trajectory for m in chosen)),
            truths={m.trajectory.id: m.truth for m in chosen},
            reserved=reserved,
            provenance=self.making.provenance(source, LICENCES.get(source, "unknown"), pool.key),
        )
        count_group(self.making, row, {m.trajectory.id: sort_of(m) for m in chosen})
        return row

    def _is_reserved(self, member: Member) -> bool:
        kinds = {defect.kind for defect in member.truth.defects or ()}
        return member.truth.kind in self.mix.reserved or not kinds.isdisjoint(self.mix.hidden)


_ORIGIN = {"natural": "expert", "recorded": "recorded"}


def sort_of(member: Member) -> str:
    """What kinds are balanced by: the corruption, else where a candidate comes from and its end."""
    truth = member.truth
    if truth.kind is not None:
        return truth.kind
    if truth.origin in ("gold", "alternative"):
        return truth.origin
    return f"{truth.origin} {'right' if truth.answer else 'wrong'}"


def count_group(making: Making, row: GroupRow, sorts: Mapping[str, str]) -> None:
    """Into the card: groups by split, form, size and number right; candidates by kind."""
    right = sum(truth.answer for truth in row.truths.values())
    making.count("split", row.split)
    making.count("form", row.form)
    making.count("candidates", str(len(row.truths)))
    making.count("right candidates of all", f"{right} of {len(row.truths)}")
    making.count(f"candidates in {row.split}", *sorts.values())
    making.count("reserved", *{r.partition(":")[0] for r in row.reserved} or {"nothing"})
    making.licences[row.provenance.licence] += 1


def trained_kinds(rows: Collection[GroupRow]) -> frozenset[str]:
    """Kinds of defects that occur in training groups."""
    return frozenset(
        defect.kind
        for row in rows
        if row.split in ("train", "dev")
        for truth in row.truths.values()
        for defect in truth.defects or ()
    )
