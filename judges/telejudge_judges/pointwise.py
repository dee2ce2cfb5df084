"""The pointwise generative judge: one trajectory a call, without sight of the others.

    judge = PointwiseJudge(ChatClient(endpoint), briefings=WorldBriefings(open_world))
    verdict = await judge.judge(group)

The baseline that listwise judges are compared with: as many calls as there are distinct
trajectories, made side by side within the endpoint's concurrency, and the case (ticket, policy,
tools) is sent with each. Evidence, ids, fences, repair turn, cache and causes of abstention are
those of the listwise judge, so that a difference between the two is one of what the model sees.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Ballot, GroupVerdict
from telejudge_judges.aggregate import Votes, verdict
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.cache import ReplyCache
from telejudge_judges.codec import Entry
from telejudge_judges.evidence import Candidate, prepare
from telejudge_judges.opaque import digest
from telejudge_judges.prompt_files import shipped_prompt
from telejudge_judges.questioner import Account, Questioner
from telejudge_judges.render import OverBudget, render
from telejudge_judges.sitting import Sitting

FORMAT_VERSION = "1"
"""Raised when the evidence, the codec or the prompt's use changes verdicts."""


class PointwiseJudge:
    """Implements the Judge protocol over any OpenAI-compatible endpoint.

    `prompt_path` replaces the shipped prompt of the `language`. `cache` is a folder. `briefings`
    supplies tool schemas. `json_mode` asks the server for constrained JSON. `include_reasoning`
    shows the agent's private thinking, `merge_identical=False` judges equal trajectories apart.
    """

    name = "pointwise"

    def __init__(
        self,
        client: ChatClient,
        *,
        seed: int = 0,
        language: str = "en",
        prompt_path: Path | None = None,
        briefings: Briefings | None = None,
        cache: Path | None = None,
        budget_tokens: int = 24_000,
        json_mode: bool = False,
        include_reasoning: bool = False,
        merge_identical: bool = True,
    ) -> None:
        self.client, self.seed, self.budget_tokens = client, seed, budget_tokens
        self._briefings = briefings
        self._include_reasoning, self._merge = include_reasoning, merge_identical
        prompt = shipped_prompt(self.name, language, prompt_path)
        options = [seed, budget_tokens, json_mode, include_reasoning, merge_identical]
        settings = json.dumps([options, client.endpoint.sampling], sort_keys=True, default=str)
        fingerprint = digest(prompt.source, settings)[:8]
        self.version = f"{FORMAT_VERSION}+{fingerprint} {client.endpoint.model}"
        self._questioner = Questioner(
            client,
            prompt,
            judge=f"{self.name} {FORMAT_VERSION}",
            cache=None if cache is None else ReplyCache(cache),
            json_mode=json_mode,
            seed=seed,
        )

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        judged = sitting.judged
        if not judged:
            return sitting.close({})
        brief = sitting.brief(self._briefings)
        case = prepare(
            group,
            judged,
            policy=brief.policy,
            include_reasoning=self._include_reasoning,
            merge_identical=self._merge,
        )
        if len(case.candidates) < len(judged):
            sitting.account.note(
                f"{len(judged) - len(case.candidates)} of {len(judged)} trajectories equal "
                "another, judged with it"
            )
        said = await asyncio.gather(
            *(self._one(group, brief, c, i, sitting.account) for i, c in enumerate(case.candidates))
        )
        votes = dict(zip(case.candidates, said, strict=True))
        by_id = {member: given for c, given in votes.items() for member in c.members}
        return sitting.close(
            {t.id: verdict(t.id, _votes(by_id[t.id])) for t in judged},
            ballots=[_ballot(t.id, by_id[t.id]) for t in judged],
        )

    async def _one(
        self, group: Group, brief: Briefing, candidate: Candidate, nth: int, account: Account
    ) -> Entry | str:
        """An entry or a cause for one candidate, shown as if it were the only one."""
        alone = [t for t in group.trajectories if t.id == candidate.members[0]]
        case = prepare(group, alone, policy=brief.policy, include_reasoning=self._include_reasoning)
        # Equal trajectories that are to be judged apart get evidence of their own each.
        salt = f"{self.seed}|alone" if self._merge else f"{self.seed}|alone|{nth}"
        try:
            evidence = render(case, (0,), salt, tools=brief.tools, budget_tokens=self.budget_tokens)
        except OverBudget as error:
            account.note(str(error))
            return "over_budget"
        account.note(*evidence.elided)
        (said,) = (await self._questioner.ask(evidence, account)).values()
        return said


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
