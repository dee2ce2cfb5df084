"""The rubric judge: statements found for the ticket, answered for each trajectory, added up.

    judge = RubricJudge(ChatClient(endpoint), briefings=WorldBriefings(open_world))
    verdict = await judge.judge(group)

For a group it
1. retrieves items from two vector indexes (similar tickets with their items; all items),
2. lets a generator draft more, if there is one,
3. drops what is hit too rarely or too often: library items by what was observed earlier, drafts by
   the candidates of this group,
4. asks of each distinct trajectory all items in one call: yes, no or na, with a step,
5. adds the answers up by the rule in score.py.

Evidence, fences, cache, repair turn and causes of abstention are those of the other generative
judges. A trajectory with an item left unanswered is abstained: an open item is never taken for
"no". `no_rubric`: there are no items for its world.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import EndpointError, TelejudgeError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges.account import Account
from telejudge_judges.evidence import alone
from telejudge_judges.inquiry import Inquiry, InquiryOptions, Opened
from telejudge_judges.rubric.hits import Heard, observations, record
from telejudge_judges.rubric.items import RubricItem
from telejudge_judges.rubric.library import Library
from telejudge_judges.rubric.reply import ItemTurn
from telejudge_judges.rubric.score import verdict_of
from telejudge_judges.sitting import Sitting, abstain

FORMAT_VERSION = "1"
"""Raised when retrieval, reading or scoring changes verdicts."""
NO_RUBRIC = "no_rubric"

Said = Heard | str
"""Answers by item id, or the cause of their absence."""


class RubricJudge:
    """Implements the Judge protocol over any OpenAI-compatible endpoint.

    `library` chooses the items (by default the starter rubrics, without a generator). `record` is a
    file to which the hits of all items are added. The other options are InquiryOptions.
    """

    name = "rubric"

    def __init__(
        self,
        client: ChatClient,
        *,
        library: Library | None = None,
        record: Path | None = None,
        **options: Unpack[InquiryOptions],
    ) -> None:
        self.client, self.library, self._record = client, library or Library(), record
        self._inquiry = Inquiry(self.name, FORMAT_VERSION, client, **options)
        self.version = self._inquiry.version(self.library.fingerprint)

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        judged, account = sitting.judged, sitting.account
        if not judged:
            return sitting.close({})
        opened = self._inquiry.open(sitting)
        try:
            # A draft counts only if it tells candidates apart, which a single one cannot show.
            several = len(judged) > 1
            chosen = await self.library.choose(
                group.task, opened.case.policy, account, drafts=several
            )
        except EndpointError as error:
            account.note(str(error))
            return sitting.close({t.id: abstain(t.id, error.cause) for t in judged})
        items = (*chosen.items, *chosen.drafted)
        if not items:
            account.note(f"no rubric item is for the world '{group.task.world}'")
            return sitting.close({t.id: abstain(t.id, NO_RUBRIC) for t in judged})
        candidates = opened.case.candidates
        said = await asyncio.gather(
            *(self._ask(opened, number, items) for number in range(len(candidates)))
        )
        by_id = {m: each for c, each in zip(candidates, said, strict=True) for m in c.members}
        heard = [answers for answers in by_id.values() if not isinstance(answers, str)]
        self._observe(group, items, heard, account)
        rule = self.library.hit_rule
        telling = [item for item in chosen.drafted if rule.tells_apart(item, heard)]
        if chosen.drafted:
            said_of = f"{len(telling)} of {len(chosen.drafted)}"
            account.note(f"{said_of} drafted items told candidates apart")
        kept = (*chosen.items, *telling)
        return sitting.close({t.id: _verdict(t.id, kept, by_id[t.id]) for t in judged})

    async def _ask(self, opened: Opened, number: int, items: Sequence[RubricItem]) -> Said:
        """All items about one candidate, in one call."""
        # Equal trajectories that are to be judged apart get evidence of their own each.
        salt = "alone" if self._inquiry.merge_identical else f"alone|{number}"
        evidence = self._inquiry.evidence(opened, alone(opened.case, number), (0,), salt)
        if evidence is None:
            return "over_budget"
        turn = ItemTurn(items, evidence, opened.case.candidates[number].calls)
        ending = await self._inquiry.dialogue.hold(turn, opened.account)
        return turn.by_id if turn.settled else ending.cause or "missing"

    def _observe(
        self, group: Group, items: Sequence[RubricItem], heard: Sequence[Heard], account: Account
    ) -> None:
        if self._record is None or not heard:
            return
        try:
            record(self._record, observations(group.id, items, heard))
        except TelejudgeError as error:  # statistics are not worth a verdict
            account.note(f"hits not recorded: {error}")


def _verdict(trajectory_id: str, items: Sequence[RubricItem], said: Said) -> Verdict:
    if isinstance(said, str):
        return abstain(trajectory_id, said)
    return verdict_of(trajectory_id, items, said)
