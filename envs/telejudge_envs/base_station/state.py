"""The state of the radio network: one mutable `RanDB` that all tools share.

Attribute names are 3GPP's where 3GPP names the thing: NRCellDU, NRSectorCarrier, NRCellRelation and
EP_NgC of TS 28.541, administrativeState and operationalState of X.731. What follows from the state
(alarms, KPIs, operationalState, cellState) is not in it: `physics.py` derives that.

Object ids are `<site>-<part>`: `K042-C1` is the first cell of site K042 (see `parts` below).
Times are minutes since the midnight before the ticket; only tools that write let time pass.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from telejudge_envs.base_station.kept import Kept

Admin = Literal["LOCKED", "UNLOCKED"]
Team = Literal[
    "power", "transmission", "spectrum", "commercial", "capacity", "facilities", "vendor"
]
Priority = Literal["normal", "vip", "emergency"]
ClockSource = Literal["gnss", "ptp"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Rectifier(Part):
    id: str
    ok: bool = True
    cap_w: int = 2000


class Power(Part):
    """`breakers` by feed id: True is closed. `shorted` feeds trip again when they are closed.

    `battery_soc`: charge when the ticket came, 0 to 1; `lvd_v`: where the load is disconnected.
    `recloses` counts attempts by feed, so that the ledger shows one that changed nothing else.
    """

    mains_ok: bool = True
    load_w: int = 3000
    rectifiers: list[Rectifier]
    battery_soc: float = 0.9
    battery_ah: int = 300
    lvd_v: float = 43.2
    breakers: dict[str, bool]
    recloses: dict[str, int] = Field(default_factory=dict)
    shorted: list[str] = Field(default_factory=list)
    generator_fitted: bool = True
    generator_running: bool = False
    fuel_pct: int = 80


class Fan(Part):
    id: str
    ok: bool = True


class Climate(Part):
    ambient_c: float = 21.0
    aircon_ok: bool = True
    aircon_resettable: bool = True
    fans: list[Fan]


class Port(Part):
    """`carries`: the sites whose traffic runs through the port."""

    id: str
    admin: Literal["up", "down"] = "up"
    sfp_rx_dbm: float = -6.0
    sfp_worn: bool = False
    vlan: int = 0
    gateway: str = ""
    carries: list[str] = Field(default_factory=list)


class Link(Part):
    """`cut_at_m`: metres from the hub at which the fibre is broken."""

    id: str
    a: str
    b: str
    owner: Literal["own", "leased"] = "own"
    length_m: int = 4000
    cut_at_m: int | None = None


class Gnb(Part):
    """The node's N2 end point (EP_NgC, TS 28.541) and its tracking area."""

    id: str
    localAddress: str
    remoteAddress: str
    nRTAC: int
    plmn: str = "001-01"


class Clock(Part):
    """`holdover_since`: when GNSS was lost; a reset of the main board ends the holdover."""

    active: ClockSource = "gnss"
    antenna_ma: int = 32
    sats: int = 11
    ptp_fitted: bool = True
    ptp_locked: bool = True
    holdover_since: int | None = None
    holdover_min: int = 2500
    holdover_lost: bool = False


class Board(Part):
    """`resets` counts restarts, so that the ledger shows one that changed nothing else."""

    id: str
    type: Literal["main", "baseband"]
    hw_ok: bool = True
    sw_state: Literal["running", "hung"] = "running"
    sw_version: str = "21.3.1"
    resets: int = 0


class Rru(Part):
    """Remote radio unit. `pa_ok`: its power amplifier; `cpri` is the fibre to the baseband.

    `resets` as of a Board. `isolated`: tagged out for work on the mast.
    """

    id: str
    feed: str
    cpri: str
    pa_ok: bool = True
    fibre_ok: bool = True
    rx_bbu_dbm: float = -5.0
    rx_rru_dbm: float = -5.0
    optics_worn: Literal["", "bbu", "rru"] = ""
    resets: int = 0
    isolated: bool = False


class AntLine(Part):
    """`segment` and `dist_m` say where a bad VSWR or intermodulation comes from."""

    id: str
    vswr: float = 1.25
    segment: Literal["jumper", "feeder", "connector", "antenna"] = "jumper"
    dist_m: float = 4.0
    pim: bool = False


class Ret(Part):
    """Remote electrical tilt unit; return codes of TS 25.463 Annex A."""

    id: str
    tilt: float
    calibrated: bool = True
    jammed: bool = False


class NRCellRelation(Part):
    adjacentNRCellRef: str
    isHOAllowed: bool = True


class Cell(Part):
    """NRCellDU with its NRSectorCarrier, or with rat `LTE` the EUtran cell of the same shape."""

    id: str
    sector: int
    rat: Literal["NR", "LTE"] = "NR"
    administrativeState: Admin = "UNLOCKED"
    nrPci: int
    arfcnDL: int
    bSChannelBwDL: int = 100
    configuredMaxTxPower: int = 46
    hung: bool = False
    load: float = 0.35
    mlb: bool = False
    mlb_headroom: bool = True
    external_noise: bool = False
    ue_emergency: int = 0
    relations: list[NRCellRelation]


class Licence(Part):
    id: str
    key: str
    valid: bool = True


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
