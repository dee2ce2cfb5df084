"""What all judges that ask a model about evidence are built on: client, prompt, cache, evidence.

    inquiry = Inquiry("pointwise", "1", client, language="zh", seed=0)
    questioner = Questioner(inquiry.dialogue, "json", language=inquiry.language)
    version = inquiry.version(questioner.fingerprint)

    opened = inquiry.open(sitting)
    said = await inquiry.ask(questioner, opened, alone(opened.case, 0), (0,), "alone")
    said[opened.case.candidates[0]]       # an Entry, or the word for why there is none

A failing endpoint, a reply beyond repair and a case over budget are words here, never exceptions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from telejudge_envs.client import ChatClient
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_judges.account import Account
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.codec import Entry
from telejudge_judges.dialogue import Dialogue, Structured
from telejudge_judges.evidence import Candidate, Case, prepare
from telejudge_judges.opaque import digest, fingerprint_of
from telejudge_judges.prompt_files import shipped_prompt
from telejudge_judges.questioner import Asks
from telejudge_judges.reference import (
    Reference,
    ReferenceMode,
    References,
    check_mode,
    shown_reference,
)
from telejudge_judges.render import Evidence, OverBudget, render
from telejudge_judges.sitting import Sitting


class InquiryOptions(TypedDict, total=False):
    """Keywords of every judge that is built on an Inquiry; their defaults are the Inquiry's."""

    seed: int
    language: str
    prompt_path: Path | None
    """A prompt in place of the shipped one."""
    briefings: Briefings | None
    """Tool schemas and policy by task."""
    references: References | None
    """The known solution of a group: see reference.py."""
    reference_mode: ReferenceMode
    cache: Path | None
    """Folder of replies."""
    budget_tokens: int
    """Of evidence, a call."""
    structured: Structured
    """Hold the server to the reply's JSON `schema`, to any JSON `object`, `off`."""
    json_mode: bool
    """The same as `structured="object"`."""
    include_reasoning: bool
    """Whether agents' private thinking is shown."""
    merge_identical: bool
    """Whether equal trajectories are judged once."""


class Opened(NamedTuple):
    """A sitting as an inquiry shows it: who is judged, what is told besides, who pays."""

    case: Case
    brief: Briefing
    reference: Reference | None
    account: Account


class Inquiry:
    """Shows cases to a model. `judge` names the shipped prompt; with `format_version`, the cache's
    entries. Raises UsageError for a language, prompt or reference mode that does not exist."""

    def __init__(
        self,
        judge: str,
        format_version: str,
        client: ChatClient,
        *,
        seed: int = 0,
        language: str = "en",
        prompt_path: Path | None = None,
        briefings: Briefings | None = None,
        references: References | None = None,
        reference_mode: ReferenceMode = "if_unsure",
        cache: Path | None = None,
        budget_tokens: int = 24_000,
        structured: Structured = "schema",
        json_mode: bool = False,
        include_reasoning: bool = False,
        merge_identical: bool = True,
    ) -> None:
        check_mode(reference_mode)
        self.seed, self.language, self.budget_tokens = seed, language, budget_tokens
        self.merge_identical, self._include_reasoning = merge_identical, include_reasoning
        self._briefings, self._format_version = briefings, format_version
        self._references = None if reference_mode == "hidden" else references
        self._mode: ReferenceMode = reference_mode
        self.dialogue = Dialogue(
            client,
            shipped_prompt(judge, language, prompt_path),
            judge=f"{judge} {format_version}",
            cache=cache,
            structured=structured,
            json_mode=json_mode,
            seed=seed,
        )

    def version(self, *own: object) -> str:
        """Of the code, the prompt, the options, the model, and what the judge has of its `own`:
        whatever else verdicts depend on."""
        shown = None
        if self._references is not None:
            shown = [self._mode, fingerprint_of(self._references)]
        options = [self.seed, self.budget_tokens, self.dialogue.structured, shown]
        options += [self._include_reasoning, self.merge_identical]
        endpoint = self.dialogue.client.endpoint
        settings = json.dumps([own, options, endpoint.sampling], sort_keys=True, default=str)
        fingerprint = digest(self.dialogue.prompt.source, settings)[:8]
        return f"{self._format_version}+{fingerprint} {endpoint.model}"

    def open(self, sitting: Sitting, beside: Sequence[Trajectory] = ()) -> Opened:
        """The case of those who are to be judged, and of others that are shown `beside` them."""
        account, brief = sitting.account, sitting.brief(self._briefings)
        shown = [*sitting.judged, *beside]
        case = prepare(
            sitting.group,
            shown,
            policy=brief.policy,
            include_reasoning=self._include_reasoning,
            merge_identical=self.merge_identical,
        )
        merged = len(shown) - len(case.candidates)
        if merged:
            account.note(f"{merged} of {len(shown)} trajectories equal another, judged with it")
        reference = shown_reference(self._references, self._mode, sitting.group)
        if self._references is not None and reference is None:
            account.note("no reference is known for this group")
        return Opened(case, brief, reference, account)

    def render(
        self,
        opened: Opened,
        part: Case,
        order: Sequence[int],
        salt: str,
        *,
        floor: int = 0,
        spare: int = 0,
    ) -> Evidence:
        """The evidence on a part of the case, its candidates in this order, `spare` tokens of the
        budget left for other things. Raises OverBudget when it does not fit (render.py)."""
        return render(
            part,
            order,
            f"{self.seed}|{salt}",
            tools=opened.brief.tools,
            budget_tokens=self.budget_tokens - spare,
            floor=floor,
            reference=opened.reference,
        )

    def evidence(
        self, opened: Opened, part: Case, order: Sequence[int], salt: str, *, spare: int = 0
    ) -> Evidence | None:
        """The same, with a note of what is not shown; None, with a note, when it does not fit."""
        try:
            evidence = self.render(opened, part, order, salt, spare=spare)
        except OverBudget as error:
            opened.account.note(str(error))
            return None
        opened.account.note(*evidence.elided)
        return evidence

    async def ask(
        self, questioner: Asks, opened: Opened, part: Case, order: Sequence[int], salt: str
    ) -> dict[Candidate, Entry | str]:
        """An entry or a cause for each candidate of the part, shown in this order."""
        evidence = self.evidence(opened, part, order, salt)
        if evidence is None:
            return {part.candidates[number]: "over_budget" for number in order}
        said = await questioner.ask(evidence, opened.account)
        return {evidence.candidates[name]: one for name, one in said.items()}
