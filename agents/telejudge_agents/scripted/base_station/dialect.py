"""How scripted agents talk to the field technician, who owns the field tools in dual mode."""

from __future__ import annotations

from telejudge_agents.scripted.base import Dialect
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.toolkit import tools_of

BASE_STATION = Dialect(
    done="submit_resolution_report",
    transfer="escalate",
    it_says="Result: ",
    failed="failed. ",
    please_run="Please do this on site and tell me the result: {call}",
    closing="The work is done.",
    hold_on="Another team takes over.",
    goodbye="I have no further work for you.",
    users=frozenset(tools_of(FieldKit)),
)
"""The report is always the agent's own, so `closing` and `hold_on` are never needed."""
