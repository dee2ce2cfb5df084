"""What generative judges that show parts of a group have in common: a client, a prompt, a format.

    inquiry = Inquiry("pointwise", "1", client, codec="json", language="zh", seed=0)
    case, brief, reference = inquiry.open(sitting)
    said = await inquiry.ask(case, (0,), "salt", brief, reference, sitting.account)
    said[case.candidates[0]]          # an Entry, or the word for why there is none

A failing endpoint, a reply beyond repair and a case over budget are words here, never exceptions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from telejudge_envs.client import ChatClient
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.cache import ReplyCache
from telejudge_judges.codec import Codec, Entry
from telejudge_judges.evidence import Candidate, Case, prepare
from telejudge_judges.opaque import digest
from telejudge_judges.prompt_files import shipped_prompt
from telejudge_judges.questioner import Account, Asks, Questioner, Structured
from telejudge_judges.reference import (
    Reference,
    ReferenceMode,
    References,
    check_mode,
    shown_reference,
)
from telejudge_judges.render import OverBudget, render
from telejudge_judges.sitting import Sitting


class InquiryOptions(TypedDict, total=False):
    """Keywords of every judge that is built on an Inquiry; the listwise judge has them too."""

    seed: int
    language: str
    prompt_path: Path | None
    """A prompt in place of the shipped one."""
    briefings: Briefings | None
    """Tool schemas and policy by task."""
    references: References | None
    reference_mode: ReferenceMode
    cache: Path | None
    """Folder of replies."""
    budget_tokens: int
    """Of evidence, a call."""
    structured: Structured
    json_mode: bool
    include_reasoning: bool
    """Whether agents' private thinking is shown."""
    merge_identical: bool
    """Whether equal trajectories are judged once."""


class Inquiry:
    """Asks about candidates of a case. `version` covers code, prompt, options and model.

    `own` are further options of the judge that change its verdicts. Raises UsageError for a
    language, prompt, format or reference mode that does not exist.
    """

    def __init__(
        self,
        judge: str,
        format_version: str,
        client: ChatClient,
        *,
        codec: str | Codec,
        own: Sequence[object] = (),
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
        self.seed, self.merge_identical = seed, merge_identical
        self._budget, self._briefings = budget_tokens, briefings
        self._references = references
        self._mode: ReferenceMode = reference_mode
        self._include_reasoning = include_reasoning
        prompt = shipped_prompt(judge, language, prompt_path)
        self.questioner: Asks = Questioner(
            client,
            prompt,
            judge=f"{judge} {format_version}",
            cache=None if cache is None else ReplyCache(cache),
            json_mode=json_mode,
            seed=seed,
            codec=codec,
            language=language,
            structured=structured,
        )
        shown = reference_mode if references is not None else "hidden"
        options = [*own, seed, language, budget_tokens, structured, json_mode, shown]
        options += [include_reasoning, merge_identical, self.questioner.codec.name]
        settings = json.dumps([options, client.endpoint.sampling], sort_keys=True, default=str)
        fingerprint = digest(prompt.source, settings)[:8]
        self.version = f"{format_version}+{fingerprint} {client.endpoint.model}"

    def open(self, sitting: Sitting) -> tuple[Case, Briefing, Reference | None]:
        """The case of those who are to be judged, and what is told besides."""
        brief = sitting.brief(self._briefings)
        case = prepare(
            sitting.group,
            sitting.judged,
            policy=brief.policy,
            include_reasoning=self._include_reasoning,
            merge_identical=self.merge_identical,
        )
        merged = len(sitting.judged) - len(case.candidates)
        if merged:
            sitting.account.note(
                f"{merged} of {len(sitting.judged)} trajectories equal another, judged with it"
            )
        return case, brief, shown_reference(self._references, self._mode, sitting.group)

    async def ask(
        self,
        case: Case,
        order: Sequence[int],
        salt: str,
        brief: Briefing,
        reference: Reference | None,
        account: Account,
    ) -> dict[Candidate, Entry | str]:
        """An entry or a cause for each candidate of the case, shown in this order."""
        try:
            evidence = render(
                case,
                order,
                f"{self.seed}|{salt}",
                tools=brief.tools,
                budget_tokens=self._budget,
                reference=reference,
            )
        except OverBudget as error:
            account.note(str(error))
            return {case.candidates[i]: "over_budget" for i in order}
        account.note(*evidence.elided)
        said = await self.questioner.ask(evidence, account)
        return {evidence.candidates[name]: one for name, one in said.items()}
