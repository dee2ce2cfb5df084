"""The kit of the network operations centre: everything that the agent can call in any mode.

kit = NocKit(db)
kit.list_alarms("K042")
tools_of(NocKit)["reset_board"].spec          # the OpenAI function schema
"""

from __future__ import annotations

from telejudge_envs.base_station.noc_reads import NocReads
from telejudge_envs.base_station.noc_writes import NocWrites


class NocKit(NocWrites, NocReads):
    """Reads come first in the list of tools."""

    owner = "agent"
