"""The listwise generative judge: the whole group in one prompt, verdicts keyed by opaque ids.

    judge = ListwiseJudge(ChatClient(endpoint), briefings=WorldBriefings(open_world))
    verdict = await judge.judge(group)

Each group is judged in two balanced orders; a third is spent only when they disagree. A reply with
something wrong in it gets one repair turn that says what. What is still missing then is abstained
with its cause: a word of `EndpointError.cause` or `codec.ProblemKind`, `orders_disagree`,
`over_budget`, or whose fault the episode was. No failure becomes a score.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import TelejudgeError, UsageError
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges.aggregate import Votes, flip_rate, verdict
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.cache import ReplyCache
from telejudge_judges.codec import Entry
from telejudge_judges.evidence import Candidate, Case, prepare
from telejudge_judges.excuse import excuse
from telejudge_judges.opaque import another_order, digest, orders
from telejudge_judges.prompting import Prompt
from telejudge_judges.questioner import Account, Questioner
from telejudge_judges.ranking import tiers
from telejudge_judges.render import OverBudget, render

FORMAT_VERSION = "1"
"""Raised when the evidence, the codec or the aggregation changes verdicts."""


class ListwiseJudge:
    """Implements the Judge protocol over any OpenAI-compatible endpoint.

    `orders` balanced orders are asked at once; `tie_break` allows one more when they disagree.
    `prompt_path` replaces the shipped prompt of the `language`. `cache` is a folder. `briefings`
    supplies tool schemas. `json_mode` asks the server for constrained JSON. `include_reasoning`
    shows the agents' private thinking, `merge_identical=False` shows equal trajectories apart.
    """

    name = "listwise"

    def __init__(
        self,
        client: ChatClient,
        *,
        orders: int = 2,
        tie_break: bool = True,
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
        if orders < 1:
            raise UsageError(f"orders must be at least 1, got {orders}")
        self.client = client
        self.orders, self.tie_break, self.seed = orders, tie_break, seed
        self.budget_tokens = budget_tokens
        self._briefings = briefings
        self._prepare = {
            "include_reasoning": include_reasoning,
            "merge_identical": merge_identical,
        }
        prompt = Prompt.load(language, prompt_path)
        options = [orders, tie_break, seed, budget_tokens, json_mode, self._prepare]
        settings = json.dumps([options, client.endpoint.sampling], sort_keys=True, default=str)
        # Of this code, the prompt, the settings and the model.
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
        started, account = time.monotonic(), Account()
        if len({t.id for t in group.trajectories}) < len(group.trajectories):
            raise UsageError(f"group {group.id} holds two trajectories of the same id")
        excused = {t.id: excuse(t) for t in group.trajectories}
        judged = [t for t in group.trajectories if excused[t.id] is None]
        votes = await self._votes(group, judged, account) if judged else {}
        verdicts = tuple(
            verdict(t.id, votes[t.id])
            if t.id in votes
            else Verdict(trajectory_id=t.id, abstained=excused[t.id])
            for t in group.trajectories
        )
        spent = account.meter.usage
        return GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge=self.name,
            judge_version=self.version,
            verdicts=verdicts,
            ranking=tiers(verdicts),
            order_flip_rate=flip_rate(votes),
            calls=spent.requests,
            cached_calls=account.cached,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            seconds=time.monotonic() - started,
            notes=tuple(account.notes),
        )

    async def _votes(
        self, group: Group, judged: Sequence[Trajectory], account: Account
    ) -> dict[str, Votes]:
        """Votes by trajectory id."""
        brief = self._brief(group, account)
        case = prepare(group, judged, policy=brief.policy, **self._prepare)
        ballots = {candidate.members: Votes() for candidate in case.candidates}
        merged = len(judged) - len(case.candidates)
        if merged:
            account.note(f"{merged} of {len(judged)} trajectories equal another, judged with it")
        size, key = len(case.candidates), f"{self.seed}|{case.hash}"
        count = self.orders if size > 1 else 1
        planned = orders(count, size, key)
        rounds = (self._one_order(case, brief, o, i, account) for i, o in enumerate(planned))
        for counted in await asyncio.gather(*rounds):
            _count(ballots, counted)
        if self.tie_break and any(v.undecided for v in ballots.values()):
            account.note("orders disagreed, a further one was asked")
            further = another_order(size, key)
            _count(ballots, await self._one_order(case, brief, further, count, account))
        return {member: votes for members, votes in ballots.items() for member in members}

    def _brief(self, group: Group, account: Account) -> Briefing:
        """The world's briefing; a group whose world does not know it is judged without one."""
        if self._briefings is None:
            return Briefing()
        try:
            return self._briefings(group.task)
        except TelejudgeError as error:
            account.note(f"no tool schemas shown: {error}")
            return Briefing()

    async def _one_order(
        self, case: Case, brief: Briefing, order: Sequence[int], number: int, account: Account
    ) -> dict[Candidate, Entry | str]:
        """An entry or a cause for each candidate, from one presentation order."""
        try:
            evidence = render(
                case,
                order,
                f"{self.seed}|{number}",
                tools=brief.tools,
                budget_tokens=self.budget_tokens,
            )
        except OverBudget as error:
            account.note(str(error))
            return {case.candidates[i]: "over_budget" for i in order}
        account.note(*evidence.elided)
        by_id = await self._questioner.ask(evidence, account)
        return {evidence.candidates[name]: said for name, said in by_id.items()}


def _count(
    ballots: Mapping[tuple[str, ...], Votes], counted: Mapping[Candidate, Entry | str]
) -> None:
    for candidate, said in counted.items():
        votes = ballots[candidate.members]
        votes.asked += 1
        if isinstance(said, Entry):
            votes.entries.append(said)
        else:
            votes.causes.append(said)
