"""The pairwise generative judge: two trajectories a call, in both orders, then a tournament.

    judge = PairwiseJudge(ChatClient(endpoint), pairs=12, briefings=WorldBriefings(open_world))
    verdict = await judge.judge(group)

The baseline of tournaments. Each pair is asked twice, once in each order, and counts only when both
answers came: half a pair would count the first place's charm. n distinct trajectories have
n(n-1)/2 pairs, two calls each; `pairs` bounds them, spread evenly (tournament.py).

A preference says whose end is right (one, both or neither) and, apart from that, whose calls are
more reasonable (one, or the same). Games give two strengths from 0 to 1 by `aggregate`; `answer` is
1 above `threshold`, `tools` is the other strength, which is relative to the group and no absolute
grade. Equal records stay equal. A strength on the threshold decides nothing and is abstained
(`undecided`): so is everybody when a model only ever prefers the first place. Preferences name no
defects, so this judge can neither see nor flag harm: its rewards know no safety limit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Unpack

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Ballot, GroupVerdict, Verdict
from telejudge_judges.codec import Entry
from telejudge_judges.evidence import Candidate, Case, part_of
from telejudge_judges.fuse import fuse
from telejudge_judges.inquiry import Inquiry, InquiryOptions
from telejudge_judges.preference import Preference
from telejudge_judges.questioner import Asks, Questioner
from telejudge_judges.sitting import Sitting, abstain
from telejudge_judges.tournament import Aggregate, Game, pairings, strengths

FORMAT_VERSION = "1"
"""Raised when the evidence, the preference or the aggregation changes verdicts."""

Said = dict[Candidate, Entry | str]


class _Match(NamedTuple):
    """A pair of candidates by number, and what each of its two orders said."""

    pair: tuple[int, int]
    orders: tuple[Said, Said]


class PairwiseJudge:
    """Implements the Judge protocol over any OpenAI-compatible endpoint.

    `pairs` bounds the pairs that are asked (None: all); the other options are InquiryOptions.
    Raises UsageError when `threshold` or `pairs` is out of range.
    """

    name = "pairwise"

    def __init__(
        self,
        client: ChatClient,
        *,
        pairs: int | None = None,
        aggregate: Aggregate = "bradley_terry",
        threshold: float = 0.5,
        **options: Unpack[InquiryOptions],
    ) -> None:
        if not 0 < threshold < 1:
            raise UsageError(f"threshold must be between 0 and 1, got {threshold}")
        if pairs is not None and pairs < 1:
            raise UsageError(f"pairs must be at least 1, got {pairs}")
        self.client = client
        self.pairs, self.threshold = pairs, threshold
        self.aggregate: Aggregate = aggregate
        self._inquiry = Inquiry(self.name, FORMAT_VERSION, client, **options)
        language = self._inquiry.language
        questioner = Questioner(self._inquiry.dialogue, Preference(), language=language)
        self.questioner: Asks = questioner
        own = (pairs, aggregate, threshold)
        self.version = self._inquiry.version(questioner.fingerprint, *own)

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        if not sitting.judged:
            return sitting.close({})
        opened = self._inquiry.open(sitting)
        case, size = opened.case, len(opened.case.candidates)
        chosen = pairings(size, self.pairs, f"{self._inquiry.seed}|{case.hash}")
        if len(chosen) < size * (size - 1) // 2:
            sitting.account.note(f"{len(chosen)} of {size * (size - 1) // 2} pairs asked")

        async def match(pair: tuple[int, int]) -> _Match:
            both = part_of(case, pair)
            orders = ((0, 1), (1, 0))
            there, back = await asyncio.gather(
                *(
                    self._inquiry.ask(self.questioner, opened, both, order, f"pair {order[0]}")
                    for order in orders
                )
            )
            return _Match(pair, (there, back))

        matches = await asyncio.gather(*map(match, chosen))
        return sitting.close(
            self._verdicts(case, matches),
            ballots=_ballots(matches),
            order_flip_rate=_flip_rate(matches),
        )

    def _verdicts(self, case: Case, matches: Sequence[_Match]) -> dict[str, Verdict]:
        """By trajectory id."""
        answers, tools, causes = [], [], [Counter[str]() for _ in case.candidates]
        for match in matches:
            points = [_points(case, match.pair, said) for said in match.orders]
            if any(one is None for one in points):
                for number in match.pair:
                    causes[number].update(_causes(match))
                continue
            for one in filter(None, points):
                answers.append(Game(*match.pair, (one[0].answer, one[1].answer)))
                tools.append(Game(*match.pair, (one[0].tools, one[1].tools)))
        size = len(case.candidates)
        right = strengths(answers, size, self.aggregate)
        calls = strengths(tools, size, self.aggregate)
        return {
            member: self._verdict(member, right[n], calls[n], causes[n], size)
            for n, candidate in enumerate(case.candidates)
            for member in candidate.members
        }

    def _verdict(
        self, name: str, right: float | None, tools: float | None, causes: Counter[str], size: int
    ) -> Verdict:
        if right is None or tools is None:
            lone = "nobody_to_compare_with" if size < 2 else "not_compared"
            return abstain(name, causes.most_common(1)[0][0] if causes else lone)
        if right == self.threshold:
            return abstain(name, "undecided")
        answer = 1 if right > self.threshold else 0
        return Verdict(
            trajectory_id=name,
            answer=answer,
            tools=tools,
            reward=fuse(answer, tools),
            confidence=right if answer else 1 - right,
        )


def _points(case: Case, pair: tuple[int, int], said: Said) -> tuple[Entry, Entry] | None:
    one, two = (said[case.candidates[n]] for n in pair)
    return (one, two) if isinstance(one, Entry) and isinstance(two, Entry) else None


def _causes(match: _Match) -> set[str]:
    return {p for said in match.orders for p in said.values() if isinstance(p, str)}


def _flip_rate(matches: Sequence[_Match]) -> float | None:
    """Share of the pairs answered in both orders whose answers were not the same in both."""
    whole = [match.orders for match in matches if not _causes(match)]
    flipped = sum(_answers(there) != _answers(back) for there, back in whole)
    return flipped / len(whole) if whole else None


def _answers(said: Said) -> dict[Candidate, int]:
    return {c: points.answer for c, points in said.items() if isinstance(points, Entry)}


def _ballots(matches: Sequence[_Match]) -> list[Ballot]:
    """What each order of each pair said; orders 2k and 2k+1 are those of pair k."""
    ballots = []
    for number, match in enumerate(matches):
        for turn, said in enumerate(match.orders):
            for place, (candidate, points) in enumerate(said.items()):
                failed = points if isinstance(points, str) else None
                entry = points if isinstance(points, Entry) else None
                ballots += [
                    Ballot(
                        order=2 * number + turn,
                        place=place,
                        trajectory_id=member,
                        answer=entry.answer if entry else None,
                        tools=entry.tools if entry else None,
                        failed=failed,
                    )
                    for member in candidate.members
                ]
    return ballots
