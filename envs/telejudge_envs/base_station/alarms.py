"""The alarm list of the network, as the operations system shows it.

    active(db)[0].specificProblem        -> "LINK_FAILURE: Trunk down; 4 site(s) behind it"
    alarm_effects(db, db.focus)          -> the effects that such a list tells, shown or absent

In: a RanDB. Out: `Alarm` records with the attributes of TS 28.111, most severe first. Alarms of a
node vanish while it cannot be reached (its own list is out of reach); those that the hub and the
operations system raise, and manual ones, stay. `rootCauseIndicator` is kept from everybody.
"""

from __future__ import annotations

import functools
import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from telejudge_envs.base_station.alarm_table import (
    SEVERITIES,
    SPECS,
    AlarmType,
    Severity,
    Spec,
    probable_cause,
)
from telejudge_envs.base_station.jitter import share, whole
from telejudge_envs.base_station.kept import recall
from telejudge_envs.base_station.observe import observe, site_of
from telejudge_envs.base_station.operations import StandingAlarm
from telejudge_envs.base_station.state import RanDB

ID_RANGE = 9000
SITE_STRIDE = 128
FLAP_MIN = 4
"""A flapping alarm keeps its state for about this long."""


class Alarm(BaseModel):
    """One alarm record (TS 28.111 §7). Times are minutes, see state.py; they can be negative."""

    model_config = ConfigDict(frozen=True)

    alarmId: str
    objectInstance: str
    siteId: str
    alarmType: AlarmType
    probableCause: str
    perceivedSeverity: Severity
    specificProblem: str
    alarmRaisedTime: int
    ackState: Literal["ACKNOWLEDGED", "UNACKNOWLEDGED"] = "UNACKNOWLEDGED"
    clearingType: Literal["AUTOMATIC", "MANUAL"] = "AUTOMATIC"


def active(db: RanDB) -> list[Alarm]:
    """All visible alarms of the network, most severe first, then oldest first."""
    key = ("active", len(db.acked), len(db.cleared), len(db.standing))
    return list(recall(db, key, lambda: _active(db)))


def cleared(db: RanDB) -> list[Alarm]:
    """Alarms that somebody cleared by hand, whatever has become of their causes."""
    known = {a.alarmId: a for a in _every(db)}
    return [
        known[alarm_id].model_copy(update={"perceivedSeverity": "CLEARED"})
        for alarm_id in db.cleared
        if alarm_id in known
    ]


def alarm_of(db: RanDB, alarm_id: str) -> Alarm | None:
    """The record behind an id if it is active now."""
    return next((a for a in active(db) if a.alarmId == alarm_id), None)


def alarms_of(db: RanDB, scope_id: str) -> list[Alarm]:
    """Active alarms of a site (with those of its hub port), of one object, or of the whole hub."""
    if scope_id == db.hub.id:
        return active(db)
    if scope_id not in db.sites:
        return [a for a in active(db) if a.objectInstance == scope_id]
    above = {db.links[scope_id].a, db.hub.ports[0].id}
    return [a for a in active(db) if a.siteId == scope_id or a.objectInstance in above]


def alarm_effects(db: RanDB, scope_id: str, min_severity: Severity = "WARNING") -> tuple[str, ...]:
    """The effects of the focus site that `alarms_of(db, scope_id)` tells, from a severity on.

    Alarms that were cleared by hand tell nothing any more. Of another site's alarms all that can
    be learnt is the state of the trunk it shares with the focus site.
    """
    if site_of(scope_id) not in (db.hub.id, db.focus):
        return ("alarm.LINK_FAILURE",)
    key = ("alarm effects", scope_id, min_severity, len(db.cleared))
    return recall(db, key, lambda: _told(db, scope_id, min_severity))


def _told(db: RanDB, scope_id: str, min_severity: Severity) -> tuple[str, ...]:
    site = db.sites[db.focus]
    told = [
        effect_of(spec, sector)
        for spec, sector, _ in _kinds(len(site.cells))
        if scope_id in (db.hub.id, site.id, spec.object_id(db, site, sector))
        and at_least(spec.severity(db, site, sector), min_severity)
        and _alarm_id(db, site.id, spec, sector) not in db.cleared
    ]
    if any(_vanishes(db, a, scope_id, min_severity) for a in db.standing):
        told.append("reach")
    return tuple(told)


def _vanishes(db: RanDB, alarm: StandingAlarm, scope_id: str, floor: Severity) -> bool:
    """Whether a standing alarm of the focus site is listed just as long as the node answers."""
    return (
        site_of(alarm.object_id) == db.focus
        and scope_id in (db.hub.id, db.focus, alarm.object_id)
        and alarm.clearingType == "AUTOMATIC"
        and is_up(db, alarm)
        and at_least(alarm.perceivedSeverity, floor)
    )


def at_least(severity: str, floor: str) -> bool:
    """Whether a severity reaches another one (X.733 order)."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)  # type: ignore[arg-type]


def effect_of(spec: Spec, sector: int = 0) -> str:
    """The effect of physics.py behind an alarm."""
    return f"alarm.{spec.problem}.{sector}" if spec.sector else f"alarm.{spec.problem}"


def standing_id(db: RanDB, number: int) -> str:
    """An id for the n-th alarm that no fault causes; never that of another alarm."""
    return _number(db, ID_RANGE - 1 - number)


def is_up(db: RanDB, alarm: StandingAlarm) -> bool:
    """Whether a standing alarm is active: not cleared, and not in the pause of a flapping one."""
    if alarm.cleared or alarm.id in db.cleared:
        return False
    return not alarm.flapping or share(db.seed, alarm.id, db.clock_min // FLAP_MIN) < 0.5


def _active(db: RanDB) -> list[Alarm]:
    found: dict[str, Alarm] = {}
    for site_id, bits in observe(db).items():
        for spec, sector, effect in _kinds(len(db.sites[site_id].cells)):
            if bits[effect]:
                alarm = _alarm(db, site_id, spec, sector)
                found.setdefault(alarm.alarmId, alarm)
    alarms = [a for a in found.values() if a.alarmId not in db.cleared]
    alarms += [_standing(db, a) for a in db.standing if is_up(db, a) and _in_sight(db, a)]
    return sorted(
        alarms,
        key=lambda a: (-SEVERITIES.index(a.perceivedSeverity), a.alarmRaisedTime, a.alarmId),
    )


def _every(db: RanDB) -> list[Alarm]:
    """All alarms that could be in this network, active or not."""
    faults = [
        _alarm(db, s, spec, i) for s in db.sites for spec, i, _ in _kinds(len(db.sites[s].cells))
    ]
    return faults + [_standing(db, a) for a in db.standing]


@functools.cache
def _kinds(sectors: int) -> tuple[tuple[Spec, int, str], ...]:
    """Every alarm that a site can have, with its sector and its effect."""
    every = ((spec, i) for spec in SPECS for i in (range(1, sectors + 1) if spec.sector else (0,)))
    return tuple((spec, i, effect_of(spec, i)) for spec, i in every)


def _in_sight(db: RanDB, alarm: StandingAlarm) -> bool:
    bits = observe(db).get(site_of(alarm.object_id))
    return bits is None or bool(bits["reach"]) or alarm.clearingType == "MANUAL"


def _alarm(db: RanDB, site_id: str, spec: Spec, sector: int) -> Alarm:
    site = db.sites[site_id]
    about = spec.object_id(db, site, sector)
    alarm_id = _alarm_id(db, site_id, spec, sector)
    early = whole(2, db.seed, about, spec.problem)
    return Alarm(
        alarmId=alarm_id,
        objectInstance=about,
        siteId=site_id if spec.where is not None else db.hub.id,
        alarmType=spec.alarm_type,
        probableCause=probable_cause(spec.problem),
        perceivedSeverity=spec.severity(db, site, sector),
        specificProblem=f"{spec.problem}: {spec.text(db, site, sector)}",
        alarmRaisedTime=db.started_min - spec.before_min + early - (0 if spec.where else 1),
        ackState="ACKNOWLEDGED" if alarm_id in db.acked else "UNACKNOWLEDGED",
    )


def _standing(db: RanDB, alarm: StandingAlarm) -> Alarm:
    return Alarm(
        alarmId=alarm.id,
        objectInstance=alarm.object_id,
        siteId=site_of(alarm.object_id),
        alarmType=alarm.alarmType,  # type: ignore[arg-type]
        probableCause=alarm.probableCause,
        perceivedSeverity=alarm.perceivedSeverity,  # type: ignore[arg-type]
        specificProblem=alarm.specificProblem,
        alarmRaisedTime=alarm.raised_min,
        ackState="ACKNOWLEDGED" if alarm.id in db.acked else "UNACKNOWLEDGED",
        clearingType=alarm.clearingType,
    )


def _alarm_id(db: RanDB, site_id: str, spec: Spec, sector: int) -> str:
    """The trunk is one object whichever site looks at it; everything else is the site's own."""
    row = 0 if spec.problem == "LINK_FAILURE" else list(db.sites).index(site_id)
    return _number(db, SITE_STRIDE * row + 4 * spec.number + sector)


def _number(db: RanDB, index: int) -> str:
    """A permutation of 0..8999 drawn by the seed, so that ids look random and never collide."""
    stride = 1 + whole(ID_RANGE, db.seed, "alarm ids")
    while math.gcd(stride, ID_RANGE) > 1:
        stride += 1
    offset = whole(ID_RANGE, db.seed, "first alarm id")
    return f"AL{1000 + (offset + stride * index) % ID_RANGE}"
