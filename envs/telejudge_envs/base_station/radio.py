"""The radio side of a site: units, antenna lines, tilt units, cells and their neighbours.

NRCellDU, NRSectorCarrier and NRCellRelation are those of TS 28.541, administrativeState is X.731's.
"""

from __future__ import annotations

from typing import Literal

from telejudge_envs.base_station.state_part import Part

Admin = Literal["LOCKED", "UNLOCKED"]


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
