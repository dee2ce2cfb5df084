"""What a field technician measures on site. Nothing changes.

    kit.measure_voltage("dc_bus")  -> {"point": "dc_bus", "volts": 53.4}

Results are functions of the effects `raw.*` and `dc` of physics.py, whatever the management of the
node says; numbers jitter by the minute. Voltages: a plant of 48 V floats at 53.5 V; one maker's
disconnect is near 43 V. Wavelength and lengths are of no fault's making.
"""

from __future__ import annotations

from typing import Any, Literal

from telejudge_envs.base_station import field_shows
from telejudge_envs.base_station.field_site import here, optic, own_part, seen
from telejudge_envs.base_station.formulas import return_loss_db
from telejudge_envs.base_station.jitter import spread, whole
from telejudge_envs.base_station.state import Site
from telejudge_envs.base_station.toolkit import Toolkit, read

FLOAT_V = 53.5
FULL_V, EMPTY_V = 51.0, 43.0
DARK = "no light"


class MeterReads(Toolkit):
    """What the technician's meters say."""

    @read(shows=field_shows.on_focus(field_shows.voltage))
    def measure_voltage(self, point: Literal["ac_in", "dc_bus", "battery"]) -> dict[str, Any]:
        """Measure a voltage of the power plant with a multimeter.

        Args:
            point: ac_in is the mains input of the rectifiers, dc_bus their output.

        Returns: volts.
        """
        site = here(self.db)
        if point == "ac_in":
            volts = 0.0 if seen(self.db, "raw.P1") else 230 + self._wobble(site.id, point, 4.0)
        else:
            volts = self._dc_volts(site, point)
        return {"point": point, "volts": round(volts, 1)}

    def _dc_volts(self, site: Site, point: str) -> float:
        if not seen(self.db, "dc"):
            return EMPTY_V - 0.4 if point == "battery" else 0.0
        if not seen(self.db, "raw.ON_BATTERY"):
            return FLOAT_V + self._wobble(site.id, point, 0.2)
        hours = (self.db.clock_min - self.db.started_min) / 60
        return max(EMPTY_V + 0.3, FULL_V - hours) + self._wobble(site.id, point, 0.2)

    @read(shows=field_shows.on_focus(lambda db, a: ("raw.E2",)))
    def read_thermometer(self) -> dict[str, Any]:
        """Read the air temperature in the equipment room.

        Returns: degrees Celsius.
        """
        site = here(self.db)
        celsius = site.climate.ambient_c + self._wobble(site.id, "ambient", 0.5)
        return {"ambient_c": round(celsius, 1)}

    @read(shows=field_shows.on_focus(field_shows.light))
    def measure_optical_power(self, port_id: str) -> dict[str, Any]:
        """Measure the light that arrives at one end of a fibre.

        Args:
            port_id: K042-P for the uplink; K042-O1/bbu or K042-O1/rru for the two ends of the
                CPRI fibre of radio unit K042-R1.

        Returns: rx_dbm, or "no light".
        """
        point = optic(self.db, port_id)
        light = _light(here(self.db), point.kind, point.sector, point.end)
        if point.kind == "uplink":
            dark = seen(self.db, "raw.T1")
        else:
            at = f"LINK.{point.sector}" if point.end == "bbu" else f"RX_RRU.{point.sector}"
            dark = not seen(self.db, f"raw.{at}")
        if dark:
            return {"port": port_id, "rx_dbm": DARK}
        light += self._wobble(port_id, "light", 0.2)
        return {"port": port_id, "rx_dbm": round(light, 1), "sensitivity_dbm": -14.4}

    @read(shows=field_shows.on_focus(field_shows.fibre_break))
    def otdr(self, port_id: str) -> dict[str, Any]:
        """Shoot a fibre with the reflectometer: is it broken, and at what distance from here.

        Args:
            port_id: K042-P for the uplink, K042-O1 (or one of its ends) for a CPRI fibre.

        Returns: length of the fibre in metres, and where it is broken or null.
        """
        point = optic(self.db, port_id, either_end=True)
        site = here(self.db)
        if point.kind == "uplink":
            link = self.db.links[site.id]
            cut = None if link.cut_at_m is None else link.length_m - link.cut_at_m
            return {"fibre": link.id, "length_m": link.length_m, "break_at_m": cut}
        fibre = site.rrus[point.sector - 1].cpri
        length = 25 + whole(30, self.db.seed, fibre, "length")
        cut = 3 + whole(20, self.db.seed, fibre, "break")
        broken = seen(self.db, f"raw.F1.{point.sector}")
        return {"fibre": fibre, "length_m": length, "break_at_m": cut if broken else None}

    @read(shows=field_shows.on_focus(lambda db, a: ("raw.S1",)))
    def check_gnss_antenna(self) -> dict[str, Any]:
        """Measure the supply of the GNSS antenna at its cable.

        Returns: current in mA, and what the cable looks like to the meter.
        """
        site = here(self.db)
        if seen(self.db, "raw.S1"):
            return {"antenna_ma": 0, "cable": "open circuit"}
        return {"antenna_ma": 30 + whole(5, self.db.seed, site.id, "gnss"), "cable": "ok"}

    @read(shows=field_shows.on_focus(field_shows.line))
    def measure_vswr_dtf(self, port_id: str) -> dict[str, Any]:
        """Measure VSWR and distance to fault of an antenna line with the line analyser.

        Args:
            port_id: The antenna line, such as K042-A1.

        Returns: vswr, return loss in dB, and distance and segment of the fault or null.
        """
        found = own_part(self.db, port_id, "line")
        line, bad = found.thing, seen(self.db, f"raw.A1.{found.sector}")
        vswr = line.vswr + round(self._wobble(port_id, "vswr", 0.02), 2)
        return {
            "port": port_id,
            "vswr": round(vswr, 2),
            "return_loss_db": round(return_loss_db(vswr), 1),
            "fault": {"distance_m": line.dist_m, "segment": line.segment} if bad else None,
        }

    def _wobble(self, object_id: str, what: str, size: float) -> float:
        return spread(-size, size, self.db.seed, object_id, what, self.db.clock_min)


def _light(site: Site, kind: str, sector: int, end: str) -> float:
    if kind == "uplink":
        return site.port.sfp_rx_dbm
    rru = site.rrus[sector - 1]
    return rru.rx_bbu_dbm if end == "bbu" else rru.rx_rru_dbm
