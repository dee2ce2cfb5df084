"""What stands in a site's cabinet and feeds its radios: power, climate, transport, clock, boards.

Attribute names are 3GPP's where 3GPP names the thing. Times are minutes, see state.py.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from telejudge_envs.base_station.state_part import Part

ClockSource = Literal["gnss", "ptp"]


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


class Licence(Part):
    id: str
    key: str
    valid: bool = True
