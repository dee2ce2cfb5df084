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
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import EndpointError, TelejudgeError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.cache import ReplyCache
from telejudge_judges.evidence import Case, part_of, prepare
from telejudge_judges.opaque import digest
from telejudge_judges.prompt_files import shipped_prompt
from telejudge_judges.questioner import Account, Structured
from telejudge_judges.reference import (
    Reference,
    ReferenceMode,
    References,
    check_mode,
    shown_reference,
)
from telejudge_judges.render import OverBudget, render
from telejudge_judges.rubric.dialogue import Dialogue
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
    file to which the hits of all items are added. The other options are those of the pointwise
    judge.
    """

    name = "rubric"

    def __init__(
        self,
        client: ChatClient,
        *,
        library: Library | None = None,
        record: Path | None = None,
        seed: int = 0,
        language: str = "en",
        prompt_path: Path | None = None,
        briefings: Briefings | None = None,
        references: References | None = None,
        reference_mode: ReferenceMode = "if_unsure",
        cache: Path | None = None,
        budget_tokens: int = 24_000,
        json_mode: bool = False,
        structured: Structured = "schema",
        include_reasoning: bool = False,
        merge_identical: bool = True,
    ) -> None:
        self.client, self.seed, self.budget_tokens = client, seed, budget_tokens
        self.library, self._record = library or Library(), record
        self._briefings = briefings
        check_mode(reference_mode)
        self._references = references
        self._mode: ReferenceMode = reference_mode
        self._include_reasoning, self._merge = include_reasoning, merge_identical
        structured = "object" if json_mode else structured
        prompt = shipped_prompt(self.name, language, prompt_path)
        shown = reference_mode if references is not None else "hidden"
        options = [seed, budget_tokens, structured, shown, include_reasoning, merge_identical]
        settings = json.dumps([options, client.endpoint.sampling], sort_keys=True, default=str)
        fingerprint = digest(prompt.source, settings, self.library.fingerprint)[:8]
        self.version = f"{FORMAT_VERSION}+{fingerprint} {client.endpoint.model}"
        self._dialogue = Dialogue(
            client,
            prompt,
            judge=f"{self.name} {FORMAT_VERSION}",
            cache=None if cache is None else ReplyCache(cache),
            structured=structured,
            seed=seed,
        )

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        judged, account = sitting.judged, sitting.account
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
        merged = len(judged) - len(case.candidates)
        if merged:
            account.note(f"{merged} of {len(judged)} trajectories equal another, judged with it")
        try:
            # A draft counts only if it tells candidates apart, which a single one cannot show.
            several = len(judged) > 1
            chosen = await self.library.choose(group.task, case.policy, account, drafts=several)
        except EndpointError as error:
            account.note(str(error))
            return sitting.close({t.id: abstain(t.id, error.cause) for t in judged})
        items = (*chosen.items, *chosen.drafted)
        if not items:
            account.note(f"no rubric item is for the world '{group.task.world}'")
            return sitting.close({t.id: abstain(t.id, NO_RUBRIC) for t in judged})
        shown = shown_reference(self._references, self._mode, group)
        said = await asyncio.gather(
            *(
                self._ask(case, nth, brief, shown, items, account)
                for nth in range(len(case.candidates))
            )
        )
        by_id = {m: each for c, each in zip(case.candidates, said, strict=True) for m in c.members}
        heard = [answers for answers in by_id.values() if not isinstance(answers, str)]
        self._observe(group, items, heard, account)
        rule = self.library.hit_rule
        telling = [item for item in chosen.drafted if rule.tells_apart(item, heard)]
        if chosen.drafted:
            said_of = f"{len(telling)} of {len(chosen.drafted)}"
            account.note(f"{said_of} drafted items told candidates apart")
        kept = (*chosen.items, *telling)
        return sitting.close({t.id: _verdict(t.id, kept, by_id[t.id]) for t in judged})

    async def _ask(
        self,
        case: Case,
        nth: int,
        brief: Briefing,
        reference: Reference | None,
        items: Sequence[RubricItem],
        account: Account,
    ) -> Said:
        """All items about candidate `nth`, in one call."""
        # Equal trajectories that are to be judged apart get evidence of their own each.
        salt = f"{self.seed}|alone" if self._merge else f"{self.seed}|alone|{nth}"
        alone = _alone(case, nth)
        try:
            evidence = render(
                alone,
                (0,),
                salt,
                tools=brief.tools,
                budget_tokens=self.budget_tokens,
                reference=reference,
            )
        except OverBudget as error:
            account.note(str(error))
            return "over_budget"
        account.note(*evidence.elided)
        turn = ItemTurn(items, evidence, alone.candidates[0].calls)
        cause = await self._dialogue.hold(turn, account)
        return (cause or "missing") if turn.open else turn.by_id

    def _observe(
        self, group: Group, items: Sequence[RubricItem], heard: Sequence[Heard], account: Account
    ) -> None:
        if self._record is None or not heard:
            return
        try:
            record(self._record, observations(group.id, items, heard))
        except TelejudgeError as error:  # statistics are not worth a verdict
            account.note(f"hits not recorded: {error}")


def _alone(case: Case, nth: int) -> Case:
    """The candidate as if there were no other: what is shown of it depends on nobody else."""
    one = part_of(case, (nth,))
    own = digest(case.ticket, case.policy, one.candidates[0].hash)
    return dataclasses.replace(one, siblings=(), hash=own)


def _verdict(trajectory_id: str, items: Sequence[RubricItem], said: Said) -> Verdict:
    if isinstance(said, str):
        return abstain(trajectory_id, said)
    return verdict_of(trajectory_id, items, said)
