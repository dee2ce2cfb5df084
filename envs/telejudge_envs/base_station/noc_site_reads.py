"""READ tools of the NOC for what a whole site shares: node, boards, power, clock, licence.

In: a RanDB and ids. Out: small dicts. While a node cannot be reached, what is read through it is
`{"site": …, "status": "NE_UNREACHABLE"}`.

    NocReads(db).get_clock("K042")
    -> {"active": "gnss", "state": "locked", "sats": 11, "antenna_ma": 32, "ptp": "locked", …}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telejudge_envs.base_station.formulas import PHASE_LIMIT_US, battery_hours
from telejudge_envs.base_station.kpi_values import dc_volts
from telejudge_envs.base_station.noc_common import (
    find_site,
    near,
    seen,
    through_node,
    told,
    unreachable,
)
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import Arguments, Toolkit, read


def _node(db: RanDB, a: Arguments) -> tuple[str, ...]:
    """LOCKED is in the operations system's own books: it is told even without the node."""
    return told(db, str(a.get("site_id")), ("reach",), ("kpi.up",)) + _locks(db, a)


def _locks(db: RanDB, a: Arguments) -> tuple[str, ...]:
    site = db.sites.get(str(a.get("site_id")))
    if site is None or site.id != db.focus:
        return ()
    return tuple(f"see.LOCKED.{cell.sector}" for cell in site.cells)


class SiteReads(Toolkit):
    """Node, power, clock and licence."""

    @read(shows=_node)
    def get_ne_status(self, site_id: str) -> dict[str, Any]:
        """Tell whether a site's node answers and the state of its cells.

        Args:
            site_id: Site, e.g. K042.
        """
        site = find_site(self.db, site_id)
        e = seen(self.db, site)
        cells = [{"id": c.id, "admin": c.administrativeState} for c in site.cells]
        if not e["reach"]:
            return {**unreachable(site), "cells": cells}
        for cell, row in zip(site.cells, cells, strict=True):
            row["state"] = "ACTIVE" if e[f"kpi.up.{cell.sector}"] else "INACTIVE"
        return {"site": site.id, "status": "REACHABLE", "cells": cells}

    @read(shows=through_node("site_id", "see.B2", "alarm.HIGH_TEMPERATURE"))
    def get_boards(self, site_id: str) -> Any:
        """Read the boards of a site's node: state, temperature, software version.

        Args:
            site_id: Site, e.g. K042.
        """
        site = find_site(self.db, site_id)
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        base = 68.0 if e["alarm.HIGH_TEMPERATURE"] else 41.0
        return [
            {
                "id": board.id,
                "type": board.type,
                "state": "FAULTY" if board.type == "baseband" and e["see.B2"] else "OK",
                "temp_c": round(base + near(self.db, 2.0, board.id, "temp"), 1),
                "sw": board.sw_version,
            }
            for board in (site.main, site.baseband)
        ]

    @read(shows=through_node("site_id", "see.P1", "see.P2", "see.E1", "see.E2"))
    def get_power_climate(self, site_id: str) -> dict[str, Any]:
        """Read a site's mains, rectifiers, battery, generator, air temperature and fans.

        Args:
            site_id: Site, e.g. K042.
        """
        site = find_site(self.db, site_id)
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        hot = e["see.E1"] or e["see.E2"]
        on_battery = bool(e["see.P1"] or e["see.P2"])
        ambient = 41.0 if e["see.E2"] else min(site.climate.ambient_c, 27.0)
        return {
            "ac_v": 0 if e["see.P1"] else round(230 + near(self.db, 3, site.id, "ac")),
            "dc_v": dc_volts(self.db, site, on_battery),
            "load_w": site.power.load_w,
            "rectifiers_a": self._rectifiers(site, e),
            "battery_pct": round(100 * self._charge(site, on_battery)),
            "generator": _generator(site),
            "ambient_c": round(ambient + near(self.db, 0.5, site.id, "ambient"), 1),
            "aircon": "stopped" if e["see.E2"] else "running",
            "fans_rpm": {
                fan.id: 0
                if n == 0 and e["see.E1"]
                else round((4800 if hot else 2600) + near(self.db, 60, fan.id, "rpm"))
                for n, fan in enumerate(site.climate.fans)
            },
        }

    @read(
        shows=through_node("site_id", "see.S1", "see.S2", "see.on_ptp",
                           "alarm.LOSS_OF_SYNCHRONIZATION")
    )  # fmt: skip
    def get_clock(self, site_id: str) -> dict[str, Any]:
        """Read a site's clock: active source, state, GNSS receiver, PTP, phase error.

        Args:
            site_id: Site, e.g. K042.
        """
        site = find_site(self.db, site_id)
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        lost = bool(e["alarm.LOSS_OF_SYNCHRONIZATION"])
        without = e["see.S2"] if e["see.on_ptp"] else e["see.S1"]
        state = "freerun" if lost else "holdover" if without else "locked"
        clock, no_sky = site.clock, e["see.S1"]
        ptp = "locked" if clock.ptp_locked and not e["see.S2"] else "unlocked"
        phase = abs(near(self.db, 0.15, site.id, "phase"))
        if state != "locked":
            phase += 4 * PHASE_LIMIT_US if lost else PHASE_LIMIT_US / 4
        return {
            "active": "ptp" if e["see.on_ptp"] else "gnss",
            "state": state,
            "sats": 0 if no_sky else clock.sats,
            "antenna_ma": 0 if no_sky else clock.antenna_ma,
            "ptp": ptp if clock.ptp_fitted or e["see.S2"] else "not fitted",
            "phase_err_us": round(phase, 2),
        }

    @read(shows=through_node("site_id", "see.B3"))
    def get_licences(self, site_id: str) -> dict[str, Any]:
        """Read a site's licence, and the unused licence keys of the pool.

        Args:
            site_id: Site, e.g. K042.
        """
        site = find_site(self.db, site_id)
        pool = {"pool": list(self.db.licence_pool)}
        e = seen(self.db, site)
        if not e["reach"]:
            return {**unreachable(site), **pool}
        state = "EXPIRED" if e["see.B3"] else "VALID"
        return {"id": site.licence.id, "key": site.licence.key, "state": state, **pool}

    # -- parts of the results

    def _rectifiers(self, site: Site, e: Mapping[str, int]) -> dict[str, float]:
        """The current of each module; at 54 V the working ones share the load."""
        modules = site.power.rectifiers
        works = [not e["see.P1"] and not (n == 0 and e["see.P2"]) for n in range(len(modules))]
        each = min(site.power.load_w / 54.0 / max(1, sum(works)), modules[0].cap_w / 54.0)
        return {
            m.id: round(each + near(self.db, 0.4, m.id, "amps"), 1) if ok else 0.0
            for m, ok in zip(modules, works, strict=True)
        }

    def _charge(self, site: Site, discharging: bool) -> float:
        """State of charge: falls from the ticket's time on while the battery carries the load."""
        power = site.power
        if not discharging:
            return power.battery_soc
        gone = (self.db.clock_min - self.db.started_min) / 60
        full = battery_hours(power.battery_ah, power.load_w)
        return max(0.0, power.battery_soc - gone / full)


def _generator(site: Site) -> str:
    power = site.power
    if not power.generator_fitted:
        return "none"
    return f"{'running' if power.generator_running else 'stopped'}, fuel {power.fuel_pct}%"
