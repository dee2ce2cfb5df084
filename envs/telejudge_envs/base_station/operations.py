"""What the operations centre keeps beside the network: changes, orders, approvals, people, spares.

In the state like everything else, because tools read and write it. Times are minutes, see state.py.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from telejudge_envs.base_station.state_part import Part

Team = Literal[
    "power", "transmission", "spectrum", "commercial", "capacity", "facilities", "vendor"
]


class ChangeRecord(Part):
    id: str
    object_id: str
    attribute: str
    before: Any = None
    after: Any = None
    at_min: int
    by: str
    approved: bool = True
    note: str = ""
    rolled_back: bool = False


class WorkOrder(Part):
    """`on_tower`: somebody is on the mast; the cell named must stay LOCKED."""

    id: str
    site_id: str
    object_id: str
    text: str
    open: bool = True
    on_tower: bool = False


class ApprovalToken(Part):
    id: str
    action: str
    object_id: str


class Spare(Part):
    id: str
    type: str
    used: bool = False


class Technician(Part):
    """`assigned`: the site he was sent to, `location`: where he is, both None when he is not out.

    `travel_min`: how long he drives to any site; `parts`: ids of the spares he has with him.
    """

    id: str
    name: str
    certs: list[str]
    travel_min: int = 45
    location: str | None = None
    assigned: str | None = None
    parts: list[str] = Field(default_factory=list)


class Escalation(Part):
    team: Team
    summary: str
    evidence: list[str]
    at_min: int


class StandingAlarm(Part):
    """An alarm that no injected fault causes. `clearingType` as in TS 28.111."""

    id: str
    object_id: str
    alarmType: str
    probableCause: str
    specificProblem: str
    perceivedSeverity: str
    clearingType: Literal["AUTOMATIC", "MANUAL"] = "AUTOMATIC"
    raised_min: int = 0
    flapping: bool = False
    cleared: bool = False
