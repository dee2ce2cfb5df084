"""What an engineer does with single calls: make them, repair, ask for approval, hand over.

In: a case, a temper. Out: what a repair may ask for (see desk.Desk), and the notes that the report
is made of.
"""

from __future__ import annotations

from collections.abc import Generator

from telejudge_agents.scripted.base import Call, Heard
from telejudge_agents.scripted.base_station.case import Answer, Case, problem_of
from telejudge_agents.scripted.base_station.clues import TELLING
from telejudge_agents.scripted.base_station.desk import Asked, Finding, Step
from telejudge_agents.scripted.base_station.slips import IDLE, Temper, failing

BUSY_TRIES = 3


class Hands:
    """`actions`: ids of the repairs; `handed_over`: what went to which team."""

    def __init__(self, case: Case, temper: Temper) -> None:
        self.case = case
        self.temper = temper
        self.actions: list[str] = []
        self.handed_over: dict[tuple[str, int], str] = {}
        self._last_read: Call | None = None

    def do(self, call: Call) -> Asked:
        """Make a call, again while it is refused as busy."""
        answer = Answer(False, "")
        for _ in range(BUSY_TRIES):
            answer = self.case.hear(call, (yield call))
            if not answer.busy or self.temper.slips("ignore_error"):
                break
        if answer.id.startswith("r"):
            self._last_read = call
        return answer

    def escalate(self, finding: Finding) -> Step:
        """Hand a fault over with the readings that show it."""
        self.handed_over[finding.key] = finding.team
        evidence = () if self.temper.slips("forget_evidence") else finding.evidence
        yield from self.do(
            Call(
                "escalate",
                {
                    "team": finding.team,
                    "summary": f"{finding.slug} at {finding.object_id}",
                    "evidence": list(evidence),
                },
            )
        )

    def repair(self, call: Call) -> Asked:
        """A call that goes into the report as an action."""
        answer = yield from self.do(call)
        if answer.ok:
            self.actions.append(answer.id)
        return answer

    def cleared(
        self, action: str, object_id: str, *, always: bool = False
    ) -> Generator[Call | str, Heard, dict[str, str]]:
        """Look at the impact; ask for approval when users would notice (or `always`)."""
        if self.temper.slips("forget_impact"):
            return {}
        seen = yield from self.do(Call("check_impact", {"object_id": object_id, "action": action}))
        if seen.data.get("headroom") is False:
            return {}  # nothing to be approved: the call would be refused
        users = any(seen.data.get("users", {}).values())
        if not always and (not users or seen.data.get("window_open")):
            return {}
        if self.temper.slips("forget_approval"):
            return {}
        approved = yield from self.do(
            Call(
                "request_approval",
                {
                    "action": action,
                    "object_id": object_id,
                    "reason": f"Needed to restore {self.case.site}.",
                },
            )
        )
        token = approved.content.get("token")
        return {"token": token} if token else {}

    def dither(self) -> Step:
        """What an untidy engineer does between two things."""
        slips = self.temper.slips
        if self._last_read is not None and slips("redundant_read"):
            yield from self.do(self._last_read)
        if slips("idle_read"):
            yield from self.do(self.temper.rng.choice(IDLE)(self.case, 0))
        if slips("failed_call"):
            yield from self.do(self.temper.rng.choice(failing(self.case)))

    def left(self) -> list[str]:
        """Ids of the alarms that are left of those that a fault raises."""
        return [row["id"] for row in self.case.alarms if problem_of(row) in TELLING]
