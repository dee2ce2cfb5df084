"""Which alarm each effect raises: type, cause, severity, the object it is about and its text.

    spec_of("ANTENNA_PROBLEM").object_id(site, 2)      -> "K042-A2"

Field and cause names: TS 28.111 and its Annex B, which takes them from X.733 and M.3100. Two
problems have no standard name, CELL_UNAVAILABLE and NE_UNREACHABLE; a vendor may add such strings.
A text tells what the alarm's own effect tells and nothing beyond it.

`before_min`: how long before the ticket the problem was recorded. Causes come before what follows
from them: the hub's alarm before the silence of the sites behind it, a dying gasp before the lost
link, an unreachable node before its cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from telejudge_envs.base_station.faults import SENSITIVITY_DBM, VSWR_MINOR
from telejudge_envs.base_station.formulas import PHASE_LIMIT_US, return_loss_db, sctp_failure_s
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import RanDB, Site

Severity = Literal["CRITICAL", "MAJOR", "MINOR", "WARNING", "CLEARED"]
AlarmType = Literal[
    "COMMUNICATIONS_ALARM",
    "EQUIPMENT_ALARM",
    "ENVIRONMENTAL_ALARM",
    "PROCESSING_ERROR_ALARM",
    "QUALITY_OF_SERVICE_ALARM",
]
SEVERITIES: tuple[Severity, ...] = ("CLEARED", "WARNING", "MINOR", "MAJOR", "CRITICAL")
"""From the least to the most severe (X.733)."""

VSWR_MAJOR = 3.0
PATH_RETRIES = 5
"""Path.Max.Retrans of RFC 4960."""

CLOCK_REFERENCE_MAJOR_MIN = 60
"""A node on holdover this long is a major problem (engineering judgement)."""

COM: AlarmType = "COMMUNICATIONS_ALARM"
EQP: AlarmType = "EQUIPMENT_ALARM"
ENV: AlarmType = "ENVIRONMENTAL_ALARM"
PRC: AlarmType = "PROCESSING_ERROR_ALARM"

Where = Callable[[Site, int], str]
Text = Callable[[RanDB, Site, int], str]
Level = Callable[[RanDB, Site, int], Severity]


@dataclass(frozen=True)
class Spec:
    """One kind of alarm. `number`: its place in the table, of which its ids are made."""

    problem: str
    alarm_type: AlarmType
    severity: Level
    where: Where | None
    before_min: int
    text: Text
    sector: bool = False
    local: bool = True
    number: int = 0

    def object_id(self, db: RanDB, site: Site, sector: int) -> str:
        """The object that the alarm is about; for hub alarms a port of the hub."""
        if self.where is not None:
            return self.where(site, sector)
        if self.problem == "LINK_FAILURE":
            return db.hub.ports[0].id
        return db.links[site.id].a


def _always(severity: Severity) -> Level:
    return lambda db, site, sector: severity


def _at(suffix: str) -> Where:
    return lambda site, sector: part(site.id, suffix, sector or None)


def _says(text: str) -> Text:
    return lambda db, site, sector: text


def _the_site(site: Site, sector: int) -> str:
    return site.id


def _site_spec(
    problem: str, kind: AlarmType, severity: Severity, where: Where, before: int, text: Text | str
) -> Spec:
    says = _says(text) if isinstance(text, str) else text
    return Spec(problem, kind, _always(severity), where, before, says)


def _cell_spec(
    problem: str, kind: AlarmType, severity: Severity, suffix: str, before: int, text: Text | str
) -> Spec:
    says = _says(text) if isinstance(text, str) else text
    return Spec(problem, kind, _always(severity), _at(suffix), before, says, sector=True)


def _vswr_level(db: RanDB, site: Site, sector: int) -> Severity:
    """Minor above 2.0, major above 3.0 (Huawei ALM-26529); of a good line, what it would be."""
    return "MINOR" if VSWR_MINOR < site.lines[sector - 1].vswr <= VSWR_MAJOR else "MAJOR"


def _vswr_text(db: RanDB, site: Site, sector: int) -> str:
    vswr = site.lines[sector - 1].vswr
    limit = VSWR_MAJOR if vswr > VSWR_MAJOR else VSWR_MINOR
    return f"VSWR {vswr:.1f} above {limit:.1f}, return loss {return_loss_db(vswr):.1f} dB"


def _reference_level(db: RanDB, site: Site, sector: int) -> Severity:
    late = db.clock_min - db.started_min >= CLOCK_REFERENCE_MAJOR_MIN
    return "MAJOR" if late else "MINOR"


_SPECS = (
    _site_spec("COMMERCIAL_POWER_FAILURE", ENV, "MAJOR", _at("AC0"), 14,
               "No AC at the mains input"),
    _site_spec("RECTIFIER_FAILURE", ENV, "MAJOR", _at("RE1"), 14,
               "Rectifier gives no current; the others cannot carry the load"),
    _site_spec("BATTERY_DISCHARGING", ENV, "MINOR", _the_site, 12, "DC load runs from the battery"),
    _site_spec("COOLING_FAN_FAILURE", ENV, "MAJOR", _at("FAN1"), 15, "Fan stalled, 0 rpm"),
    _site_spec("AIR_CONDITIONING_FAILURE", ENV, "MAJOR", _at("AC"), 15, "Air conditioner stopped"),
    _site_spec("HIGH_TEMPERATURE", ENV, "MINOR", _the_site, 9, "Boards above 65 C"),
    Spec("LOSS_OF_SIGNAL", COM, _always("CRITICAL"), None, 13,
         _says("No light from the far end at the hub port"), local=False),
    Spec("LINK_FAILURE", COM, _always("CRITICAL"), None, 13,
         lambda d, s, i: f"Trunk down; {len(d.hub.ports[0].carries)} site(s) behind it",
         local=False),
    _site_spec("EXCESSIVE_BIT_ERROR_RATE", COM, "MINOR", _at("P"), 12,
               lambda d, s, i: f"Receive power below {SENSITIVITY_DBM} dBm, CRC errors"),
    _site_spec("SCTP_FAULT", COM, "MAJOR", _at("NG"), 13,
               f"No answer from the AMF for {sctp_failure_s(PATH_RETRIES):.0f} s, SCTP path lost"),
    _site_spec("NG_FAULT", COM, "MAJOR", _at("NG"), 11, "NG interface down, no NG Setup"),
    _site_spec("CLOCK_SYNCHRONIZATION_PROBLEM", EQP, "MINOR", _at("GNSS"), 14,
               "GNSS reference lost"),
    Spec("CLOCK_REFERENCE_LOST", EQP, _reference_level, _at("PTP"), 14,
         _says("PTP is the active reference and its master is lost")),
    _site_spec("LOSS_OF_SYNCHRONIZATION", EQP, "MAJOR", _the_site, 10,
               f"Phase beyond {PHASE_LIMIT_US} us, transmission stopped"),
    _site_spec("SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED", PRC, "CRITICAL", _at("BM"), 12,
               "Main process gives no heartbeat to the watchdog"),
    _site_spec("EQUIPMENT_MALFUNCTION", EQP, "CRITICAL", _at("BB"), 12, "Baseband board failed"),
    _site_spec("LICENCE_EXPIRED", PRC, "MAJOR", _at("LIC"), 12, "Carrier licence expired"),
    Spec("NE_UNREACHABLE", COM, _always("CRITICAL"), _the_site, 10,
         _says("No answer to management polls"), local=False),
    Spec("CELL_UNAVAILABLE", COM, _always("CRITICAL"), _at("C"), 7,
         _says("Cell gives no service"), sector=True, local=False),
    _cell_spec("RRU_DYING_GASP", EQP, "MAJOR", "R", 12, "Radio unit reported loss of its supply"),
    _cell_spec("RRU_LINK_LOST", EQP, "MAJOR", "R", 10, "No CPRI link to the radio unit"),
    _cell_spec("CPRI_BIT_ERRORS", COM, "MINOR", "O", 12,
               "Increased bit error rate on the optical connection"),
    _cell_spec("TRANSMITTER_FAILURE", EQP, "MAJOR", "R", 12, "Output power far below nominal"),
    Spec("ANTENNA_PROBLEM", EQP, _vswr_level, _at("A"), 12, _vswr_text, sector=True),
    _cell_spec("TRANSMITTER_ANTENNA_NOT_ADJUSTED", EQP, "MINOR", "T", 12,
               "RET does not follow commands"),
)  # fmt: skip

_PROBABLE_CAUSE = {
    "SCTP_FAULT": "COMMUNICATIONS_PROTOCOL_ERROR",
    "NG_FAULT": "COMMUNICATIONS_SUBSYSTEM_FAILURE",
    "CLOCK_REFERENCE_LOST": "TIMING_PROBLEM",
    "LICENCE_EXPIRED": "CONFIGURATION_OR_CUSTOMIZATION_ERROR",
    "NE_UNREACHABLE": "REMOTE_NODE_TRANSMISSION_ERROR",
    "CELL_UNAVAILABLE": "UNDERLYING_RESOURCE_UNAVAILABLE",
    "RRU_DYING_GASP": "POWER_PROBLEM",
    "RRU_LINK_LOST": "LOSS_OF_SIGNAL",
    "CPRI_BIT_ERRORS": "DEGRADED_SIGNAL",
}
"""Problems of our own or of vendors, each under the nearest standard cause of X.733."""

SPECS: tuple[Spec, ...] = tuple(
    Spec(s.problem, s.alarm_type, s.severity, s.where, s.before_min, s.text, s.sector, s.local, n)
    for n, s in enumerate(_SPECS)
)
BY_PROBLEM = {spec.problem: spec for spec in SPECS}


def spec_of(problem: str) -> Spec:
    return BY_PROBLEM[problem]


def probable_cause(problem: str) -> str:
    """The X.733 cause: the problem's own name where that is standard."""
    return _PROBABLE_CAUSE.get(problem, problem)
