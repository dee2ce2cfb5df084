"""What calls for an explanation in a site's alarms and counters.

    symptoms(case)      -> [Symptom("RRU_LINK_LOST", 2), Symptom("noise", 1)]

Limits of counters are those of the manual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from telejudge_agents.scripted.base_station.case import UNREACHABLE, Case
from telejudge_agents.scripted.base_station.clues import BY_ALARM, NOISE_LIMIT_DBM

HO_LIMIT = 0.9


class Symptom(NamedTuple):
    """`sector` is 0 for what concerns the whole site."""

    name: str
    sector: int


_EXPLAINS_SILENCE = ("LINK_FAILURE", "LOSS_OF_SIGNAL", "SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED")


def symptoms(case: Case, *, quiet: bool = True) -> list[Symptom]:
    """What calls for an explanation, causes before consequences; with `quiet` also KPIs."""
    return [*_from_alarms(case), *(_from_counters(case) if quiet else ())]


def _from_alarms(case: Case) -> Iterator[Symptom]:
    """A node that cannot be reached is a puzzle only if nothing says why."""
    silence_known = any(case.raised(name) for name in _EXPLAINS_SILENCE)
    for name in BY_ALARM:
        if name == UNREACHABLE and silence_known:
            continue
        for about in case.raised(name):
            yield Symptom(name, sector_of(case, about))


def _from_counters(case: Case) -> Iterator[Symptom]:
    for i in range(1, case.sectors + 1):
        counters = case.counters(i)
        if not counters or case.held(case.id("cell", i)):
            continue
        if counters["X.CellUnavailableTime"]:
            if ("CELL_UNAVAILABLE", case.id("cell", i)) not in case.problems:
                yield Symptom("off air", i)
        elif not counters["RACH.PreambleACell"]:
            yield Symptom("no access", i)
        else:
            yield from (Symptom(name, i) for name, bad in _LIMITS.items() if bad(counters))


_LIMITS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "handover": lambda c: c["MM.HoExeInterSucc"] < HO_LIMIT * c["MM.HoExeInterReq"],
    "late handover": lambda c: c["HO.IntraSys.TooLate"] > 8,
    "far": lambda c: c["L1M.ATADist"] > 15,
    "noise": lambda c: c["X.ULNoise"] > NOISE_LIMIT_DBM,
    "full": lambda c: c["RRU.PrbTotDl"] > 90,
}


def sector_of(case: Case, object_id: str) -> int:
    """The sector of a part, 0 when it belongs to none."""
    rows = case.data("get_topology").get("sectors", [])
    return next((n for n, row in enumerate(rows, 1) if object_id in row.values()), 0)
