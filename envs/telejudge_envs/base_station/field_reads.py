"""What a field technician can look at and measure. He must be on site; nothing changes.

    kit.check_leds("K042-R2")  -> {"unit": "K042-R2", "PWR": "off", "CPRI": "off", "ALM": "off"}

Results are functions of the effects `raw.*` and `dc` of physics.py, whatever the management of the
node says; numbers jitter by the minute. Voltages: a plant of 48 V floats at 53.5 V; one maker's
disconnect is near 43 V. Wavelength, lengths and serial numbers are of no fault's making.
"""

from __future__ import annotations

from typing import Any, Literal

from telejudge_envs.base_station import field_shows
from telejudge_envs.base_station.field_site import here, in_van, optic, own_part, seen, weak_end
from telejudge_envs.base_station.formulas import return_loss_db
from telejudge_envs.base_station.jitter import spread, whole
from telejudge_envs.base_station.state import Site
from telejudge_envs.base_station.toolkit import Toolkit, read

FLOAT_V = 53.5
FULL_V, EMPTY_V = 51.0, 43.0
DARK = "no light"
UNITS = ("main", "baseband", "rru", "rectifier", "fan")
ASSETS = (
    "mains", "aircon", "fan", "rectifier", "main", "baseband", "rru", "ret", "line", "gnss",
    "link", "feed", "cpri", "port",
)  # fmt: skip


class FieldReads(Toolkit):
    """The reading half of the technician's tools."""

    owner = "user"

    @read(shows=field_shows.on_focus(field_shows.lamps))
    def check_leds(self, unit_id: str) -> dict[str, Any]:
        """Look at the lamps of a board, radio unit, rectifier or fan tray on site.

        Args:
            unit_id: The unit, such as K042-BM, K042-BB, K042-R1, K042-RE1 or K042-FAN1.

        Returns: the state of each lamp.
        """
        found = own_part(self.db, unit_id, *UNITS)
        return {"unit": unit_id, **self._lamps(found.kind, unit_id, found.sector)}

    def _lamps(self, kind: str, unit_id: str, i: int) -> dict[str, str]:
        if kind == "rectifier":
            dead = unit_id.endswith("RE1") and self._sees("raw.P2")
            return {"AC": _lamp(not self._sees("raw.P1")), "ALM": "red" if dead else "off"}
        if kind == "rru":
            powered, linked = self._sees(f"raw.POWERED.{i}"), self._sees(f"raw.LINK.{i}")
            cpri = "off" if not powered else "green" if linked else "red, no link"
            alarm = "red, transmitter" if self._sees(f"raw.F3.{i}") else "off"
            return {"PWR": _lamp(powered), "CPRI": cpri, "ALM": alarm}
        if not self._sees("dc"):
            return {"PWR": "off", "RUN": "off", "ALM": "off"}
        if kind == "main":
            run = "steady, not blinking" if self._sees("raw.B1") else "blinking"
            return {"PWR": "green", "RUN": run, "ALM": "off"}
        if kind == "baseband":
            bad = self._sees("raw.B2")
            run = "off" if bad else "blinking"
            return {"PWR": "green", "RUN": run, "ALM": "red" if bad else "off"}
        bad = unit_id.endswith("FAN1") and self._sees("raw.E1")
        run = "off, rotor stands still" if bad else "green, turning"
        return {"PWR": "green", "RUN": run, "ALM": "red" if bad else "off"}

    @read(shows=field_shows.on_focus(field_shows.breakers))
    def check_breakers(self) -> dict[str, Any]:
        """Look at the breakers of all radio unit feeds on site.

        Returns: closed or open for each feed.
        """
        site = here(self.db)
        return {
            rru.feed: "open, tripped" if self._sees(f"raw.P3.{i}") else "closed"
            for i, rru in enumerate(site.rrus, start=1)
        }

    @read(shows=field_shows.on_focus(field_shows.voltage))
    def measure_voltage(self, point: Literal["ac_in", "dc_bus", "battery"]) -> dict[str, Any]:
        """Measure a voltage of the power plant with a multimeter.

        Args:
            point: ac_in is the mains input of the rectifiers, dc_bus their output.

        Returns: volts.
        """
        site = here(self.db)
        if point == "ac_in":
            volts = 0.0 if self._sees("raw.P1") else 230 + self._wobble(site.id, point, 4.0)
        else:
            volts = self._dc_volts(site, point)
        return {"point": point, "volts": round(volts, 1)}

    def _dc_volts(self, site: Site, point: str) -> float:
        if not self._sees("dc"):
            return EMPTY_V - 0.4 if point == "battery" else 0.0
        if not self._sees("raw.ON_BATTERY"):
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
            dark = self._sees("raw.T1")
        else:
            at = f"LINK.{point.sector}" if point.end == "bbu" else f"RX_RRU.{point.sector}"
            dark = not self._sees(f"raw.{at}")
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
        broken = self._sees(f"raw.F1.{point.sector}")
        return {"fibre": fibre, "length_m": length, "break_at_m": cut if broken else None}

    @read(shows=field_shows.on_focus(lambda db, a: ("raw.S1",)))
    def check_gnss_antenna(self) -> dict[str, Any]:
        """Measure the supply of the GNSS antenna at its cable.

        Returns: current in mA, and what the cable looks like to the meter.
        """
        site = here(self.db)
        if self._sees("raw.S1"):
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
        line, bad = found.thing, self._sees(f"raw.A1.{found.sector}")
        vswr = line.vswr + round(self._wobble(port_id, "vswr", 0.02), 2)
        return {
            "port": port_id,
            "vswr": round(vswr, 2),
            "return_loss_db": round(return_loss_db(vswr), 1),
            "fault": {"distance_m": line.dist_m, "segment": line.segment} if bad else None,
        }

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
            return {"lamps": self._lamps(kind, asset_id, i)}
        if kind == "mains":
            power = site.power
            set_up = "none" if not power.generator_fitted else "stopped"
            return {
                "supply": "dead" if self._sees("raw.P1") else "present",
                "generator": "running" if power.generator_running else set_up,
                "fuel_pct": power.fuel_pct,
            }
        if kind == "aircon":
            code = "E07 tripped, may be reset" if site.climate.aircon_resettable else "E31 no gas"
            bad = self._sees("raw.E2")
            return {"compressor": "stopped" if bad else "running", "code": code if bad else None}
        if kind == "line":
            bad = self._sees(f"raw.A4.{i}")
            return {"connector": "corroded contact" if bad else "clean and tight"}
        if kind == "feed":
            return {"breaker": "open, tripped" if self._sees(f"raw.P3.{i}") else "closed"}
        if kind == "link":
            return {"length_m": self.db.links[site.id].length_m}
        return {"condition": "no damage from outside"}

    def _end_face(self, asset_id: str, kind: str, end: str) -> dict[str, Any]:
        point = optic(self.db, asset_id)
        site = here(self.db)
        if kind == "port":
            bad, worn = self._sees("raw.T2"), site.port.sfp_worn
        else:
            bad = self._sees(f"raw.F2.{point.sector}") and (weak_end(site, point.sector) == end)
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

    def _sees(self, effect: str) -> bool:
        return seen(self.db, effect)

    def _wobble(self, object_id: str, what: str, size: float) -> float:
        return spread(-size, size, self.db.seed, object_id, what, self.db.clock_min)


def _lamp(lit: bool) -> str:
    return "green" if lit else "off"


def _light(site: Site, kind: str, sector: int, end: str) -> float:
    if kind == "uplink":
        return site.port.sfp_rx_dbm
    rru = site.rrus[sector - 1]
    return rru.rx_bbu_dbm if end == "bbu" else rru.rx_rru_dbm
