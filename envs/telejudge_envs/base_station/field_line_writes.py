"""What a field technician does to fibres and antenna lines. Each tool tells of its effect.

    kit.clean_connector("K042-P")  -> {"effect": "fibre end K042-P cleaned", …}

An effect is worded alike whatever had been wrong: whether a repair helped is for a reading to tell.
`sets` of each tool are the faults that it cures; the remedies' sources are in base-station.md. A
worn module is not cured by cleaning.
"""

from __future__ import annotations

from typing import Literal

from telejudge_envs.base_station import field_sets
from telejudge_envs.base_station.field_site import (
    Done,
    acting,
    certified,
    done,
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

Segment = Literal["jumper", "feeder", "connector", "antenna"]

GOOD_RX_DBM = {"uplink": -6.0, "cpri": -5.0}
GOOD_VSWR = 1.25


class LineWrites(Toolkit):
    """Fibres, their ends, and antenna lines."""

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
