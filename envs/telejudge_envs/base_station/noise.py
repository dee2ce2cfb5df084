"""What is always wrong somewhere and is nobody's fault: old alarms, approved exceptions, changes.

    add_noise(db, random.Random(7), level=2)                  # two old alarms, one flapping, …
    add_noise(db, random.Random(7), level=0, work_order=3)    # only a crew on the mast, sector 3

In: a RanDB before or after faults are injected, dice, a level from 0 to 3. Out: the same RanDB with
more in its lists. No fault appears, disappears or looks different by it; only a work order locks
the cell that it names.

| level | adds |
|---|---|
| 1 | a standing alarm, a deviation from plan that is approved |
| 2 | another standing alarm, a flapping one, an unrelated change that is approved |
| 3 | another standing alarm, a stale manual one, a red herring, a late change, a deviation |
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from telejudge_envs.base_station.alarm_table import COM, ENV, EQP, PRC, AlarmType
from telejudge_envs.base_station.alarms import standing_id
from telejudge_envs.base_station.cabinet import Board
from telejudge_envs.base_station.kept import forget
from telejudge_envs.base_station.operations import ChangeRecord, StandingAlarm, WorkOrder
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.radio import Cell
from telejudge_envs.base_station.state import RanDB, Site

DAY = 24 * 60
REDUCED_POWER_DBM = 43


class Template(NamedTuple):
    """`suffix` of the object, empty for the site; the cause is one of X.733's."""

    suffix: str
    alarm_type: AlarmType
    cause: str
    severity: str
    text: str


STANDING = (
    Template("", ENV, "ENCLOSURE_DOOR_OPEN", "MINOR", "Cabinet door open under {order}"),
    Template("", ENV, "HUMIDITY_UNACCEPTABLE", "WARNING", "Humidity 78%, limit 75%"),
    Template("BM", PRC, "VERSION_MISMATCH", "WARNING", "Passive slot holds an older release"),
    Template("BM", PRC, "STORAGE_CAPACITY_PROBLEM", "WARNING", "Log partition 86% full"),
    Template("", ENV, "FUEL_PROBLEM", "WARNING", "Generator service due in 9 days"),
)

FLAPPING = (
    Template("P", COM, "THRESHOLD_CROSSED", "WARNING", "Delay variation above 5 ms"),
    Template("", ENV, "ENCLOSURE_DOOR_OPEN", "WARNING", "Loose door contact"),
)

STALE = Template("BM", PRC, "FILE_ERROR", "MINOR", "Backup failed once, later ones succeeded")

RED_HERRINGS = (
    Template("LIC", PRC, "THRESHOLD_CROSSED", "WARNING", "A trial feature ends in 12 days"),
    Template("GNSS", EQP, "DEGRADED_SIGNAL", "WARNING", "One satellite weak, others good"),
    Template("P", COM, "DEGRADED_SIGNAL", "WARNING", "SFP module at 58 C, limit 70 C"),
    Template("AC", ENV, "THRESHOLD_CROSSED", "WARNING", "Filter change due"),
    Template("FAN2", EQP, "THRESHOLD_CROSSED", "WARNING", "Fan above 40,000 hours of service"),
)
"""Alarms that sound like a fault of the table and are none."""


def add_noise(db: RanDB, dice: random.Random, level: int, *, work_order: int = 0) -> None:
    """Add what a level says (see above) and, for a sector, a work order with a crew on the mast.

    Raises ValueError for a level that there is not.
    """
    if not 0 <= level <= 3:
        raise ValueError(f"noise level {level} does not exist; give 0, 1, 2 or 3")
    if level >= 1:
        for template in dice.sample(STANDING, level):
            _raise_alarm(db, dice, template, days=dice.randrange(2, 20))
        _lower_power(db, dice)
    if level >= 2:
        _raise_alarm(db, dice, dice.choice(FLAPPING), days=dice.randrange(1, 4), flapping=True)
        _new_release(db, db.started_min - 60 * dice.randrange(5, 30), _some_site(db, dice).main)
    if level >= 3:
        _raise_alarm(db, dice, STALE, days=dice.randrange(3, 9), manual=True)
        _raise_alarm(db, dice, dice.choice(RED_HERRINGS), days=0, site=db.sites[db.focus])
        _new_release(db, db.started_min - dice.randrange(20, 45), db.sites[db.focus].baseband)
        _renumber(db, dice)
    if work_order:
        _send_crew(db, dice, db.sites[db.focus].cells[work_order - 1])
    forget(db)


def _raise_alarm(
    db: RanDB,
    dice: random.Random,
    template: Template,
    *,
    days: int,
    flapping: bool = False,
    manual: bool = False,
    site: Site | None = None,
) -> None:
    """Recorded so many days ago, or for 0 less than an hour before the ticket."""
    site = site or _some_site(db, dice)
    order = _door_order(db, dice, site) if "{order}" in template.text else ""
    ago = days * DAY + dice.randrange(DAY) if days else dice.randrange(20, 55)
    db.standing.append(
        StandingAlarm(
            id=standing_id(db, len(db.standing)),
            object_id=part(site.id, template.suffix) if template.suffix else site.id,
            alarmType=template.alarm_type,
            probableCause=template.cause,
            specificProblem=f"{template.cause}: {template.text.format(order=order)}",
            perceivedSeverity=template.severity,
            clearingType="MANUAL" if manual else "AUTOMATIC",
            raised_min=db.started_min - ago,
            flapping=flapping,
        )
    )


def _door_order(db: RanDB, dice: random.Random, site: Site) -> str:
    return _order(db, dice, site.id, site.id, "Indoor works in the cabinet room", on_tower=False)


def _send_crew(db: RanDB, dice: random.Random, cell: Cell) -> None:
    """The cell is locked for people on the mast, so it is neither in service nor left locked."""
    cell.administrativeState = "LOCKED"
    text = f"Crew on the mast beside the antennas of {cell.id}; keep LOCKED until they report down"
    _order(db, dice, db.focus, cell.id, text, on_tower=True)


def _order(
    db: RanDB, dice: random.Random, site_id: str, object_id: str, text: str, *, on_tower: bool
) -> str:
    taken = {order.id for order in db.work_orders}
    number = f"WO{dice.randrange(1000, 10_000)}"
    while number in taken:
        number = f"WO{dice.randrange(1000, 10_000)}"
    db.work_orders.append(
        WorkOrder(id=number, site_id=site_id, object_id=object_id, text=text, on_tower=on_tower)
    )
    return number


def _lower_power(db: RanDB, dice: random.Random) -> None:
    """A cell sends with less than planned, by agreement."""
    cell = dice.choice(_some_site(db, dice).cells)
    _change(
        db,
        cell.id,
        "configuredMaxTxPower",
        (cell.configuredMaxTxPower, REDUCED_POWER_DBM),
        db.started_min - DAY * dice.randrange(4, 40),
        "agreed with a neighbouring operator",
    )
    cell.configuredMaxTxPower = REDUCED_POWER_DBM
    db.deviations[f"{cell.id}.configuredMaxTxPower"] = "approved: agreed with a neighbour operator"


def _renumber(db: RanDB, dice: random.Random) -> None:
    """The node's own address differs from plan until the plan is corrected."""
    gnb = _some_site(db, dice).gnb
    head, _, last = gnb.localAddress.rpartition(".")
    address = f"{head}.{int(last) + 100}"
    _change(
        db,
        gnb.id,
        "localAddress",
        (gnb.localAddress, address),
        db.started_min - DAY * dice.randrange(2, 10),
        "address plan 2, in the plan from the next revision",
    )
    gnb.localAddress = address
    db.deviations[f"{gnb.id}.localAddress"] = "approved: address plan 2"


def _new_release(db: RanDB, at: int, board: Board) -> None:
    """A software update that went well."""
    _change(db, board.id, "sw_version", ("21.3.0", board.sw_version), at, "release train 21.3")


def _change(
    db: RanDB, object_id: str, attribute: str, values: tuple[Any, Any], at: int, note: str
) -> None:
    before, after = values
    db.changes.append(
        ChangeRecord(
            id=f"CH{100 + (db.seed * 7 + len(db.changes) * 31) % 900}",
            object_id=object_id,
            attribute=attribute,
            before=before,
            after=after,
            at_min=at,
            by="planning",
            note=note,
        )
    )


def _some_site(db: RanDB, dice: random.Random) -> Site:
    """The focus site half of the time, else any."""
    return db.sites[db.focus if dice.random() < 0.5 else dice.choice(list(db.sites))]
