"""One group before a listwise judge: order after order, window by window, at last one by one.

In: an opened case and how to ask. Out: votes and ballots on its candidates.

    hearing = Hearing(inquiry, questioner, inquiry.open(sitting))
    await hearing.hear(first=2, most=4)
    hearing.votes[candidate.members]

Whoever has no sound entry after all orders is asked about once more, alone, when that can help:
after a reply without him, after one refusal or when the prompt was too long for the model; not when
the endpoint is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from telejudge_envs.nouns.verdict import Ballot
from telejudge_judges.account import Account
from telejudge_judges.aggregate import Votes
from telejudge_judges.codec import Entry, ProblemKind
from telejudge_judges.evidence import Case, part_of
from telejudge_judges.inquiry import Inquiry, Opened
from telejudge_judges.opaque import orders
from telejudge_judges.questioner import Asks
from telejudge_judges.render import Evidence, OverBudget
from telejudge_judges.windows import FLOORS, Window, windows, yardstick

Members = tuple[str, ...]

WORTH_ASKING_ALONE = frozenset({*get_args(ProblemKind), "context_overflow", "refused"})
POINTLESS = frozenset({"context_overflow", "over_budget", "circuit_open"})
"""Causes that another order of the same candidates would meet again."""


class Said(NamedTuple):
    """What one call said of one candidate. `place` is where the candidate stood in it."""

    order: int
    place: int
    members: Members
    entry: Entry | str


@dataclass
class Hearing:
    """`shared` are members that every window shows. Orders are drawn by the inquiry's seed."""

    inquiry: Inquiry
    questioner: Asks
    opened: Opened
    shared: frozenset[str] = frozenset()
    said: list[Said] = field(default_factory=list)
    votes: dict[Members, Votes] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        return self.opened.case

    @property
    def account(self) -> Account:
        return self.opened.account

    async def hear(self, first: int, most: int) -> None:
        """Ask `first` orders one after another, then more while they disagree, up to `most`."""
        self.votes = {candidate.members: Votes() for candidate in self.case.candidates}
        size = len(self.case.candidates)
        planned = orders(most, size, f"{self.inquiry.seed}|{self.case.hash}")
        asked = 0
        for number, order in enumerate(planned):
            if number >= first:
                if not any(votes.undecided for votes in self.votes.values()):
                    break
                self.account.note("orders disagreed, a further one was asked")
            asked += 1
            heard = await self._in_order(number, order)
            if all(isinstance(s.entry, str) and s.entry in POINTLESS for s in heard):
                break
        if size > 1:
            await self._ask_alone(asked)

    def ballots(self) -> Iterator[Ballot]:
        """Every vote by itself, for each member of a candidate."""
        for said in self.said:
            entry = said.entry
            for member in said.members:
                if isinstance(entry, str):
                    yield Ballot(
                        order=said.order, place=said.place, trajectory_id=member, failed=entry
                    )
                else:
                    yield Ballot(
                        order=said.order,
                        place=said.place,
                        trajectory_id=member,
                        answer=entry.answer,
                        tools=entry.tools,
                        defects=entry.defects,
                    )

    async def _in_order(self, number: int, order: Sequence[int]) -> list[Said]:
        """One order: one call, or one a window."""
        pages = self._pages(number, order)
        heard = await asyncio.gather(*(self._ask(number, page) for page in pages))
        return self._count([said for part in heard for said in part])

    async def _ask_alone(self, number: int) -> None:
        left = [
            i
            for i, candidate in enumerate(self.case.candidates)
            if not (votes := self.votes[candidate.members]).entries
            and not WORTH_ASKING_ALONE.isdisjoint(votes.causes)
        ]
        if not left:
            return
        self.account.note(f"{len(left)} candidates without a sound verdict were asked about alone")
        pages = [self._page((i,), "alone", floor=0) or (i,) for i in left]
        heard = await asyncio.gather(*(self._ask(number, page, repair=False) for page in pages))
        self._count([said for part in heard for said in part])

    async def _ask(
        self, number: int, page: Evidence | Window, *, repair: bool = True
    ) -> list[Said]:
        """One call; a window that fits nowhere is over the budget."""
        if not isinstance(page, Evidence):
            members = [self.case.candidates[i].members for i in page]
            return [Said(number, place, m, "over_budget") for place, m in enumerate(members)]
        self.account.note(*page.elided)
        by_id = await self.questioner.ask(page, self.account, repair=repair)
        return [
            Said(number, place, candidate.members, by_id[name])
            for place, (name, candidate) in enumerate(page.candidates.items())
        ]

    def _count(self, heard: list[Said]) -> list[Said]:
        self.said += heard
        for said in heard:
            votes = self.votes[said.members]
            votes.asked += 1
            if isinstance(said.entry, str):
                votes.causes.append(said.entry)
            else:
                votes.entries.append(said.entry)
        return heard

    # -- what fits

    def _pages(self, number: int, order: Sequence[int]) -> list[Evidence | Window]:
        """The order in one page, else in windows; who fits in none has a page of his own."""
        whole, salt = tuple(order), str(number)
        if len(whole) == 1:
            return [self._page(whole, salt, floor=0) or whole]
        page = self._page(whole, salt, FLOORS[0])
        if page is not None:
            return [page]
        alone = {i: self._page((i,), salt, floor=0) for i in whole}
        shared = self._shared(whole, {i: p.tokens for i, p in alone.items() if p is not None})
        rest = [
            i
            for i in whole
            if i in shared or self._page(_in(whole, {i, *shared}), salt, floor=0) is not None
        ]
        found = self._windows(tuple(rest), shared, salt) if len(rest) > len(shared) else []
        seen = {i for window, _ in found for i in window}
        budget, alone_at_last = self.inquiry.budget_tokens, len(whole) - len(seen)
        self.account.note(
            f"over the budget of {budget} tokens: judged in {len(found)} windows that share "
            f"{len(shared)} of {len(whole)} candidates, {alone_at_last} alone"
        )
        pages: list[Evidence | Window] = [page for _, page in found]
        return [*pages, *(alone[i] or (i,) for i in whole if i not in seen)]

    def _windows(
        self, order: Window, shared: frozenset[int], salt: str
    ) -> list[tuple[Window, Evidence]]:
        """Windows with their pages, of texts as long as possible."""
        for floor in FLOORS:
            tried: dict[Window, Evidence | None] = {}

            def fits(window: Window, floor: int = floor, tried: dict = tried) -> bool:
                tried[window] = self._page(window, salt, floor)
                return tried[window] is not None

            found = windows(order, shared, fits)
            if found is not None:
                return [(window, page) for window in found if (page := tried[window]) is not None]
        return []

    def _shared(self, order: Window, tokens: Mapping[int, int]) -> frozenset[int]:
        """The anchors; without any, one candidate that leaves room for others."""
        given = frozenset(
            i for i in order if not self.shared.isdisjoint(self.case.candidates[i].members)
        )
        return given or yardstick(order, tokens)

    def _page(self, window: Window, salt: str, floor: int) -> Evidence | None:
        """The evidence of these candidates in this order; None when it does not fit."""
        whole = len(window) == len(self.case.candidates)
        case = self.case if whole else part_of(self.case, window)
        places = {number: place for place, number in enumerate(sorted(window))}
        try:
            order = window if whole else [places[number] for number in window]
            return self.inquiry.render(self.opened, case, order, salt, floor=floor)
        except OverBudget as error:
            if len(window) == 1:
                self.account.note(str(error))
            return None


def _in(order: Window, wanted: set[int]) -> Window:
    return tuple(i for i in order if i in wanted)
