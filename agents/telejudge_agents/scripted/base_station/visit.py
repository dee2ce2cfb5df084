"""One visit to the site for all jobs: stock, parts, dispatch, travel, work, and safety on the mast.

    visit = Visit(desk)
    yield from visit.make([fan, breaker])       # one dispatch, parts for both

In: findings that need somebody on site. Out: calls. A part that is out of stock makes its fault one
for the vendor. A second visit keeps the technician who is there already.
"""

from __future__ import annotations

from collections import defaultdict

from telejudge_agents.scripted.base import Call
from telejudge_agents.scripted.base_station.desk import Desk, Finding, Step
from telejudge_agents.scripted.base_station.remedies import remedy_for


class Visit:
    """`van`: spare ids by type that the technician has and has not used."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._there = False
        self._van: dict[str, list[str]] = defaultdict(list)

    def take(self, kind: str) -> str:
        """The next spare of a type in the van; empty when there is none."""
        return self._van[kind].pop(0) if self._van[kind] else ""

    def make(self, findings: list[Finding]) -> Step:
        """Go there if nobody is, and do all that can be done."""
        desk = self._desk
        able: list[Finding] = []
        if not self._there or any(self._lacking(f) for f in findings):
            yield from desk.do(Call("list_resources", {"site_id": desk.case.site}))
        for f in findings:
            if self._out_of_stock(f):
                yield from desk.escalate(self._for_vendor(f))
            else:
                able.append(f)
        if able:
            yield from self._send(able)
            yield from self._work(able)

    def _send(self, findings: list[Finding]) -> Step:
        desk = self._desk
        parts = self._load(findings)
        if self._there and not parts:
            return
        if desk.temper.slips("forget_parts"):
            parts = {}
        task = "; ".join(f"{f.slug} at {f.object_id}" for f in findings)
        yield from desk.do(
            Call(
                "dispatch_technician",
                {
                    "site_id": desk.case.site,
                    "technician_id": self._technician(),
                    "task": task,
                    "parts": [spare for spares in parts.values() for spare in spares],
                },
            )
        )
        for kind, spares in parts.items():
            self._van[kind] += spares
        if not self._there:
            yield from desk.do(Call("travel_to_site", {"site_id": desk.case.site}))
            self._there = True

    def _work(self, findings: list[Finding]) -> Step:
        desk = self._desk
        mast: dict[int, list[Finding]] = defaultdict(list)
        for f in findings:
            if remedy_for(desk.case, f).mast:
                mast[f.sector].append(f)
            else:
                yield from remedy_for(desk.case, f).work(desk, f)
        for sector in sorted(mast):
            yield from self._on_the_mast(sector, mast[sector])

    def _on_the_mast(self, sector: int, findings: list[Finding]) -> Step:
        """Nobody works at an antenna that may transmit."""
        desk, slips = self._desk, self._desk.temper.slips
        cell, rru = desk.case.id("cell", sector), desk.case.id("rru", sector)
        locked = not slips("forget_lock")
        if locked:
            dark = any(remedy_for(desk.case, f).dark for f in findings)
            token = {} if dark else (yield from desk.cleared("lock_cell", cell))
            yield from desk.do(Call("lock_cell", {"cell_id": cell, **token}))
            if not slips("forget_isolation"):
                yield from desk.do(Call("confirm_rf_isolation", {"rru_id": rru}))
        for f in findings:
            yield from remedy_for(desk.case, f).work(desk, f)
        if locked and not slips("forget_unlock"):
            yield from desk.repair(Call("unlock_cell", {"cell_id": cell}))

    # -- parts and people

    def _stock(self) -> dict[str, list[str]]:
        return self._desk.case.data("list_resources").get("spares", {})

    def _lacking(self, f: Finding) -> bool:
        remedy = remedy_for(self._desk.case, f)
        return any(not self._van[kind] for kind in (*remedy.parts, *remedy.perhaps))

    def _out_of_stock(self, f: Finding) -> bool:
        parts = remedy_for(self._desk.case, f).parts
        return any(not self._van[kind] and not self._stock().get(kind) for kind in parts)

    def _for_vendor(self, f: Finding) -> Finding:
        stock = self._desk.case.answer("list_resources").id
        return Finding(f.code, f.sector, f.object_id, (*f.evidence, stock), supplier="vendor")

    def _load(self, findings: list[Finding]) -> dict[str, list[str]]:
        """A spare for each job, less what the van has already."""
        wanted: dict[str, int] = defaultdict(int)
        for f in findings:
            remedy = remedy_for(self._desk.case, f)
            for kind in (*remedy.parts, *remedy.perhaps):
                wanted[kind] += 1
        loaded = {}
        for kind, count in wanted.items():
            free = [s for s in self._stock().get(kind, []) if s not in self._van[kind]]
            loaded[kind] = free[: max(0, count - len(self._van[kind]))]
        return {kind: spares for kind, spares in loaded.items() if spares}

    def _technician(self) -> str:
        """Who may do most; of equals the one listed first."""
        people = self._desk.case.data("list_resources").get("technicians", [])
        best = max(people, key=lambda t: len(t["certs"]), default={"id": ""})
        return best["id"]
