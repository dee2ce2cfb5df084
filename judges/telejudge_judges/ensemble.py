"""Judges that judge together: several kinds, or one asked several times, and an anchor's bounds.

    judge = EnsembleJudge([listwise, pointwise], quorum=2)
    judge = EnsembleJudge([listwise], anchor=Verifier(open_world), slack=0.2)
    verdict = await judge.judge(group)

Members judge the whole group side by side. A trajectory that fewer than `quorum` members scored is
abstained (`too_few_members: …`); a member that breaks has abstained on everything. From the members
that did score it:

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
from collections.abc import Sequence

from telejudge_envs.errors import TelejudgeError, UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Ballot, Defect, GroupVerdict, Verdict
from telejudge_judges.aggregate import Votes, grave_level
from telejudge_judges.aggregate import verdict as voted
from telejudge_judges.codec import Entry
from telejudge_judges.fuse import UNEARNED, fuse
from telejudge_judges.opaque import digest
from telejudge_judges.protocol import Judge
from telejudge_judges.sitting import Sitting, abstain

VERSION = "1"
RULES = ("vote", "unanimous")


class EnsembleJudge:
    """Implements the Judge protocol over other judges.

    `quorum` None asks for more than half of the members. Raises UsageError when there are no
    members, the quorum is higher than their number, or the rule is unknown.
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
    ) -> None:
        if not members:
            raise UsageError("an ensemble needs members, e.g. members: [{judge: listwise}]")
        if rule not in RULES:
            raise UsageError(f"no rule '{rule}'; choose {', '.join(RULES)}")
        self.quorum = len(members) // 2 + 1 if quorum is None else quorum
        if not 1 <= self.quorum <= len(members):
            raise UsageError(f"quorum is {quorum}, but there are {len(members)} members")
        self.members, self.rule = tuple(members), rule
        self.anchor, self.slack = anchor, slack
        parts = [f"{m.name} {m.version}" for m in (*members, *([anchor] if anchor else []))]
        options = f"{rule}|{self.quorum}|{anchor is not None}|{slack}"
        self.version = f"{VERSION}+{digest(options, *parts)[:8]} of {len(members)}"

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group with all members at once."""
        sitting = Sitting(self, group)
        asked = [*self.members, *([self.anchor] if self.anchor else [])]
        said = await asyncio.gather(*(_ask(member, group, sitting) for member in asked))
        members = [_by_id(one) for one in said[: len(self.members)]]
        bounds = _by_id(said[-1]) if self.anchor else None
        verdicts = {}
        for one in sitting.judged:
            heard = [m[one.id] for m in members if one.id in m]
            verdict = self._combine(one.id, heard)
            if bounds is not None and verdict.abstained is None:
                verdict = bounded(verdict, bounds.get(one.id), self.slack)
            verdicts[one.id] = verdict
        flips = [v.order_flip_rate for v in said if v and v.order_flip_rate is not None]
        return sitting.close(
            verdicts,
            ballots=_ballots(members),
            order_flip_rate=sum(flips) / len(flips) if flips else None,
        )

    def _combine(self, trajectory_id: str, heard: Sequence[Verdict]) -> Verdict:
        """The verdict of those members that scored the trajectory."""
        entries = [
            Entry(v.answer, v.tools, v.defects)
            for v in heard
            if v.answer is not None and v.tools is not None
        ]
        if len(entries) < self.quorum:
            causes = Counter(v.abstained for v in heard if v.abstained).most_common(1)
            return abstain(trajectory_id, f"too_few_members: {causes[0][0] if causes else 'broke'}")
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


async def _ask(member: Judge, group: Group, sitting: Sitting) -> GroupVerdict | None:
    """What a member says, its costs counted; None when it broke, which is no score."""
    try:
        said = await member.judge(group)
    except UsageError:
        raise
    except TelejudgeError as error:
        sitting.account.note(f"{member.name} broke: {error}")
        return None
    sitting.account.cached += said.cached_calls
    sitting.account.meter.add(
        requests=said.calls,
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
    )
    sitting.account.note(*(f"{member.name}: {note}" for note in said.notes))
    return said


def _by_id(said: GroupVerdict | None) -> dict[str, Verdict]:
    return {v.trajectory_id: v for v in said.verdicts} if said else {}


def _ballots(members: Sequence[dict[str, Verdict]]) -> list[Ballot]:
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
