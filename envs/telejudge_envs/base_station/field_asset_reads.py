"""What a field technician finds when he looks closely: equipment, labels, his van. Nothing changes.

    kit.inspect("K042-P")  -> {"asset": "K042-P", "end_face": "dirty", "module": "ok"}

Results are functions of the effects `raw.*` of physics.py, whatever the management of the node
says. Serial numbers are of no fault's making.
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.base_station import field_shows
from telejudge_envs.base_station.field_lamp_reads import UNITS, lamps_of
from telejudge_envs.base_station.field_site import here, in_van, optic, own_part, seen, weak_end
from telejudge_envs.base_station.jitter import whole
from telejudge_envs.base_station.toolkit import Toolkit, read

ASSETS = (
    "mains", "aircon", "fan", "rectifier", "main", "baseband", "rru", "ret", "line", "gnss",
    "link", "feed", "cpri", "port",
)  # fmt: skip


class AssetReads(Toolkit):
    """A close look at things."""

    @read(shows=field_shows.on_focus(field_shows.asset))
    def inspect(self, asset_id: str) -> dict[str, Any]:
        """Look closely at a piece of equipment; fibre ends under the microscope.

        Args:
            asset_id: Such as K042-AC0 (mains and generator), K042-AC, K042-A1, K042-P, K042-O1/bbu.

        Returns: what is to be seen.
        """
        asset, _, end = asset_id.partition("/")
        found = own_part(self.db, asset, *ASSETS)
        if found.kind in ("port", "cpri"):
            return {"asset": asset_id, **self._end_face(asset_id, found.kind, end)}
        return {"asset": asset_id, **self._look(found.kind, asset_id, found.sector)}

    def _look(self, kind: str, asset_id: str, i: int) -> dict[str, Any]:
        site = here(self.db)
        if kind in UNITS:
            return {"lamps": lamps_of(self.db, kind, asset_id, i)}
        if kind == "mains":
            power = site.power
            set_up = "none" if not power.generator_fitted else "stopped"
            return {
                "supply": "dead" if seen(self.db, "raw.P1") else "present",
                "generator": "running" if power.generator_running else set_up,
                "fuel_pct": power.fuel_pct,
            }
        if kind == "aircon":
            code = "E07 tripped, may be reset" if site.climate.aircon_resettable else "E31 no gas"
            bad = seen(self.db, "raw.E2")
            return {"compressor": "stopped" if bad else "running", "code": code if bad else None}
        if kind == "line":
            bad = seen(self.db, f"raw.A4.{i}")
            return {"connector": "corroded contact" if bad else "clean and tight"}
        if kind == "feed":
            return {"breaker": "open, tripped" if seen(self.db, f"raw.P3.{i}") else "closed"}
        if kind == "link":
            return {"length_m": self.db.links[site.id].length_m}
        return {"condition": "no damage from outside"}

    def _end_face(self, asset_id: str, kind: str, end: str) -> dict[str, Any]:
        point = optic(self.db, asset_id)
        site = here(self.db)
        if kind == "port":
            bad, worn = seen(self.db, "raw.T2"), site.port.sfp_worn
        else:
            bad = seen(self.db, f"raw.F2.{point.sector}") and (weak_end(site, point.sector) == end)
            worn = site.rrus[point.sector - 1].optics_worn == end
        return {
            "end_face": "dirty" if bad and not worn else "clean",
            "module": "aged, hot to the touch" if bad and worn else "ok",
        }

    @read()
    def read_asset_label(self, slot: str) -> dict[str, Any]:
        """Read the label of what sits in a slot.

        Args:
            slot: The slot, with or without the site: RE1, K042-RE1, BB, R2, FAN1, GNSS, T1.

        Returns: object id, type and serial number.
        """
        site = here(self.db)
        object_id = slot if slot.startswith(f"{site.id}-") else f"{site.id}-{slot}"
        found = own_part(self.db, object_id.partition("/")[0], *ASSETS)
        serial = 100_000 + whole(900_000, self.db.seed, object_id, "serial")
        return {"object_id": object_id, "type": found.kind, "serial": f"SN{serial}"}

    @read()
    def list_spares(self) -> list[dict[str, Any]]:
        """List the spare parts in the technician's van.

        Returns: spare id and type of each part that is not used yet.
        """
        here(self.db)
        return [{"spare_id": s.id, "type": s.type} for s in in_van(self.db) if not s.used]
