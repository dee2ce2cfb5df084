"""All WRITE tools of the network operations centre.

In: a RanDB. Out: `{"effect": …, "needs_verification": […]}`; the episode adds the rest and lets
the time pass. The decorator's `sets` declares which facts a success leaves at fixed values.

    NocWrites(db).unlock_cell("K042-C1")

| module | tools |
|---|---|
| noc_desk_writes | ack_alarm, clear_alarm, request_approval, dispatch_technician, escalate, … |
| noc_node_writes | reset_board, run_selftest, set_hub_port, switch_clock_source, install_licence |
| noc_config_writes | set_config, rollback_config |
| noc_radio_writes | lock_cell, unlock_cell, reset_rru, run_load_step, set_ret_tilt, … |
"""

from __future__ import annotations

from telejudge_envs.base_station.noc_config_writes import ConfigWrites
from telejudge_envs.base_station.noc_desk_writes import DeskWrites
from telejudge_envs.base_station.noc_node_writes import NodeWrites
from telejudge_envs.base_station.noc_radio_writes import RadioWrites


class NocWrites(DeskWrites, NodeWrites, ConfigWrites, RadioWrites):
    """Everything that the NOC can do; the report comes last."""
