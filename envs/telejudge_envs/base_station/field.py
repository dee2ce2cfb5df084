"""The field technician's tools in one kit; in dual mode it belongs to the user.

    kit = FieldKit(db)
    kit.travel_to_site("K042")          # after the agent has dispatched him
    kit.check_breakers()                -> {"K042-FD1": "closed", …}

| module | tools |
|---|---|
| field_visit_writes | travel_to_site, leave_site, confirm_rf_isolation |
| field_equipment_writes | reset_breaker, start_generator, reset_aircon, replace_module |
| field_line_writes | clean_connector, replace_sfp, replace_fibre, splice_fibre, … |
| field_lamp_reads | check_leds, check_breakers |
| field_meter_reads | measure_voltage, read_thermometer, measure_optical_power, otdr, … |
| field_asset_reads | inspect, read_asset_label, list_spares |
"""

from __future__ import annotations

from telejudge_envs.base_station.field_asset_reads import AssetReads
from telejudge_envs.base_station.field_equipment_writes import EquipmentWrites
from telejudge_envs.base_station.field_lamp_reads import LampReads
from telejudge_envs.base_station.field_line_writes import LineWrites
from telejudge_envs.base_station.field_meter_reads import MeterReads
from telejudge_envs.base_station.field_visit_writes import VisitWrites


class FieldKit(AssetReads, MeterReads, LampReads, LineWrites, EquipmentWrites, VisitWrites):
    """All that a technician does on site; visits come first in the list, close looks last."""

    owner = "user"
