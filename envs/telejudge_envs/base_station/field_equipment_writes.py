"""What a field technician does to power, climate and modules. Each tool tells of its effect.

    kit.reset_breaker("K042-FD2")  -> {"effect": "feed K042-FD2 is closed and holds", …}

An effect is worded alike whatever had been wrong: whether a repair helped is for a reading to tell.
`sets` of each tool are the faults that it cures; the remedies' sources are in base-station.md. A
shorted feed trips again until its unit is replaced.
"""

from __future__ import annotations

from typing import Any, Literal

from telejudge_envs.base_station import field_sets
from telejudge_envs.base_station.field_site import Done, certified, done, here, own_part, take
from telejudge_envs.base_station.radio import Rru
from telejudge_envs.base_station.toolkit import ToolError, Toolkit, write

ModuleType = Literal["rectifier", "fan", "baseband", "rru", "gnss_antenna", "ret"]

SLOT_KIND = {"gnss_antenna": "gnss"}
"""Kinds of objects by the type of module, where the words differ."""

CERTS = {"rru": ("rf", "tower"), "ret": ("tower",), "gnss_antenna": ("tower",)}
COOL_C = 22.0


class EquipmentWrites(Toolkit):
    """Power, climate and modules."""

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
