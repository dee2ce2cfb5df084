"""More rubric items for a ticket, written by a generator model.

    drafts = await Drafter(client, count=4).draft(task, policy, found, embedder, account)

The generator sees the ticket, the policy and what was retrieved, never a candidate, so that nothing
an agent wrote can shape the items that it is judged by. Drafts are soft, never essential, and at
most `HEAVIEST` heavy; one that says what another item says (cosine above `SAME`) is left out. A
generator that fails costs a note: the retrieved items are used alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import EndpointError, UsageError
from telejudge_envs.nouns.task import TaskView
from telejudge_judges.account import Account
from telejudge_judges.codec import Problem
from telejudge_judges.codecs.checks import shown_value
from telejudge_judges.codecs.tolerant import find_object
from telejudge_judges.dialogue import Dialogue, Structured, closed_object
from telejudge_judges.opaque import digest, nonce
from telejudge_judges.prompt_files import shipped_prompt
from telejudge_judges.render import free_text
from telejudge_judges.rubric.embed import Embedder
from telejudge_judges.rubric.hits import DRAFTED
from telejudge_judges.rubric.items import RubricItem
from telejudge_judges.rubric.retrieve import Retrieved
from telejudge_judges.shorten import digest_policy

HEAVIEST = 0.3
SAME = 0.85
"""Cosine from which two items say the same; paraphrases of MiniLM lie above it."""
LONGEST = 400
"""Characters of an item."""
POLICY_CHARACTERS = 12_000
"""Of the policy that the generator is shown."""


class Drafter:
    """Asks one generator model for `count` items a ticket. `cache` is a folder; `prompt_path`
    replaces the shipped prompt of the `language`."""

    def __init__(
        self,
        client: ChatClient,
        *,
        count: int = 4,
        language: str = "en",
        prompt_path: Path | None = None,
        cache: Path | None = None,
        structured: Structured = "schema",
        seed: int = 0,
    ) -> None:
        if count < 1:
            raise UsageError(f"at least one item is to be drafted, got {count}")
        self.client, self.count = client, count
        prompt = shipped_prompt("draft", language, prompt_path)
        settings = [count, structured, seed, client.endpoint.model, client.endpoint.sampling]
        self.fingerprint = digest(prompt.source, json.dumps(settings, sort_keys=True, default=str))
        self._dialogue = Dialogue(
            client, prompt, judge="rubric draft 1", cache=cache, structured=structured, seed=seed
        )

    async def draft(
        self,
        task: TaskView,
        policy: str,
        found: Retrieved,
        embedder: Embedder,
        account: Account,
    ) -> tuple[RubricItem, ...]:
        """New items for the ticket; none when the generator fails."""
        turn = DraftTurn(task, policy, found, self.count)
        cause = (await self._dialogue.hold(turn, account)).cause
        if cause is not None:
            account.note(f"drafting rubrics failed ({cause}); {len(turn.items)} drafts are sound")
        try:
            return await _distinct(turn.items, found.items, embedder)
        except EndpointError as error:
            account.note(f"drafted rubrics are not used: {error}")
            return ()


class DraftTurn:
    """Implements Turn: collects sound drafts; a repair replaces what the first reply gave."""

    name = "items"

    def __init__(self, task: TaskView, policy: str, found: Retrieved, count: int) -> None:
        self.task, self.found, self.count = task, found, count
        self.policy = digest_policy(policy, POLICY_CHARACTERS)
        self.items: tuple[RubricItem, ...] = ()
        self.settled = False

    def values(self) -> dict[str, Any]:
        similar = [line for case in self.found.cases for line in free_text(case.ticket)]
        everything = "\n".join((self.task.ticket, self.policy, *similar))
        return {
            "fence": nonce(digest(everything), absent_from=everything),
            "ticket": free_text(self.task.ticket),
            "policy": free_text(self.policy) if self.policy else [],
            "similar": similar,
            "items": [item.text for item in self.found.items],
            "count": self.count,
        }

    def schema(self) -> dict[str, Any]:
        item = closed_object(
            {
                "text": {"type": "string"},
                "about": {"type": "string", "enum": ["answer", "tools"]},
                "polarity": {"type": "string", "enum": ["good", "bad"]},
                "weight": {"type": "number"},
            }
        )
        return closed_object({"items": {"type": "array", "items": item}})

    def read(self, text: str) -> list[Problem]:
        given = find_object(text, "items")
        if not isinstance(given, list):
            self.settled = False
            return [Problem("unparseable", None, 'there is no JSON object with a list "items"')]
        read = [self._item(f"items[{n}]", one) for n, one in enumerate(given[: self.count])]
        self.items = tuple({i.id: i for i in read if isinstance(i, RubricItem)}.values())
        problems = [problem for problem in read if isinstance(problem, Problem)]
        self.settled = not problems
        return problems

    def _item(self, where: str, given: object) -> RubricItem | Problem:
        if not isinstance(given, dict):
            return Problem(
                "wrong_type", where, f"{where} must be an object, got {shown_value(given)}"
            )
        text, about, polarity = given.get("text"), given.get("about"), given.get("polarity")
        weight = given.get("weight", 0.2)
        if not isinstance(text, str) or not 0 < len(text.strip()) <= LONGEST:
            what = f"{where}.text must be a statement of at most {LONGEST} characters"
        elif about not in ("answer", "tools"):
            what = f'{where}.about must be "answer" or "tools", got {shown_value(about)}'
        elif polarity not in ("good", "bad"):
            what = f'{where}.polarity must be "good" or "bad", got {shown_value(polarity)}'
        elif isinstance(weight, bool) or not isinstance(weight, (int, float)):
            what = f"{where}.weight must be a number, got {shown_value(weight)}"
        elif not 0 < weight <= HEAVIEST:
            what = (
                f"{where}.weight must be above 0 and at most {HEAVIEST}, got {shown_value(weight)}"
            )
        else:
            text = " ".join(text.split())
            return RubricItem(
                id=f"draft-{digest(text)[:10]}",
                text=text,
                about=about,
                polarity=polarity,
                weight=float(weight),
                world=self.task.world,
                source=DRAFTED,
            )
        return Problem("wrong_type", where, what)


async def _distinct(
    drafts: Sequence[RubricItem], known: Sequence[RubricItem], embedder: Embedder
) -> tuple[RubricItem, ...]:
    """Those drafts that no known item and no earlier draft already says."""
    if not drafts:
        return ()
    rows = await embedder.embed([item.text for item in (*known, *drafts)])
    kept = list(range(len(known)))
    for nth in range(len(known), len(rows)):
        if not kept or float((rows[kept] @ rows[nth]).max()) < SAME:
            kept.append(nth)
    return tuple(drafts[nth - len(known)] for nth in kept if nth >= len(known))
