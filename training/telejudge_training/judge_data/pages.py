"""The prompts that a judge sends about a group, taken from the judge itself.

In: a judge's settings and a group. Out: every page (evidence and messages) that it would ask about.

    prompter = Prompter("listwise", JudgeSettings(codec="boxed", orders=2))
    for page in prompter.pages(group):
        page.messages, page.evidence.candidates

The judge is opened as for judging and judges the group; only its questioner is another one, which
writes down what it is asked and gives everybody the same score. So ids, orders, windows, merging of
equal trajectories and words are those of inference, whatever they become.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import DataError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Group
from telejudge_judges.codec import Codec, Entry
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.opaque import digest
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.questioner import Account, Asks
from telejudge_judges.reference import References
from telejudge_judges.registry import open_judge
from telejudge_judges.render import Evidence
from telejudge_judges.settings import JudgeSettings

JudgeName = Literal["listwise", "pointwise"]

_NOWHERE = Endpoint(base_url="http://127.0.0.1:9/v1", model="nobody is asked")


class Page(NamedTuple):
    """One call of a judge. `order` counts the pages that show the same candidates, from 0."""

    order: int
    cohort: str
    """The same for all pages that show the same candidates of the same group."""
    evidence: Evidence
    messages: tuple[Message, Message]

    @property
    def members(self) -> tuple[str, ...]:
        """Trajectory ids in the order shown; of equal trajectories the first."""
        return tuple(one.members[0] for one in self.evidence.candidates.values())

    @property
    def shown(self) -> dict[str, int]:
        """As codecs want it: name to number of calls, in the order shown."""
        return {name: one.calls for name, one in self.evidence.candidates.items()}


@dataclass
class _Recorder:
    """Stands in for a Questioner."""

    of: Asks
    seen: list[Evidence] = field(default_factory=list)

    @property
    def codec(self) -> Codec:
        return self.of.codec

    def messages(self, evidence: Evidence) -> tuple[Message, Message]:
        return self.of.messages(evidence)

    async def ask(
        self, evidence: Evidence, account: Account, *, repair: bool = True
    ) -> dict[str, Entry | str]:
        self.seen.append(evidence)
        return dict.fromkeys(evidence.candidates, Entry(answer=1, tools=1.0))


class Prompter:
    """A judge that only asks. Raises UsageError for settings that the judge refuses.

    `settings.orders` is the number of orders of a listwise judge; no more are asked.
    """

    def __init__(
        self, judge: JudgeName, settings: JudgeSettings, references: References | None = None
    ) -> None:
        self.judge: JudgeName = judge
        fixed = {"tie_break": False, "max_orders": None} if judge == "listwise" else {}
        opened = open_judge(
            judge,
            settings.with_(fixed),
            client=lambda: ChatClient(_NOWHERE),
            references=references,
        )
        assert isinstance(opened, (ListwiseJudge, PointwiseJudge))
        self._judge = opened
        self._recorder = _Recorder(opened.questioner)
        opened.questioner = self._recorder

    @property
    def codec(self) -> Codec:
        return self._recorder.codec

    def pages(self, group: Group) -> list[Page]:
        """Raises DataError when a candidate of the group fits no page of the budget."""
        self._recorder.seen = []
        verdict = asyncio.run(self._judge.judge(group))
        lost = [v.trajectory_id for v in verdict.verdicts if v.abstained == "over_budget"]
        if lost:
            raise DataError(f"group {group.id}: {len(lost)} candidates are over the budget")
        pages, times = [], Counter[str]()
        for evidence in self._recorder.seen:
            members = sorted(m for c in evidence.candidates.values() for m in c.members)
            cohort = digest(self.judge, group.id, *members)[:12]
            messages = self._recorder.messages(evidence)
            pages.append(Page(times[cohort], cohort, evidence, messages))
            times[cohort] += 1
        return pages
