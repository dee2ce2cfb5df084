"""The field technician's tools in one kit; in dual mode it belongs to the user.

kit = FieldKit(db)
kit.travel_to_site("K042")          # after the agent has dispatched him
kit.check_breakers()                -> {"K042-FD1": "closed", …}
"""

from __future__ import annotations

from telejudge_envs.base_station.field_reads import FieldReads
from telejudge_envs.base_station.field_writes import FieldWrites


class FieldKit(FieldReads, FieldWrites):
    """All that a technician does on site: eyes, meters and hands."""

    owner = "user"
