"""The careful engineer of the base-station world: looks, finds, repairs, looks again, reports.

In: the ticket and tool results only. Out: one call a message, the report at the end.

    agent = engineer().start(task.view, seed=0)
    message = agent.decide(episode.observation, episode.tools)

He works in rounds, since a fault can hide another: everything that can be seen is explained by a
discriminating read, then what needs nobody on site is repaired, what is others' is handed over, and
one visit does the rest. The same walk serves the imperfect expert: a Temper says at each decision
whether the agent slips. The engineer's never does.
"""

from __future__ import annotations

from collections.abc import Generator

from telejudge_agents.scripted.base import Call, Heard, Plan, Planner, ScriptedFactory
from telejudge_agents.scripted.base_station.case import Case
from telejudge_agents.scripted.base_station.clues import AUDIT, CLUES, DIFFERS, differences
from telejudge_agents.scripted.base_station.desk import Finding, Step
from telejudge_agents.scripted.base_station.dialect import BASE_STATION
from telejudge_agents.scripted.base_station.hands import Hands
from telejudge_agents.scripted.base_station.remedies import (
    REMEDIES,
    mitigation,
    outside,
    remedy_for,
)
from telejudge_agents.scripted.base_station.report import report
from telejudge_agents.scripted.base_station.slips import RIVALS, Temper, rash_reset
from telejudge_agents.scripted.base_station.symptoms import Symptom, sector_of, symptoms
from telejudge_agents.scripted.base_station.visit import Visit
from telejudge_agents.scripted.temper import careful
from telejudge_envs.base_station.faults import FAULTS

MOST_ROUNDS = 7
MOST_TRIES = 2


class Engineer(Hands):
    """One ticket on the desk of one engineer."""

    def __init__(self, case: Case, temper: Temper) -> None:
        super().__init__(case, temper)
        self.visit = Visit(self)
        self.worked: list[Finding] = []
        self.swept_at = -1
        """Number of repairs when the site was last looked at whole."""
        self.given_up = False
        self._tries: dict[tuple[str, int], int] = {}

    def plan(self) -> Plan:
        """The whole episode."""
        slips = self.temper.slips
        yield from self._look(first=True)
        if self.case.problems and slips("reset_first"):
            yield from self.repair(rash_reset(self.case))
        for _ in range(MOST_ROUNDS):
            found = yield from self._diagnose()
            if not found:
                break
            yield from self._work(found)
            if slips("stop_early") or slips("skip_verify"):
                break
            if self.actions and self.swept_at < len(self.actions):
                yield from self._look()
        if self.swept_at < len(self.actions) and not slips("skip_sweep"):
            yield from self._look(whole=True)
        yield Call("submit_resolution_report", report(self))

    # -- looking

    def _look(self, *, first: bool = False, whole: bool = False) -> Step:
        """The alarms of the site, and when it answers the counters of its cells."""
        self.case.round += 1
        yield from self.do(Call("list_alarms", {"scope_id": self.case.site}))
        if first:
            yield from self.do(Call("get_topology", {"object_id": self.case.site}))
        if (self.case.reachable or whole) and not self.temper.slips("skip_kpi"):
            yield from self.do(Call("get_kpi", {"object_id": self.case.site}))
            self.swept_at = len(self.actions)

    def _diagnose(self) -> Generator[Call | str, Heard, list[Finding]]:
        """A finding for every symptom that has one, in the order of the tables."""
        found: list[Finding] = []
        quiet = not self.temper.slips("close_on_quiet")
        for symptom in symptoms(self.case, quiet=quiet):
            if self._explained(symptom) or self.temper.slips("overlook"):
                continue
            finding = yield from self._explain(symptom)
            if finding is not None and finding.key not in {f.key for f in found}:
                found.append(finding)
            yield from self.dither()
        if not found and self._hidden():
            found = yield from self._audit()
        self.given_up = any(self._tries.get(f.key, 0) >= MOST_TRIES for f in found)
        return [f for f in found if self._worth_trying(f)]

    def _explained(self, symptom: Symptom) -> bool:
        """Whether another team has a fault that shows like this."""
        codes = {code for code, _ in CLUES[symptom.name].verdicts}
        return any((code, symptom.sector) in self.handed_over for code in codes)

    def _explain(self, symptom: Symptom) -> Generator[Call | str, Heard, Finding | None]:
        clue, i = CLUES[symptom.name], symptom.sector
        evidence: list[str] = []
        guessed = bool(clue.reads) and self.temper.slips("skip_read")
        for ask in () if guessed else clue.reads:
            call = ask(self.case, i)
            if not self.case.fresh(call):
                yield from self.do(call)
            evidence.append(self._reading(call))
            if clue.until(self.case, i):
                break
        if clue.shown_by or guessed:
            evidence.append(self.case.answer(clue.shown_by or "list_alarms").id)
        for code, test in clue.verdicts:
            if guessed or test(self.case, i):
                ids = tuple(e for e in dict.fromkeys(evidence) if e.startswith("r"))
                return Finding(code, i, self.case.id(REMEDIES[code].part, i), ids)
        return None

    def _hidden(self) -> bool:
        """Whether a fault of another team keeps cells dark whose counters cannot speak."""
        dark = self.case.raised("CELL_UNAVAILABLE")
        seen = self.case.fresh(AUDIT(self.case, 0))
        return bool(self.handed_over and dark) and self.case.reachable and not seen

    def _audit(self) -> Generator[Call | str, Heard, list[Finding]]:
        """Compare the whole site with its plan."""
        answer = yield from self.do(AUDIT(self.case, 0))
        rows = differences(self.case, self.case.site)
        return [
            Finding(
                DIFFERS[row["attribute"]],
                sector_of(self.case, row["object"]),
                row["object"],
                (answer.id,),
            )
            for row in rows
            if row["attribute"] in DIFFERS and row["planned"] is not None
        ]

    def _reading(self, call: Call) -> str:
        return self.case.answer(call.tool, str(next(iter(call.arguments.values())))).id

    def _worth_trying(self, f: Finding) -> bool:
        return f.key not in self.handed_over and self._tries.get(f.key, 0) < MOST_TRIES

    # -- repairing

    def _work(self, found: list[Finding]) -> Step:
        """Relief first, then remote repairs, then what is others', then one visit for the rest."""
        found = [self._mistaken(f) for f in found]
        for f in found:
            self._tries[f.key] = self._tries.get(f.key, 0) + 1
        self.worked = [w for w in self.worked if w.believed] + found
        slips = self.temper.slips
        early = [f for f in found if not outside(self.case, f) and slips("escalate_early")]
        theirs = [f for f in found if outside(self.case, f)]
        ours = [f for f in found if f not in early and f not in theirs]
        yield from self._mitigate(found)
        for f in ours:
            if not remedy_for(self.case, f).onsite:
                yield from remedy_for(self.case, f).work(self, self._misplaced(f))
        for f in [*early, *theirs]:
            if f in early or not slips("never_escalate"):
                yield from self.escalate(f)
        visits = [f for f in ours if remedy_for(self.case, f).onsite]
        if visits:
            yield from self.visit.make([self._misplaced(f) for f in visits])

    def _mitigate(self, found: list[Finding]) -> Step:
        calls = [call for f in found if (call := mitigation(self.case, f)) is not None]
        for call in calls:
            if not self.temper.slips("forget_mitigation"):
                yield from self.repair(call)

    def _mistaken(self, f: Finding) -> Finding:
        """The finding, or with a slip a rival that shows alike."""
        if f.code not in RIVALS or not self.temper.slips("misdiagnose"):
            return f
        code = self.temper.rng.choice(RIVALS[f.code])
        i = f.sector or int(FAULTS[code].sector)
        object_id = self.case.id(REMEDIES[code].part, i)
        keeps = self.temper.slips("keep_wrong_cause")
        return Finding(code, i, object_id, f.evidence, believed=keeps)

    def _misplaced(self, f: Finding) -> Finding:
        """The finding, or with a slip the same in another sector."""
        if not f.sector or not self.temper.slips("wrong_sector"):
            return f
        others = [i for i in range(1, self.case.sectors + 1) if i != f.sector]
        i = self.temper.rng.choice(others)
        return Finding(f.code, i, self.case.id(REMEDIES[f.code].part, i), f.evidence)

    def spare(self, kind: str) -> str:
        """A spare part of that type out of the technician's van."""
        return self.visit.take(kind)


def engineer_planner(temper: Temper) -> Planner:
    """From a ticket to the plan of an engineer of that temper."""
    return lambda ticket: Engineer(Case.of(ticket), temper).plan()


def engineer() -> ScriptedFactory:
    """The careful engineer as an AgentFactory."""
    return careful(engineer_planner, BASE_STATION)
