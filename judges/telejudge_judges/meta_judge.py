"""A judge of judges: which of several opinions on a trajectory does the evidence bear out?

    meta = MetaJudge(ChatClient(endpoint), briefings=WorldBriefings(open_world))
    left = await meta.sift(sitting, [verdicts, others])     # by member: verdicts by trajectory id

An ensemble asks it between its samples and their vote. For each distinct trajectory one call shows
the evidence that a pointwise judge would see and, under ids of their own, what the samples said:
answer, tools, defects with their reasons. Equal opinions are shown once, and nobody learns how many
held one. An opinion that is found unsupported is dropped: its verdict becomes an abstention
(`unsupported: …`) that tells what it was.

**A failure of the meta-judge keeps what was said**: when its endpoint fails, its reply cannot be
repaired, the evidence does not fit beside the opinions or it breaks in any other way, the opinions
that it did not rule on stay in the vote, and a note counts them with the causes. So this filter can
take votes away, never add any, and without it the vote is what it would be anyway.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Unpack

from telejudge_envs.client import ChatClient
from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges.account import Account
from telejudge_judges.evidence import Case, alone
from telejudge_judges.inquiry import Inquiry, InquiryOptions, Opened
from telejudge_judges.opaque import digest, names
from telejudge_judges.opinions import OpinionTurn, opinion_of
from telejudge_judges.render import Evidence
from telejudge_judges.shorten import estimate_tokens
from telejudge_judges.sitting import Sitting, abstain

FORMAT_VERSION = "1"
"""Raised when the evidence, the opinions' form or the reading of replies changes rulings."""
UNSUPPORTED = "unsupported"

ByTrajectory = Mapping[str, Verdict]


class Ruling(NamedTuple):
    """What was found of an opinion; `supported` None: nothing, for the cause `why`."""

    supported: bool | None
    why: str


Rulings = dict[str, Ruling]
"""By opinion, as `opinion_of` spells it."""


class MetaJudge:
    """Sifts opinions by any OpenAI-compatible endpoint; options are InquiryOptions."""

    name = "meta-judge"

    def __init__(self, client: ChatClient, **options: Unpack[InquiryOptions]) -> None:
        self.client = client
        self._inquiry = Inquiry("meta", FORMAT_VERSION, client, **options)
        self.version = self._inquiry.version()

    async def sift(
        self, sitting: Sitting, members: Sequence[ByTrajectory]
    ) -> list[dict[str, Verdict]]:
        """The members' verdicts, abstentions in place of those found unsupported. Costs and counts
        go to the sitting's account."""
        account = Account()
        try:
            opened = self._inquiry.open(sitting)._replace(account=account)
        except Exception as error:
            sitting.account.note(f"{self.name}: {_broke(error)}, nothing was dropped")
            return [dict(member) for member in members]
        candidates = opened.case.candidates
        said = [_opinions(members, candidate.members) for candidate in candidates]
        found = await asyncio.gather(
            *(self._rule_safely(opened, n, one) for n, one in enumerate(said))
        )
        rulings = {
            name: ruled
            for candidate, ruled in zip(candidates, found, strict=True)
            for name in candidate.members
        }
        counts = Counter[str]()
        left = [
            {name: _kept(v, rulings.get(name, {}), counts) for name, v in member.items()}
            for member in members
        ]
        account.note(_told(counts))
        sitting.account.add(self.name, account)
        return left

    async def _rule_safely(self, opened: Opened, number: int, said: Sequence[str]) -> Rulings:
        try:
            return await self._rule(opened, number, said) if said else {}
        except Exception as error:  # whatever it is, it is no reason to lose a sample
            return dict.fromkeys(said, Ruling(None, _broke(error)))

    async def _rule(self, opened: Opened, number: int, said: Sequence[str]) -> Rulings:
        """One call about all opinions on a candidate."""
        evidence = self._evidence(opened, alone(opened.case, number), said)
        if evidence is None:
            return dict.fromkeys(said, Ruling(None, "over_budget"))
        key = f"{evidence.nonce}|opinions"
        ids = names(len(said), key, absent_from="\n".join((evidence.text, *said)))
        shuffled = sorted(said, key=lambda opinion: digest(key, opinion))
        turn = OpinionTurn(evidence, dict(zip(ids, shuffled, strict=True)))
        ending = await self._inquiry.dialogue.hold(turn, opened.account)
        return {
            opinion: Ruling(turn.supported[name], turn.reasons[name])
            if name in turn.supported
            else Ruling(None, ending.cause_of(name))
            for name, opinion in turn.opinions.items()
        }

    def _evidence(self, opened: Opened, one: Case, said: Sequence[str]) -> Evidence | None:
        """The evidence, with room for the opinions, in a fence that occurs in none of them."""
        told, salt = "\n".join(said), "opinions"
        spare = estimate_tokens(told)
        while True:
            evidence = self._inquiry.evidence(opened, one, (0,), salt, spare=spare)
            if evidence is None or evidence.nonce not in told:
                return evidence
            salt += "|again"


def _opinions(members: Sequence[ByTrajectory], trajectories: Sequence[str]) -> list[str]:
    """What was said of these trajectories, each opinion once."""
    verdicts = (member[name] for member in members for name in trajectories if name in member)
    return list(dict.fromkeys(opinion_of(v) for v in verdicts if v.abstained is None))


def _kept(verdict: Verdict, rulings: Rulings, counts: Counter[str]) -> Verdict:
    """The verdict, or an abstention in its place."""
    if verdict.abstained is not None:
        return verdict
    ruling = rulings.get(opinion_of(verdict), Ruling(None, "missing"))
    if ruling.supported is None:
        counts[ruling.why] += 1
        return verdict
    counts["" if ruling.supported else UNSUPPORTED] += 1
    if ruling.supported:
        return verdict
    was = f"answer {verdict.answer}, tools {verdict.tools:.2f}"
    return abstain(verdict.trajectory_id, f"{UNSUPPORTED}: {was}: {ruling.why}")


def _broke(error: Exception) -> str:
    return f"broke ({type(error).__name__}: {error})"


def _told(counts: Counter[str]) -> str:
    """The counts in words."""
    failed = {why: n for why, n in counts.items() if why not in ("", UNSUPPORTED)}
    text = f"{counts.total()} opinions, {counts[UNSUPPORTED]} dropped"
    if failed:
        causes = ", ".join(f"{why} {n}" for why, n in sorted(failed.items()))
        text += f", {sum(failed.values())} kept without a ruling ({causes})"
    return text
