"""From groups of known truth to rows for reward models: pairs and ranked lists.

    maker = RewardRows(JudgeSettings(budget=6000), making)
    list(maker.pairs(group_row)); maker.ranked(group_row)

The text is the one that the scalar judge reads (`scalar_text`), cut in two where what is common to
all candidates ends: `prompt + response` is that text, byte by byte.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from telejudge_envs.registry import open_world
from telejudge_judges.briefing import WorldBriefings
from telejudge_judges.evidence import prepare
from telejudge_judges.opaque import digest
from telejudge_judges.render import OverBudget
from telejudge_judges.scalar import scalar_text
from telejudge_judges.settings import JudgeSettings
from telejudge_judges.sitting import briefing_of
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.rows import GroupRow, PairRow, RankedRow

APART = 0.05
"""Rewards that differ by less make no pair: noise of the weights, not a preference."""

_COMMON = ("setting", "ticket", "policy", "tools")
"""Parts of the evidence that do not depend on the candidate."""


@dataclass
class RewardRows:
    """`most` limits the pairs of a group; those of different answers come first."""

    settings: JudgeSettings
    making: Making
    most: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        self._briefings = WorldBriefings(open_world)

    def pairs(self, row: GroupRow) -> Iterator[PairRow]:
        """None from a group whose candidates are equally good."""
        texts = self._texts(row)
        dice = random.Random(f"{self.seed}|pairs|{row.id}")
        found = []
        for one, other in combinations(texts, 2):
            better, worse = sorted((one, other), key=lambda t: -row.truths[t].reward)
            margin = row.truths[better].reward - row.truths[worse].reward
            if margin >= APART:
                same = row.truths[better].answer == row.truths[worse].answer
                found.append((same, dice.random(), margin, better, worse))
        for same, _, margin, better, worse in sorted(found)[: self.most]:
            self.making.count("pairs differ in", "tools only" if same else "answer")
            self._count(row)
            yield PairRow(
                id=digest("pair", row.id, better, worse)[:16],
                group_id=row.id,
                task_id=row.group.task.id,
                world=row.group.task.world,
                split=row.split,
                prompt=texts[better][0],
                chosen=texts[better][1],
                rejected=texts[worse][1],
                chosen_id=better,
                rejected_id=worse,
                chosen_answer=row.truths[better].answer,
                rejected_answer=row.truths[worse].answer,
                margin=margin,
                reserved=row.reserved,
                provenance=self._provenance(row),
            )

    def ranked(self, row: GroupRow) -> RankedRow | None:
        """All candidates, best first; None when not all of them fit the budget."""
        texts = self._texts(row)
        if len(texts) < len(row.truths):
            return None
        order = sorted(texts, key=lambda name: (-row.truths[name].reward, name))
        self._count(row)
        return RankedRow(
            id=digest("ranked", row.id)[:16],
            group_id=row.id,
            task_id=row.group.task.id,
            world=row.group.task.world,
            split=row.split,
            form=row.form,
            prompt=texts[order[0]][0],
            responses=tuple(texts[name][1] for name in order),
            rewards=tuple(row.truths[name].reward for name in order),
            answers=tuple(row.truths[name].answer for name in order),
            members=tuple(order),
            kinds=tuple(row.truths[name].kind or "" for name in order),
            reserved=row.reserved,
            provenance=self._provenance(row),
        )

    def _texts(self, row: GroupRow) -> dict[str, tuple[str, str]]:
        """Prompt and response by trajectory id; candidates over the budget are counted."""
        brief, _ = briefing_of(self._briefings, row.group.task)
        found = {}
        for one in row.group.trajectories:
            case = prepare(
                row.group,
                [one],
                policy=brief.policy,
                include_reasoning=self.settings.include_reasoning,
            )
            try:
                text = scalar_text(case, brief.tools, self.settings.budget)
            except OverBudget:
                self.making.count("left out", "over the budget")
                continue
            found[one.id] = _cut(text)
        return found

    def _provenance(self, row: GroupRow):
        return self.making.provenance(row.provenance.source, row.provenance.licence, row.id)

    def _count(self, row: GroupRow) -> None:
        self.making.count("split", row.split)
        self.making.count("world", row.group.task.world)
        self.making.count("reserved", *{r.partition(":")[0] for r in row.reserved} or {"nothing"})
        self.making.licences[row.provenance.licence] += 1


def _cut(text: str) -> tuple[str, str]:
    """Where the first part begins that only this candidate has."""
    at = 0
    while any(text.startswith(f"<data {part}>", at) for part in _COMMON):
        at = text.index("\n</data>", at) + len("\n</data>")
        at += len("\n\n") if text.startswith("\n\n", at) else 0
    return text[:at], text[at:]
