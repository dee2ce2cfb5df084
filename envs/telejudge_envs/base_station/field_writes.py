"""What a field technician does with his hands. Each tool returns what he can say of its effect.

    kit.reset_breaker("K042-FD2")  -> {"effect": "feed K042-FD2 is closed and holds", …}

An effect is worded alike whatever had been wrong: whether a repair helped is for a reading to tell.
`sets` of each tool are the faults that it cures; the remedies' sources are in base-station.md.
A worn module is not cured by cleaning, a shorted feed trips again until its unit is replaced.
"""

from __future__ import annotations

from typing import Any, Literal

from telejudge_envs.base_station import field_sets
from telejudge_envs.base_station.field_site import (
    acting,
    certified,
    here,
    in_van,
    optic,
    own_part,
    take,
    weak_end,
)
from telejudge_envs.base_station.radio import Rru
from telejudge_envs.base_station.state import Site
from telejudge_envs.base_station.toolkit import ToolError, Toolkit, write

ModuleType = Literal["rectifier", "fan", "baseband", "rru", "gnss_antenna", "ret"]
Segment = Literal["jumper", "feeder", "connector", "antenna"]

SLOT_KIND = {"gnss_antenna": "gnss"}
"""Kinds of objects by the type of module, where the words differ."""

CERTS = {"rru": ("rf", "tower"), "ret": ("tower",), "gnss_antenna": ("tower",)}
GOOD_RX_DBM = {"uplink": -6.0, "cpri": -5.0}
GOOD_VSWR = 1.25
COOL_C = 22.0
Done = dict[str, Any]


def done(effect: str, *verify: str) -> Done:
    return {"effect": effect, "needs_verification": list(verify)}


class FieldWrites(Toolkit):
    """The acting half of the technician's tools."""

    owner = "user"

    @write(minutes=0)
    def travel_to_site(self, site_id: str) -> Done:
        """Drive to the site that the technician was dispatched to.

        Args:
            site_id: The site.
        """
        who = acting(self.db)
        if site_id not in self.db.sites:
            raise ToolError(f"there is no site '{site_id}'; {who.id} is sent to {who.assigned}")
        if site_id != who.assigned:
            raise ToolError(
                f"{who.id} is dispatched to {who.assigned}, not to {site_id}; "
                "travel there, or dispatch anew"
            )
        if who.location == site_id:
            raise ToolError(f"{who.id} is at {site_id} already; go on with the work")
        who.location = site_id
        self.db.clock_min += who.travel_min  # what list_resources says of him
        return done(f"{who.id} is at {site_id}")

    @write(minutes=5)
    def leave_site(self) -> Done:
        """Pack up and drive away; the dispatch is over."""
        who, site = acting(self.db), here(self.db)
        who.location, who.assigned, who.parts = None, None, []
        return done(f"{who.id} has left {site.id}")

    @write(minutes=5)
    def confirm_rf_isolation(self, rru_id: str) -> Done:
        """Measure with the RF monitor that a radio unit does not transmit, and tag it out.

        Args:
            rru_id: The radio unit.
        """
        rru = own_part(self.db, rru_id, "rru")
        certified(self.db, "rf")
        cell = here(self.db).cells[rru.sector - 1]
        if cell.administrativeState != "LOCKED":
            raise ToolError(
                f"{rru_id} may transmit at any time: cell {cell.id} is UNLOCKED; "
                "have it locked first with lock_cell"
            )
        rru.thing.isolated = True
        return done(f"{rru_id} does not transmit; tagged out for work on the antenna line")

    @write(field_sets.breaker, shows=field_sets.tripped, minutes=2)
    def reset_breaker(self, feed: str) -> Done:
        """Close the breaker of a radio unit's feed. Do so once; if it trips again, stop.

        Args:
            feed: The feed, such as K042-FD2.
        """
        found = own_part(self.db, feed, "feed")
        power = here(self.db).power
        power.recloses[feed] = power.recloses.get(feed, 0) + 1
        unit = found.thing.id
        if feed in power.shorted:
            power.breakers[feed] = False
            return done(f"feed {feed} tripped again at once: short circuit behind it, in {unit}")
        power.breakers[feed] = True
        return done(f"feed {feed} is closed and holds", "check_breakers", f"check_leds({unit})")

    @write(field_sets.site_fault("P1"), minutes=10)
    def start_generator(self) -> Done:
        """Start the standby generator; it feeds the rectifiers in place of the mains."""
        power = here(self.db).power
        if not power.generator_fitted:
            raise ToolError(
                f"{here(self.db).id} has no generator; if the mains is dead, "
                "the power team has to come: escalate(team='power')"
            )
        power.generator_running = True
        return done("generator runs and feeds the rectifiers", "measure_voltage(ac_in)")

    @write(field_sets.aircon, shows=field_sets.aircon_failed, minutes=5)
    def reset_aircon(self) -> Done:
        """Reset the air conditioner's controller once."""
        climate = here(self.db).climate
        if not climate.aircon_resettable:
            return done("air conditioner stops again with code E31: it has to be repaired")
        climate.aircon_ok = True
        climate.ambient_c = min(climate.ambient_c, COOL_C)
        return done("air conditioner reset; its compressor runs", "read_thermometer")

    @write(field_sets.module, minutes=30, cost=10)
    def replace_module(self, type: ModuleType, slot: str, spare_id: str) -> Done:
        """Replace a module by a spare of the same type that the technician has with him.

        Radio units and RETs: only with the cell LOCKED and confirm_rf_isolation done.

        Args:
            type: What is replaced.
            slot: The object, such as K042-RE1, K042-FAN1, K042-BB, K042-R1, K042-GNSS, K042-T1.
            spare_id: The spare part, as list_spares names it.
        """
        found = own_part(self.db, slot, SLOT_KIND.get(type, type))
        certified(self.db, *CERTS.get(type, ()))
        take(self.db, spare_id, type).used = True
        self._renew(type, found.thing)
        return done(f"{type} {slot} replaced by {spare_id}", *field_sets.CHECK[type](slot))

    def _renew(self, kind: str, thing: Any) -> None:
        """A new module has none of the old one's faults; settings made from afar stay."""
        if kind in ("rectifier", "fan"):
            thing.ok = True
        elif kind == "baseband":
            thing.hw_ok = True
        elif kind == "gnss_antenna":
            thing.antenna_ma, thing.sats, thing.holdover_since = 32, thing.sats or 11, None
        elif kind == "ret":
            thing.calibrated, thing.jammed = True, False
        else:
            self._renew_rru(thing)

    def _renew_rru(self, rru: Rru) -> None:
        power = here(self.db).power
        rru.pa_ok = True
        power.breakers[rru.feed] = True
        power.shorted = [feed for feed in power.shorted if feed != rru.feed]

    @write(field_sets.connector, minutes=15)
    def clean_connector(self, port_id: str) -> Done:
        """Clean a fibre end, or the connector of an antenna line.

        Antenna lines: only with the cell LOCKED and confirm_rf_isolation done.

        Args:
            port_id: K042-P, K042-O1/bbu, K042-O1/rru or K042-A1.
        """
        if "/" not in port_id and port_id.rpartition("-")[2][:1] == "A":
            line = own_part(self.db, port_id, "line").thing
            certified(self.db, "rf", "tower")
            line.pim = False
            return done(f"connector of {port_id} cleaned", "run_load_step", "get_kpi")
        self._relight(port_id, renewed=False)
        return done(f"fibre end {port_id} cleaned", f"measure_optical_power({port_id})")

    @write(field_sets.transceiver, minutes=20, cost=5)
    def replace_sfp(self, port_id: str, spare_id: str) -> Done:
        """Replace the optical module at a fibre end by a spare.

        Args:
            port_id: K042-P (spare type sfp), K042-O1/bbu or K042-O1/rru (spare type cpri_sfp).
            spare_id: The spare part, as list_spares names it.
        """
        point = optic(self.db, port_id)
        kind = "sfp" if point.kind == "uplink" else "cpri_sfp"
        if point.end == "rru":
            certified(self.db, "tower")
        take(self.db, spare_id, kind).used = True
        self._relight(port_id, renewed=True)
        return done(f"{kind} of {port_id} replaced", f"measure_optical_power({port_id})")

    def _relight(self, port_id: str, *, renewed: bool) -> None:
        """Bring the light of a fibre end back, if it is this end that was weak."""
        point, site = optic(self.db, port_id), here(self.db)
        if point.end == "rru" and not renewed:
            certified(self.db, "tower")
        if point.kind == "uplink":
            _relight_uplink(site, renewed)
        elif point.end == weak_end(site, point.sector):
            _relight_cpri(site.rrus[point.sector - 1], point.end, renewed)

    @write(field_sets.in_sector("F1", "cpri_id", "cpri"), minutes=45, cost=10)
    def replace_fibre(self, cpri_id: str) -> Done:
        """Pull a new CPRI fibre between baseband and radio unit; uses a spare fibre.

        Args:
            cpri_id: The fibre, such as K042-O1.
        """
        rru = own_part(self.db, cpri_id, "cpri").thing
        certified(self.db, "tower")
        spare = next((s for s in in_van(self.db) if s.type == "fibre" and not s.used), None)
        if spare is None:
            raise ToolError(
                f"{acting(self.db).id} has no spare of type fibre with him; "
                "dispatch him with one from list_resources"
            )
        spare.used = True
        rru.fibre_ok = True
        return done(f"fibre {cpri_id} replaced by {spare.id}", f"check_leds({rru.id})")

    @write(field_sets.uplink, minutes=120, cost=10)
    def splice_fibre(self, link_id: str) -> Done:
        """Splice the site's uplink fibre where it is broken.

        Args:
            link_id: The link, such as K042-L.
        """
        link = own_part(self.db, link_id, "link").thing
        if link.owner == "leased":
            raise ToolError(
                f"{link_id} is leased; only its owner may open it; "
                "escalate(team='transmission') with the reading of its break"
            )
        link.cut_at_m = None
        return done(f"{link_id} is whole from end to end", f"otdr({link.b})")

    @write(field_sets.antenna_line, minutes=60, cost=10)
    def repair_antenna_line(self, port_id: str, segment: Segment) -> Done:
        """Renew one segment of an antenna line.

        Only with the cell LOCKED and confirm_rf_isolation done.

        Args:
            port_id: The antenna line, such as K042-A1.
            segment: The segment that measure_vswr_dtf names.
        """
        line = own_part(self.db, port_id, "line").thing
        certified(self.db, "rf", "tower")
        if segment == line.segment:
            line.vswr = min(line.vswr, GOOD_VSWR)
        return done(f"{segment} of {port_id} renewed", f"measure_vswr_dtf({port_id})")


def _relight_uplink(site: Site, renewed: bool) -> None:
    port = site.port
    if renewed or not port.sfp_worn:
        port.sfp_rx_dbm = max(port.sfp_rx_dbm, GOOD_RX_DBM["uplink"])
        port.sfp_worn = False


def _relight_cpri(rru: Rru, end: str, renewed: bool) -> None:
    if rru.optics_worn == end and not renewed:
        return
    if end == "bbu":
        rru.rx_bbu_dbm = max(rru.rx_bbu_dbm, GOOD_RX_DBM["cpri"])
    else:
        rru.rx_rru_dbm = max(rru.rx_rru_dbm, GOOD_RX_DBM["cpri"])
    if rru.optics_worn == end:
        rru.optics_worn = ""
