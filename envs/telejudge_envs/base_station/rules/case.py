"""An episode as the rules look at it: its steps, and the questions that several rules ask.

case = Case(steps, info)
case.earlier(7, "check_impact")     # successful calls of the tool before step 7
case.looked_at(7, where)            # readings before step 7 that tell of a place
case.cited("r3", before=9)          # position of what a reading id names, None when nothing
case.known(9)                       # faults that the readings before step 9 betrayed
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from telejudge_envs.base_station.rules.evidence import betrayed
from telejudge_envs.base_station.rules.places import Place, meets, places
from telejudge_envs.base_station.rules.record import RuleStep, TaskInfo

REPORT = "submit_resolution_report"

OVERVIEWS = frozenset(
    {
        "list_alarms",
        "get_topology",
        "search_manual",
        "list_resources",
        "get_work_orders",
        "check_impact",
        "list_spares",
        "read_asset_label",
    }
)
"""Reads that tell nothing of the state of one object."""

PROBES = frozenset({"run_load_step", "run_selftest"})
"""Writes that are made in order to see something."""

REPAIRS = frozenset(
    {
        "set_config",
        "rollback_config",
        "reset_board",
        "reset_rru",
        "unlock_cell",
        "set_hub_port",
        "switch_clock_source",
        "set_ret_tilt",
        "calibrate_ret",
        "add_neighbour",
        "enable_mlb",
        "install_licence",
        "start_generator",
        "reset_breaker",
        "reset_aircon",
        "replace_module",
        "clean_connector",
        "replace_sfp",
        "replace_fibre",
        "splice_fibre",
        "repair_antenna_line",
    }
)
"""Writes that are meant to put something right."""

_CITATION = re.compile(r"([rw])(\d{1,4})")


class Case:
    """Steps are looked at by position; `index` of a step is its number in the episode."""

    def __init__(self, steps: Sequence[RuleStep], info: TaskInfo) -> None:
        self.steps = tuple(steps)
        self.info = info
        self.places: tuple[frozenset[Place], ...] = tuple(map(places, self.steps))

    def done(self, *tools: str) -> Iterator[tuple[int, RuleStep]]:
        """Position and step of every successful call of the tools."""
        for at, step in enumerate(self.steps):
            if step.ok and step.tool in tools:
                yield at, step

    def earlier(self, at: int, *tools: str) -> list[tuple[int, RuleStep]]:
        return [(i, step) for i, step in self.done(*tools) if i < at]

    def looked_at(self, at: int, where: frozenset[Place]) -> list[RuleStep]:
        """Readings before a position, overviews aside, that tell of the place."""
        return [
            step
            for i, step in enumerate(self.steps[:at])
            if step.ok
            and (step.effect == "read" or step.tool in PROBES)
            and step.tool not in OVERVIEWS
            and meets(self.places[i], where)
        ]

    @functools.cached_property
    def report(self) -> tuple[int, RuleStep] | None:
        """The report, if one was accepted."""
        return next(self.done(REPORT), None)

    def known(self, at: int) -> frozenset[str]:
        """Faults that some step before a position betrayed."""
        return self._known[at]

    @functools.cached_property
    def _known(self) -> list[frozenset[str]]:
        known = [frozenset[str]()]
        for step in self.steps:
            known.append(known[-1] | betrayed(step))
        return known

    def cited(self, name: Any, before: int) -> int | None:
        """Position of the successful call that a reading id or action id names, if it was made
        before a position."""
        found = _CITATION.fullmatch(name) if isinstance(name, str) else None
        if found is None:
            return None
        number = int(found[2]) - 1
        effect = "read" if found[1] == "r" else "write"
        for at, step in enumerate(self.steps[:before]):
            if step.index == number and step.ok and step.effect == effect:
                return at
        return None
