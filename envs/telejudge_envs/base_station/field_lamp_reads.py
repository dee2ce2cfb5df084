"""What a field technician sees at a glance on site: lamps and breakers. Nothing changes.

    kit.check_leds("K042-R2")  -> {"unit": "K042-R2", "PWR": "off", "CPRI": "off", "ALM": "off"}

Results are functions of the effects `raw.*` and `dc` of physics.py, whatever the management of the
node says.
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.base_station import field_shows
from telejudge_envs.base_station.field_site import here, own_part, seen
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Toolkit, read

UNITS = ("main", "baseband", "rru", "rectifier", "fan")


class LampReads(Toolkit):
    """What the lamps and the breakers say."""

    @read(shows=field_shows.on_focus(field_shows.lamps))
    def check_leds(self, unit_id: str) -> dict[str, Any]:
        """Look at the lamps of a board, radio unit, rectifier or fan tray on site.

        Args:
            unit_id: The unit, such as K042-BM, K042-BB, K042-R1, K042-RE1 or K042-FAN1.

        Returns: the state of each lamp.
        """
        found = own_part(self.db, unit_id, *UNITS)
        return {"unit": unit_id, **lamps_of(self.db, found.kind, unit_id, found.sector)}

    @read(shows=field_shows.on_focus(field_shows.breakers))
    def check_breakers(self) -> dict[str, Any]:
        """Look at the breakers of all radio unit feeds on site.

        Returns: closed or open for each feed.
        """
        site = here(self.db)
        return {
            rru.feed: "open, tripped" if seen(self.db, f"raw.P3.{i}") else "closed"
            for i, rru in enumerate(site.rrus, start=1)
        }


def lamps_of(db: RanDB, kind: str, unit_id: str, i: int) -> dict[str, str]:
    """The state of each lamp of a unit; `i` is the sector of a radio unit."""
    if kind == "rectifier":
        dead = unit_id.endswith("RE1") and seen(db, "raw.P2")
        return {"AC": _lamp(not seen(db, "raw.P1")), "ALM": "red" if dead else "off"}
    if kind == "rru":
        powered, linked = seen(db, f"raw.POWERED.{i}"), seen(db, f"raw.LINK.{i}")
        cpri = "off" if not powered else "green" if linked else "red, no link"
        alarm = "red, transmitter" if seen(db, f"raw.F3.{i}") else "off"
        return {"PWR": _lamp(powered), "CPRI": cpri, "ALM": alarm}
    if not seen(db, "dc"):
        return {"PWR": "off", "RUN": "off", "ALM": "off"}
    if kind == "main":
        run = "steady, not blinking" if seen(db, "raw.B1") else "blinking"
        return {"PWR": "green", "RUN": run, "ALM": "off"}
    if kind == "baseband":
        bad = seen(db, "raw.B2")
        run = "off" if bad else "blinking"
        return {"PWR": "green", "RUN": run, "ALM": "red" if bad else "off"}
    bad = unit_id.endswith("FAN1") and seen(db, "raw.E1")
    run = "off, rotor stands still" if bad else "green, turning"
    return {"PWR": "green", "RUN": run, "ALM": "red" if bad else "off"}


def _lamp(lit: bool) -> str:
    return "green" if lit else "off"
