"""Judges that judge together: several kinds, or one asked several times, and an anchor's bounds.

    judge = EnsembleJudge([listwise, pointwise], quorum=2)
    judge = EnsembleJudge([listwise], anchor=Verifier(open_world), slack=0.2)
    judge = EnsembleJudge([listwise_0, listwise_1, listwise_2], meta=MetaJudge(client))
    verdict = await judge.judge(group)

Members judge the whole group side by side. A trajectory that fewer than `quorum` members scored is
abstained (`too_few_members: …`); a member that breaks, whatever it raises, has abstained on
everything (`broke (…)`). A meta-judge (meta_judge.py) then drops the scores that the evidence does
not bear out; who has none left is abstained (`all_unsupported`). From the scores that remain:

| what | rule `vote` | rule `unanimous` |
|---|---|---|
| answer | majority; a tie is abstained (`members_disagree`) | 1 only if all say 1 |
| hard, safety defects | when most report that severity; a tie is abstained | when any does |
| soft defects | union, each step and kind once | the same |
| tools | mean | lowest |
| confidence | share of all members that gave this answer | the same |

An `anchor`, such as the verifier, bounds what the members say:

| what | rule |
|---|---|
| answer | the anchor's |
| hard, safety defects | the anchor's alone |
| soft defects | union; of the members' none that costs as much as a hard one (fuse.py) |
| tools | the members', kept within `slack` of the anchor's |
| anchor abstains | abstained (`anchor: …`): nothing would bound the members |

So nobody who talks the members round gains more than `slack` can buy, while what the anchor cannot
see still moves the reward inside its range. `reward` is fuse(answer, tools, defects) as everywhere.
Voting helps against noise, not against a mistake that members share: samples of one model do.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Ballot, Defect, GroupVerdict, Verdict
from telejudge_judges.account import Account
from telejudge_judges.aggregate import Votes, grave_level
from telejudge_judges.aggregate import verdict as voted
from telejudge_judges.codec import Entry
from telejudge_judges.fuse import UNEARNED, fuse
from telejudge_judges.meta_judge import MetaJudge
from telejudge_judges.opaque import digest
from telejudge_judges.protocol import Judge
from telejudge_judges.sitting import Sitting, abstain

VERSION = "1"
RULES = ("vote", "unanimous")
ALL_UNSUPPORTED = "all_unsupported"


class _Said(NamedTuple):
    """What a member said, by trajectory id."""

    verdicts: dict[str, Verdict]
    flip_rate: float | None = None


class EnsembleJudge:
    """Implements the Judge protocol over other judges.

    `quorum` None asks for more than half of the members, before the meta-judge drops any. Raises
    UsageError when there are no members, the quorum is higher than their number, or the rule is
    unknown.
    """

    name = "ensemble"

    def __init__(
        self,
        members: Sequence[Judge],
        *,
        rule: str = "vote",
        quorum: int | None = None,
        anchor: Judge | None = None,
        slack: float = 0.2,
        meta: MetaJudge | None = None,
    ) -> None:
        if not members:
            raise UsageError("an ensemble needs members, e.g. members: [{judge: listwise}]")
        if rule not in RULES:
            raise UsageError(f"no rule '{rule}'; choose {', '.join(RULES)}")
        self.quorum = len(members) // 2 + 1 if quorum is None else quorum
        if not 1 <= self.quorum <= len(members):
            raise UsageError(f"quorum is {quorum}, but there are {len(members)} members")
        self.members, self.rule = tuple(members), rule
        self.anchor, self.slack, self.meta = anchor, slack, meta
        parts = [f"{m.name} {m.version}" for m in (*members, *([anchor] if anchor else []))]
        parts += [f"{meta.name} {meta.version}"] if meta else []
        options = f"{rule}|{self.quorum}|{anchor is not None}|{slack}"
        self.version = f"{VERSION}+{digest(options, *parts)[:8]} of {len(members)}"

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group with all members at once."""
        sitting = Sitting(self, group)
        asked = [*self.members, *([self.anchor] if self.anchor else [])]
        said = await asyncio.gather(*(_ask(member, group, sitting) for member in asked))
        heard = [one.verdicts for one in said[: len(self.members)]]
        bounds = said[-1].verdicts if self.anchor else None
        left = heard if self.meta is None else await self.meta.sift(sitting, heard)
        verdicts = {}
        for one in sitting.judged:
            verdict = self._combine(one.id, _of(heard, one.id), _of(left, one.id))
            if bounds is not None and verdict.abstained is None:
                verdict = bounded(verdict, bounds.get(one.id), self.slack)
            verdicts[one.id] = verdict
        flips = [one.flip_rate for one in said if one.flip_rate is not None]
        return sitting.close(
            verdicts,
            ballots=_ballots(left),
            order_flip_rate=sum(flips) / len(flips) if flips else None,
        )

    def _combine(
        self, trajectory_id: str, heard: Sequence[Verdict], left: Sequence[Verdict]
    ) -> Verdict:
        """The verdict of those members that scored the trajectory, from the scores `left`."""
        if len(_entries(heard)) < self.quorum:
            causes = Counter(v.abstained for v in heard if v.abstained).most_common(1)
            cause = causes[0][0] if causes else "missing"
            return abstain(trajectory_id, f"too_few_members: {cause}")
        entries = _entries(left)
        if not entries:
            return abstain(trajectory_id, ALL_UNSUPPORTED)
        if self.rule == "unanimous":
            return self._strictest(trajectory_id, entries)
        verdict = voted(trajectory_id, Votes(asked=len(self.members), entries=entries))
        return abstain(trajectory_id, "members_disagree") if verdict.abstained else verdict

    def _strictest(self, trajectory_id: str, entries: Sequence[Entry]) -> Verdict:
        answer = 1 if all(entry.answer for entry in entries) else 0
        tools = min(entry.tools for entry in entries)
        defects = _union(*(entry.defects for entry in entries))
        return Verdict(
            trajectory_id=trajectory_id,
            answer=answer,
            tools=tools,
            defects=defects,
            reward=fuse(answer, tools, defects),
            confidence=sum(e.answer == answer for e in entries) / len(self.members),
        )


def bounded(verdict: Verdict, anchor: Verdict | None, slack: float) -> Verdict:
    """The members' verdict inside what the anchor's allows."""
    if anchor is None or anchor.answer is None or anchor.tools is None:
        cause = anchor.abstained if anchor else "missing"
        return abstain(verdict.trajectory_id, f"anchor: {cause}")
    tools = min(max(verdict.tools or 0.0, anchor.tools - slack), anchor.tools + slack)
    tools = min(max(tools, 0.0), 1.0)
    soft = tuple(d for d in verdict.defects if not grave_level((d,)) and d.kind not in UNEARNED)
    defects = _union(anchor.defects, soft)
    agreed = verdict.confidence if verdict.confidence is not None else 1.0
    return Verdict(
        trajectory_id=verdict.trajectory_id,
        answer=anchor.answer,
        tools=tools,
        defects=defects,
        reward=fuse(anchor.answer, tools, defects),
        confidence=agreed if verdict.answer == anchor.answer else 1.0 - agreed,
    )


async def _ask(member: Judge, group: Group, sitting: Sitting) -> _Said:
    """What a member says, its costs counted. One that breaks has said nothing, which is no score;
    other packages' judges may raise anything."""
    try:
        said = await member.judge(group)
        sitting.account.add(member.name, Account.of(said))
        return _Said({v.trajectory_id: v for v in said.verdicts}, said.order_flip_rate)
    except Exception as error:
        cause = f"broke ({type(error).__name__}: {error})"
        sitting.account.note(f"{member.name} {cause}")
        return _Said({t.id: abstain(t.id, cause) for t in sitting.judged})


def _of(members: Sequence[Mapping[str, Verdict]], name: str) -> list[Verdict]:
    return [member[name] for member in members if name in member]


def _entries(verdicts: Sequence[Verdict]) -> list[Entry]:
    """Of those that score."""
    return [
        Entry(v.answer, v.tools, v.defects)
        for v in verdicts
        if v.answer is not None and v.tools is not None
    ]


def _ballots(members: Sequence[Mapping[str, Verdict]]) -> list[Ballot]:
    """What each member said; `order` is its number."""
    return [
        Ballot(
            order=number,
            trajectory_id=v.trajectory_id,
            answer=v.answer,
            tools=v.tools,
            defects=v.defects,
            failed=v.abstained,
        )
        for number, member in enumerate(members)
        for v in member.values()
    ]


def _union(*lists: Sequence[Defect]) -> tuple[Defect, ...]:
    """All defects, in step order, each severity, step and kind once."""
    kept = {(d.step, d.kind, d.severity): d for defects in reversed(lists) for d in defects}
    return tuple(sorted(kept.values(), key=lambda d: (d.step is None, d.step or 0, d.kind)))
