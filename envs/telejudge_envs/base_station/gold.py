"""A gold plan played on an episode: one accepted way, by somebody who knows the truth.

In: a solo episode (its live state is read). Out: the episode, played to its end.

    Gold(episode).play()          # reads, fixes in rounds, verifies, reports
    Gold(episode, dice=random.Random(3)).play()     # another order of what has no order

It works in rounds as an engineer must: prove what can be seen, repair what needs nobody on site,
hand over what is others' to do, send a technician once for all that is left, read again. Gold is
never matched literally; it shows that a task can be solved without breaking a rule.
"""

from __future__ import annotations

import json
import random
from typing import Any

from telejudge_envs.base_station.atoms import object_of, split
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.remedies.case import Call
from telejudge_envs.base_station.remedies.remedy import Remedy, remedy
from telejudge_envs.base_station.score import restored
from telejudge_envs.base_station.stages import is_visible
from telejudge_envs.nouns.message import Message, ToolCall

MAX_ROUNDS = 8
WINDOW = range(0, 6 * 60)
"""Minutes of the day in which service may be affected without approval."""


class Gold:
    """Plays one episode. `without`: an atom whose repair is left out, to show that it is needed."""

    def __init__(
        self,
        episode: BaseStationEpisode,
        *,
        dice: random.Random | None = None,
        without: str | None = None,
    ) -> None:
        self.episode, self.db, self.spec = episode, episode.db, episode.spec
        self.site = self.db.focus
        self._dice = dice
        self._without = without
        self._calls = 0
        self._proofs: dict[str, list[str]] = {}
        self._fixes: dict[str, list[str]] = {}
        self._told: dict[str, tuple[int, str]] = {}
        self._handled: set[str] = set()
        self._escalated: dict[str, str] = {}

    def play(self) -> BaseStationEpisode:
        """Raises nothing: a task that gold cannot solve shows in the episode's outcome."""
        self._read("get_topology", object_id=self.site)
        if self.spec.work_order:
            self._read("get_work_orders", scope_id=self.site)
        for _ in range(MAX_ROUNDS):
            self._read("list_alarms", scope_id=self.site)
            seen = self._visible()
            if not seen:
                break
            self._work(seen)
        self._sweep()
        self._report()
        return self.episode

    # -- one round

    def _visible(self) -> list[Remedy]:
        effects = observe(self.db)[self.site]
        atoms = [a for a in self.spec.atoms if a not in self._handled and is_visible(a, effects)]
        if self._dice is not None:
            self._dice.shuffle(atoms)
        return [remedy(self.db, self.spec, atom) for atom in atoms]

    def _work(self, seen: list[Remedy]) -> None:
        for plan in seen:
            self._proofs[plan.atom] = [self._call(call) for call in plan.proof]
            self._handled.add(plan.atom)
        if any(plan.atom == "S1" and plan.atom != self._without for plan in seen):
            self._mitigate()
        for plan in seen:
            if plan.team is not None and plan.atom != self._without:
                self._escalate(plan)
        able = [p for p in seen if p.team is None and p.atom != self._without]
        for plan in able:
            if not plan.onsite:
                self._remote(plan)
        if visits := [p for p in able if p.onsite]:
            self._visit(visits)

    def _remote(self, plan: Remedy) -> None:
        token = self._cleared_to(plan)
        fresh = remedy(self.db, self.spec, plan.atom)
        for number, (tool, arguments) in enumerate(fresh.fix):
            with_token = {"token": token} if token and number == 0 else {}
            self._fixes.setdefault(plan.atom, []).append(
                self._call((tool, {**arguments, **with_token}))
            )

    def _cleared_to(self, plan: Remedy) -> str | None:
        """Look at the impact, and get an approval where the write would affect service."""
        if plan.impact is None:
            return None
        target, action = plan.impact
        self._read("check_impact", object_id=target, action=action)
        affected = observe(self.db)[self.site]
        sectors = [plan.atom[-1]] if "." in plan.atom else ["1", "2", "3"]
        carries = any(affected[f"traffic.{i}"] for i in sectors)
        asks = action in ("enable_mlb", "set_hub_port")
        if not asks and (not carries or self.db.clock_min % (24 * 60) in WINDOW):
            return None
        return self._approved(action, target)

    def _approved(self, action: str, target: str) -> str:
        reason = f"needed to restore {self.site}"
        self._call(("request_approval", {"action": action, "object_id": target, "reason": reason}))
        return self.db.tokens[-1].id

    def _visit(self, plans: list[Remedy]) -> None:
        """One dispatch for all jobs: lock first what somebody will work at on the mast."""
        locked: list[str] = []
        for plan in plans:
            cell = f"{self.site}-C{plan.atom[-1]}"
            if plan.mast and cell not in locked:
                mast = Remedy(**{**vars(plan), "impact": (cell, "lock_cell")})
                token = self._cleared_to(mast)
                self._call(("lock_cell", {"cell_id": cell, **({"token": token} if token else {})}))
                locked.append(cell)
        self._read("list_resources", site_id=self.site)
        self._call(("dispatch_technician", self._dispatch(plans)))
        self._call(("travel_to_site", {"site_id": self.site}))
        for cell in locked:
            self._call(("confirm_rf_isolation", {"rru_id": cell.replace("-C", "-R")}))
        for plan in plans:
            fresh = remedy(self.db, self.spec, plan.atom)
            self._fixes.setdefault(plan.atom, []).extend(self._call(call) for call in fresh.fix)
        self._call(("leave_site", {}))
        for cell in locked:
            self._call(("unlock_cell", {"cell_id": cell}))

    def _mitigate(self) -> None:
        """Policy rule 11: a good PTP reference serves until the GNSS antenna is replaced."""
        clock = self.db.sites[self.site].clock
        if clock.active == "gnss" and clock.ptp_fitted and clock.ptp_locked:
            self._call(("switch_clock_source", {"site_id": self.site, "source": "ptp"}))

    def _dispatch(self, plans: list[Remedy]) -> dict[str, Any]:
        taken: list[str] = []
        for kind in (kind for plan in plans for kind in plan.parts):
            free = (s.id for s in self.db.spares if s.type == kind and not s.used)
            taken.append(next(s for s in free if s not in taken))
        jobs = "; ".join(f"{split(p.atom)[0].slug} at {p.object_id}" for p in plans)
        return {
            "site_id": self.site,
            "technician_id": self.db.technicians[0].id,
            "task": jobs,
            "parts": taken,
        }

    def _escalate(self, plan: Remedy) -> None:
        team = plan.team or ""
        if team in self._escalated:
            return
        summary = f"{split(plan.atom)[0].slug} at {plan.object_id}"
        evidence = self._proofs[plan.atom]
        self._escalated[team] = self._call(
            ("escalate", {"team": team, "summary": summary, "evidence": evidence})
        )

    # -- the end

    def _sweep(self) -> None:
        self._read("list_alarms", scope_id=self.site)
        self._read("get_kpi", object_id=self.site)

    def _report(self) -> None:
        causes = [
            {
                "fault_class": split(a)[0].slug,
                "object_id": object_of(self.db, self.site, a),
                "evidence": self._proofs.get(a, [])[-2:],
            }
            for a in self.spec.atoms
        ]
        self._call(
            (
                "submit_resolution_report",
                {
                    "root_causes": causes,
                    "actions": [
                        done
                        for fixes in self._fixes.values()
                        for done in fixes
                        if done.startswith("w")
                    ],
                    "restored": restored(self.db, self.spec),
                    "residual_alarms": [],
                    "escalation": list(self._escalated),
                    "verification": [
                        reading
                        for version, reading in self._told.values()
                        if version == self.db.version
                    ],
                },
            )
        )

    # -- calls

    def _read(self, tool: str, **arguments: Any) -> str:
        return self._call((tool, arguments))

    def _call(self, call: Call) -> str:
        """Make it, again after BUSY; a read that was made since the last write is not repeated."""
        tool, arguments = call
        key = f"{tool}{json.dumps(arguments, sort_keys=True)}"
        version, reading = self._told.get(key, (-1, ""))
        if version == self.db.version:
            return reading
        for _ in range(3):
            if self.episode.stop is not None:
                return ""
            self._calls += 1
            made = ToolCall(id=f"call_{self._calls}", name=tool, arguments=arguments)
            answer = self.episode.step(Message(role="assistant", tool_calls=(made,)))[0]
            if not answer.error:
                break
        else:
            return ""
        said = json.loads(answer.text)
        if "reading_id" in said:
            self._told[key] = (self.db.version, said["reading_id"])
            return said["reading_id"]
        return said["action_id"]
