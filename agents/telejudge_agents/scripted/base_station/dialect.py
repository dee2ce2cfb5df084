"""How scripted agents talk to the field technician, who owns the field tools in dual mode."""

from __future__ import annotations

from telejudge_agents.scripted.base import Dialect
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.technician_report import FAILED, IT_SAYS
from telejudge_envs.base_station.toolkit import tools_of

BASE_STATION = Dialect(
    done="submit_resolution_report",
    transfer="escalate",
    it_says=IT_SAYS,
    failed=FAILED,
    please_run="Please run this and tell me what it says: {call}",
    closing="The work is done.",
    hold_on="Another team takes over.",
    goodbye="I have no further work for you.",
    users=frozenset(tools_of(FieldKit)),
)
"""The report is always the agent's own, so `closing` and `hold_on` are never needed."""
