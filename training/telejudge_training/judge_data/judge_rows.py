"""From groups of known truth to the rows that judges are trained on.

    maker = RowMaker("listwise", JudgeSettings(codec="boxed", orders=2), making)
    for row in maker.rows(group_row): ...

The prompt is the judge's own (pages.py). The reply wanted is the truth in the judge's format, after
the words of a teacher: annotations from an endpoint where there are some, else templates. `tools`
is rounded to the steps of 0.1 that the prompt asks for. A reply that the codec would not read back
as the truth is an error, never a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.codec import Entry
from telejudge_judges.evidence import Candidate
from telejudge_judges.opaque import digest
from telejudge_judges.settings import JudgeSettings
from telejudge_judges.shorten import estimate_tokens
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.pages import JudgeName, Page, Prompter
from telejudge_training.judge_data.rows import (
    CandidateTruth,
    GroupRow,
    JudgeRow,
    ShownCandidate,
    Turn,
)
from telejudge_training.judge_data.template_teacher import Words, quoted, template_words

CodecName = Literal["json", "boxed", "tuple"]

_ROLES: tuple[Literal["system", "user"], ...] = ("system", "user")
_UNKNOWN = re.compile("«[^«»]*»")


@dataclass
class RowMaker:
    """`words` are a teacher's, by cohort; without them templates speak.
    `with_words` False: verdicts alone. `replies` False: prompts alone, for GRPO."""

    judge: JudgeName
    settings: JudgeSettings
    making: Making
    words: Mapping[str, Words] = field(default_factory=dict)
    only_annotated: bool = False
    with_words: bool = True
    replies: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        self._prompter = Prompter(self.judge, self.settings)

    def rows(self, group: GroupRow) -> Iterator[JudgeRow]:
        """One for each page. A group with a candidate of which nobody knows the tools gives none,
        and neither does one over the budget; both are counted."""
        if any(truth.tools is None for truth in group.truths.values()):
            self.making.count("left out", "tools unknown")
            return
        try:
            pages = self._prompter.pages(group.group)
        except DataError:
            self.making.count("left out", "over the budget")
            return
        for page in pages:
            found = self.words.get(page.cohort)
            if found is None and self.only_annotated:
                self.making.count("left out", "no annotation")
                continue
            words = found or template_words(group, self.seed, page.members)
            yield self._row(group, page, words, found.teacher if found else _own_teacher(page))

    def _row(self, group: GroupRow, page: Page, words: Words, teacher: str) -> JudgeRow:
        shown = tuple(
            _shown(name, candidate, group.truths)
            for name, candidate in page.evidence.candidates.items()
        )
        prompt = tuple(
            Turn(role=role, content=message.text)
            for role, message in zip(_ROLES, page.messages, strict=True)
        )
        reply = self._reply(page, shown, words) if self.replies else None
        completion = () if reply is None else (Turn(role="assistant", content=reply),)
        row = JudgeRow(
            id=digest(self._prompter.codec.name, page.cohort, str(page.order))[:16],
            group_id=group.id,
            task_id=group.group.task.id,
            world=group.group.task.world,
            split=group.split,
            judge=self.judge,
            codec=cast("CodecName", self._prompter.codec.name),
            language=self.settings.language,
            cohort=page.cohort,
            order=page.order,
            form=group.form,
            prompt=prompt,
            completion=completion,
            shown=shown,
            teacher=teacher if self.replies else "",
            tokens=sum(estimate_tokens(turn.content) for turn in (*prompt, *completion)),
            reserved=group.reserved,
            provenance=self.making.provenance(
                group.provenance.source, _licence(group, words), group.id
            ),
        )
        _count(self.making, row)
        return row

    def _reply(self, page: Page, shown: tuple[ShownCandidate, ...], words: Words) -> str:
        names = {member: one.name for one in shown for member in one.members}
        entries = {one.name: entry_of(one) for one in shown}
        appraisals, comparison = {}, ""
        if self.with_words:
            by_name = {one.name: words.appraisals.get(one.members[0], "") for one in shown}
            appraisals = {name: renamed(text, names) for name, text in by_name.items() if text}
            if self.judge == "listwise":
                comparison = renamed(words.comparison, names)
        codec = self._prompter.codec
        with_tools = any(page.shown.values())
        reply = codec.write(entries, appraisals, comparison, with_tools=with_tools)
        read = codec.read(reply, page.shown)
        told = {name: (entry.answer, entry.tools) for name, entry in read.entries.items()}
        if told != {name: (entry.answer, entry.tools) for name, entry in entries.items()}:
            raise DataError(
                f"a target in format {codec.name} cannot be read back: {read.problems[:1]}"
            )
        return reply


def entry_of(one: ShownCandidate) -> Entry:
    """The verdict that is wanted of a candidate."""
    assert one.tools is not None
    return Entry(one.answer, round(one.tools, 1), one.defects or ())


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Stored words with a prompt's names for its candidates; whom it does not show is "another"."""
    for member, name in names.items():
        text = text.replace(quoted(member), name)
    return _UNKNOWN.sub("another", text)


def _shown(name: str, candidate: Candidate, truths: Mapping[str, CandidateTruth]) -> ShownCandidate:
    first = truths[candidate.members[0]]
    if any(truths[member].answer != first.answer for member in candidate.members):
        raise DataError(f"equal trajectories with different truths: {candidate.members}")
    return ShownCandidate(
        name=name,
        members=candidate.members,
        calls=candidate.calls,
        answer=first.answer,
        tools=first.tools,
        defects=None if first.defects is None else _in_steps(first.defects, candidate.calls),
    )


def _in_steps(defects: tuple[Defect, ...], calls: int) -> tuple[Defect, ...]:
    """Defects whose step is among those shown; a judge could name no other."""
    return tuple(d for d in defects if d.step is None or d.step < calls)


def _licence(group: GroupRow, words: Words) -> str:
    """Of evidence and words together, as an SPDX expression."""
    own = group.provenance.licence
    return own if words.licence in ("", own) else f"{own} AND {words.licence}"


def _own_teacher(page: Page) -> str:
    """Whose truth the templates tell: an answer's is the key's."""
    return "verifier" if any(page.shown.values()) else "key"


def _count(making: Making, row: JudgeRow) -> None:
    making.count("split", row.split)
    making.count("world", row.world)
    making.count("candidates", str(len(row.shown)))
    making.count("teacher", row.teacher)
    making.count("reserved", *{r.partition(":")[0] for r in row.reserved} or {"nothing"})
    right = sum(one.answer for one in row.shown)
    making.count("right candidates of all", f"{right} of {len(row.shown)}")
    making.licences[row.provenance.licence] += 1
