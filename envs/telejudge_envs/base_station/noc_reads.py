"""All READ tools of the network operations centre.

In: a RanDB. Out: JSON values. No tool here changes anything. `tools_of(NocReads)` lists them.

    NocReads(db).list_alarms("K042")

| module | tools |
|---|---|
| noc_desk_reads | list_alarms, get_topology, get_work_orders, check_impact, list_resources, … |
| noc_site_reads | get_ne_status, get_boards, get_power_climate, get_clock, get_licences |
| noc_transport_reads | get_transport_port, ping |
| noc_config_reads | get_config, diff_config_vs_plan, get_change_log |
| noc_radio_reads | get_kpi, get_rf, get_fronthaul, get_neighbours |
"""

from __future__ import annotations

from telejudge_envs.base_station.noc_config_reads import ConfigReads
from telejudge_envs.base_station.noc_desk_reads import DeskReads
from telejudge_envs.base_station.noc_radio_reads import RadioReads
from telejudge_envs.base_station.noc_site_reads import SiteReads
from telejudge_envs.base_station.noc_transport_reads import TransportReads


class NocReads(RadioReads, ConfigReads, TransportReads, SiteReads, DeskReads):
    """Everything that the NOC can look at; the desk's tools come first in the list."""
