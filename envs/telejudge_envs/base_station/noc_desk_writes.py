"""WRITE tools of the NOC that change papers and send people: alarms, approvals, dispatch, report.

In: a RanDB and what is to be noted. Out: `{"effect": …, "needs_verification": […]}`, with `token`
from request_approval.

    NocWrites(db).request_approval("set_hub_port", "H31-P0", "trunk shut, 4 sites down")
    -> {"effect": "approved until the end of the ticket", "token": "TK4711", …}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from telejudge_envs.base_station.alarms import alarm_of
from telejudge_envs.base_station.faults import SLUGS
from telejudge_envs.base_station.jitter import whole
from telejudge_envs.base_station.noc_common import Action, done, find, find_site
from telejudge_envs.base_station.operations import ApprovalToken, Escalation, Team
from telejudge_envs.base_station.toolkit import ToolError, Toolkit, write

if TYPE_CHECKING:
    FaultClass = str
else:
    FaultClass = Literal[SLUGS]


class RootCause(TypedDict):
    """One fault of the report; `evidence`: ids of readings that showed it."""

    fault_class: FaultClass
    object_id: str
    evidence: NotRequired[list[str]]


RootCauses = Annotated[
    list[RootCause],
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "fault_class": {"type": "string", "enum": list(SLUGS)},
                    "object_id": {"type": "string"},
                    "evidence": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["fault_class", "object_id"],
                "additionalProperties": False,
            },
        }
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class DeskWrites(Toolkit):
    """Alarms, approvals, people, report."""

    @write(minutes=0, cost=1)
    def ack_alarm(self, alarm_id: str, note: str = "") -> dict[str, Any]:
        """Mark an alarm as being worked on.

        Args:
            alarm_id: Alarm from list_alarms.
            note: What is done about it.
        """
        self._alarm(alarm_id)
        self.db.acked[alarm_id] = note
        return done(self.db, f"{alarm_id} is acknowledged")

    @write(minutes=1)
    def clear_alarm(self, alarm_id: str, justification: Text) -> dict[str, Any]:
        """Take an alarm off the list by hand. It repairs nothing; AUTOMATIC alarms clear
        themselves.

        Args:
            alarm_id: Alarm from list_alarms.
            justification: Why its cause is gone.
        """
        self._alarm(alarm_id)
        for standing in self.db.standing:
            if standing.id == alarm_id:
                standing.cleared = True
        self.db.cleared[alarm_id] = justification
        return done(self.db, f"{alarm_id} is cleared by hand")

    @write(minutes=5, cost=5)
    def request_approval(self, action: Action, object_id: str, reason: Text) -> dict[str, Any]:
        """Ask the duty manager to approve one action on one object.

        Args:
            action: The tool that will be called.
            object_id: The object that it will be called on.
            reason: Why it is needed now.
        """
        find(self.db, object_id)
        number = 1000 + whole(9000, self.db.seed, "token", len(self.db.tokens))
        taken = {t.id for t in self.db.tokens}
        while f"TK{number}" in taken:
            number += 1
        self.db.tokens.append(ApprovalToken(id=f"TK{number}", action=action, object_id=object_id))
        return done(self.db, f"approved: {action} on {object_id}", token=f"TK{number}")

    @write(minutes=5, cost=100)
    def dispatch_technician(
        self, site_id: str, technician_id: str, task: Text, parts: list[str] | None = None
    ) -> dict[str, Any]:
        """Send a technician to a site with spare parts; what he is to replace must be among them.

        Args:
            site_id: Where to.
            technician_id: Whom, from list_resources.
            task: What he is to do.
            parts: Ids of spares from list_resources.
        """
        find_site(self.db, site_id)
        known = {t.id: t for t in self.db.technicians}
        if technician_id not in known:
            raise ToolError(f"there is no technician '{technician_id}'; see list_resources")
        free = {s.id for s in self.db.spares if not s.used}
        for spare in parts or ():
            if spare not in free:
                raise ToolError(f"there is no spare '{spare}' in stock; see list_resources")
        sent = known[technician_id]
        for other in self.db.technicians:
            if other is not sent:
                other.assigned = other.location = None
        if sent.location != site_id:
            sent.location = None
        if sent.assigned != site_id:
            sent.parts = []
        sent.assigned = site_id
        sent.parts = list(dict.fromkeys([*sent.parts, *(parts or ())]))
        return done(self.db, f"{technician_id} {sent.name} is sent to {site_id}; he must travel")

    @write(minutes=5, cost=5)
    def escalate(
        self, team: Team, summary: Text, evidence: list[str] | None = None
    ) -> dict[str, Any]:
        """Hand a fault over to the team that can repair it.

        Args:
            team: Which.
            summary: What is wrong and where.
            evidence: Ids of the readings that show it.
        """
        self.db.escalations.append(
            Escalation(
                team=team,
                summary=summary,
                evidence=list(evidence or ()),
                at_min=self.db.clock_min,
            )
        )
        return done(self.db, f"the {team} team has the case")

    @write(minutes=0, cost=0, control=True)
    def submit_resolution_report(
        self,
        root_causes: RootCauses,
        restored: bool,
        actions: list[str] | None = None,
        residual_alarms: list[str] | None = None,
        escalation: list[Team] | None = None,
        verification: list[str] | None = None,
    ) -> dict[str, Any]:
        """End the ticket with its report: every fault that was there, and what is true now.

        Args:
            root_causes: Each fault with its class, its object and the readings that showed it.
            restored: Whether no fault is left and all cells serve.
            actions: Ids of the actions that repaired, e.g. w4.
            residual_alarms: Ids of alarms that are left.
            escalation: Teams that have a part of the case.
            verification: Ids of the readings after the repair, e.g. r9.
        """
        for cause in root_causes:
            find(self.db, cause["object_id"])
        self.db.report = {
            "root_causes": [{"evidence": [], **cause} for cause in root_causes],
            "restored": restored,
            "actions": list(actions or ()),
            "residual_alarms": list(residual_alarms or ()),
            "escalation": list(escalation or ()),
            "verification": list(verification or ()),
        }
        return done(self.db, "the report is filed; the ticket is closed")

    def _alarm(self, alarm_id: str) -> None:
        if alarm_of(self.db, alarm_id) is None:
            raise ToolError(f"there is no active alarm '{alarm_id}'; list_alarms lists them")
