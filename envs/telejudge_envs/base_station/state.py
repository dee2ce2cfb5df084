"""The state of the radio network: one mutable `RanDB` that all tools share.

Attribute names are 3GPP's where 3GPP names the thing: NRCellDU, NRSectorCarrier, NRCellRelation and
EP_NgC of TS 28.541, administrativeState and operationalState of X.731. What follows from the state
(alarms, KPIs, operationalState, cellState) is not in it: `physics.py` derives that.

Object ids are `<site>-<part>`: `K042-C1` is the first cell of site K042 (see `parts.py`).
Times are minutes since the midnight before the ticket; only tools that write let time pass.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PrivateAttr

from telejudge_envs.base_station.cabinet import (
    Board,
    Climate,
    Clock,
    Gnb,
    Licence,
    Link,
    Port,
    Power,
)
from telejudge_envs.base_station.kept import Kept
from telejudge_envs.base_station.operations import (
    ApprovalToken,
    ChangeRecord,
    Escalation,
    Spare,
    StandingAlarm,
    Technician,
    WorkOrder,
)
from telejudge_envs.base_station.radio import AntLine, Cell, Ret, Rru
from telejudge_envs.base_station.state_part import Part

Priority = Literal["normal", "vip", "emergency"]


class Site(Part):
    id: str
    name: str
    priority: Priority = "normal"
    busy_hours: tuple[int, int] = (8, 22)
    parent_hub: str
    ring: bool = False
    power: Power
    climate: Climate
    port: Port
    gnb: Gnb
    clock: Clock
    main: Board
    baseband: Board
    rrus: list[Rru]
    lines: list[AntLine]
    rets: list[Ret]
    cells: list[Cell]
    licence: Licence


class Hub(Part):
    """An aggregation router: `ports[0]` is the trunk that carries all of its sites."""

    id: str
    ports: list[Port]


class RanDB(Part):
    """`plan`: intended values by `<object>.<attribute>`; `deviations`: approved exceptions.

    `version` grows with every write, so that what is derived can be kept until then.
    """

    seed: int
    topology: str
    focus: str
    clock_min: int
    started_min: int
    hub: Hub
    sites: dict[str, Site]
    links: dict[str, Link]
    plan: dict[str, Any]
    deviations: dict[str, str] = Field(default_factory=dict)
    changes: list[ChangeRecord] = Field(default_factory=list)
    work_orders: list[WorkOrder] = Field(default_factory=list)
    tokens: list[ApprovalToken] = Field(default_factory=list)
    spares: list[Spare] = Field(default_factory=list)
    technicians: list[Technician] = Field(default_factory=list)
    licence_pool: list[str] = Field(default_factory=list)
    escalations: list[Escalation] = Field(default_factory=list)
    standing: list[StandingAlarm] = Field(default_factory=list)
    acked: dict[str, str] = Field(default_factory=dict)
    cleared: dict[str, str] = Field(default_factory=dict)
    agent_locked: list[str] = Field(default_factory=list)
    busy_tools: dict[str, int] = Field(default_factory=dict)
    report: dict[str, Any] | None = None
    version: int = 0
    _kept: Kept = PrivateAttr(default_factory=Kept)

    def kept(self) -> Kept:
        """What has been derived from this state (see kept.py)."""
        return self._kept
