"""Which items are asked about a ticket: retrieved, drafted, and rid of those that tell nothing.

    library = Library(Path("rubrics.index"), items=12, drafter=Drafter(client))
    chosen = await library.choose(group.task, policy, account, drafts=True)
    chosen.items, chosen.drafted

Without an index the starter rubrics are embedded by MiniLM when first used.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import TaskView
from telejudge_judges.account import Account
from telejudge_judges.opaque import digest
from telejudge_judges.rubric.draft import Drafter
from telejudge_judges.rubric.embed import Embedder, MiniLM
from telejudge_judges.rubric.hits import HitRule, read_hits
from telejudge_judges.rubric.index import RubricIndex, index_hash
from telejudge_judges.rubric.items import RubricItem, starter_sets
from telejudge_judges.rubric.retrieve import retrieve


@dataclass(frozen=True)
class Chosen:
    """The library's own items (core ones first), and those drafted for this ticket."""

    items: tuple[RubricItem, ...]
    drafted: tuple[RubricItem, ...] = ()


class Library:
    """`index` is a RubricIndex or the folder of one; `embedder` goes with a folder or none.

    `items` are retrieved besides the core ones. `hits` are files of earlier observations, by which
    `hit_rule` drops items. Raises the errors of `RubricIndex.open`, and DataError for broken
    observations.
    """

    def __init__(
        self,
        index: RubricIndex | Path | None = None,
        *,
        embedder: Embedder | None = None,
        items: int = 12,
        drafter: Drafter | None = None,
        hits: Sequence[Path] = (),
        hit_rule: HitRule | None = None,
    ) -> None:
        if items < 0:
            raise UsageError(f"items must not be negative, got {items}")
        self.items, self.drafter = items, drafter
        self.hit_rule, self.hits = hit_rule or HitRule(), read_hits(hits)
        if isinstance(index, RubricIndex):
            self.embedder, self._index = index.embedder, index
        else:
            self.embedder = embedder or MiniLM()
            self._index = RubricIndex.open(index, self.embedder) if index else None
        self.rubrics = self._index.rubrics if self._index else starter_sets()

    @property
    def fingerprint(self) -> str:
        """Of everything that decides which items are asked."""
        hits = sorted((name, *dataclasses.astuple(hits)) for name, hits in self.hits.items())
        known = index_hash(self.rubrics, self.embedder)
        drafter = self.drafter.fingerprint if self.drafter else None
        rule = dataclasses.astuple(self.hit_rule)
        return digest(json.dumps([known, self.items, rule, hits, drafter]))

    async def choose(
        self, task: TaskView, policy: str, account: Account, *, drafts: bool = True
    ) -> Chosen:
        """The items for a ticket. `drafts=False` asks the library alone. Raises EndpointError when
        the embedder is an endpoint that fails."""
        if self._index is None:
            self._index = await RubricIndex.build(self.rubrics, self.embedder)
        found = await retrieve(self._index, task, self.items, self._drops)
        if self.drafter is None or not drafts:
            return Chosen(found.items)
        drafted = await self.drafter.draft(task, policy, found, self.embedder, account)
        return Chosen(found.items, drafted)

    def _drops(self, item: RubricItem) -> bool:
        return self.hit_rule.drops(item, self.hits.get(item.id))
