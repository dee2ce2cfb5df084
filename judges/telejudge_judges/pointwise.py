"""The pointwise generative judge: one trajectory a call, without sight of the others.

    judge = PointwiseJudge(ChatClient(endpoint), briefings=WorldBriefings(open_world))
    verdict = await judge.judge(group)

The baseline that listwise judges are compared with: as many calls as there are distinct
trajectories, made side by side within the endpoint's concurrency, and the case (ticket, policy,
tools) is sent with each. Evidence, ids, fences, formats, repair turn, cache and causes of
abstention are those of the listwise judge, so that a difference between the two is one of what the
model sees.
"""

from __future__ import annotations

import asyncio
from typing import Unpack

from telejudge_envs.client import ChatClient
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Ballot, GroupVerdict
from telejudge_judges.aggregate import Votes, verdict
from telejudge_judges.codec import Entry
from telejudge_judges.evidence import alone
from telejudge_judges.inquiry import Inquiry, InquiryOptions
from telejudge_judges.questioner import Asks, Questioner
from telejudge_judges.sitting import Sitting

FORMAT_VERSION = "1"
"""Raised when the evidence, the codec or the prompt's use changes verdicts."""


class PointwiseJudge:
    """Implements the Judge protocol over any OpenAI-compatible endpoint.

    `codec` is the verdict format (json, boxed or tuple); the other options are InquiryOptions.
    """

    name = "pointwise"

    def __init__(
        self, client: ChatClient, *, codec: str = "json", **options: Unpack[InquiryOptions]
    ) -> None:
        self.client = client
        self._inquiry = Inquiry(self.name, FORMAT_VERSION, client, **options)
        questioner = Questioner(self._inquiry.dialogue, codec, language=self._inquiry.language)
        self.questioner: Asks = questioner
        self.version = self._inquiry.version(questioner.fingerprint)

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        if not sitting.judged:
            return sitting.close({})
        opened = self._inquiry.open(sitting)
        # Equal trajectories that are to be judged apart get names of their own each.
        apart = not self._inquiry.merge_identical
        said = await asyncio.gather(
            *(
                self._inquiry.ask(
                    self.questioner,
                    opened,
                    alone(opened.case, n),
                    (0,),
                    f"alone {n}" if apart else "alone",
                )
                for n in range(len(opened.case.candidates))
            )
        )
        by_id = {
            member: entry
            for answer in said
            for candidate, entry in answer.items()
            for member in candidate.members
        }
        return sitting.close(
            {name: verdict(name, _votes(entry)) for name, entry in by_id.items()},
            ballots=[_ballot(t.id, by_id[t.id]) for t in sitting.judged],
        )


def _votes(said: Entry | str) -> Votes:
    if isinstance(said, Entry):
        return Votes(asked=1, entries=[said])
    return Votes(asked=1, causes=[said])


def _ballot(trajectory_id: str, said: Entry | str) -> Ballot:
    if isinstance(said, str):
        return Ballot(order=0, trajectory_id=trajectory_id, failed=said)
    return Ballot(
        order=0,
        place=0,
        trajectory_id=trajectory_id,
        answer=said.answer,
        tools=said.tools,
        defects=said.defects,
    )
