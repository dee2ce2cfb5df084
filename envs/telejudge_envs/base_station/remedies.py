"""What an engineer who knows the fault does about it: the reads that prove it, the fix, the trap.

In: the world as it is and an atom. Out: calls as (tool, arguments).

    plan = remedy(db, spec, "P3.2")
    plan.proof      reads that separate the fault from its rivals, as soon as it can be seen
    plan.fix        the repair, without travel; `plan.onsite` says whether somebody must be there
    plan.trap       what a hasty engineer does instead; it does not repair, or breaks a rule

The sources of the remedies are those of the fault table in docs/base-station.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.atoms import object_of, split
from telejudge_envs.base_station.faults import missing_neighbour
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.spec import Spec, needs_site_visit, part_for, team_for
from telejudge_envs.base_station.state import RanDB, Site

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Remedy:
    """`onsite`: somebody must be there, `mast`: with the cell LOCKED and the radio isolated;
    `parts`: types of spares to bring along. `impact`: object and action whose impact is checked
    first. `team`: who takes the fault when the agent cannot repair it; None when he can."""

    atom: str
    object_id: str
    proof: tuple[Call, ...]
    fix: tuple[Call, ...]
    trap: tuple[Call, ...]
    onsite: bool
    mast: bool
    parts: tuple[str, ...]
    impact: tuple[str, str] | None
    team: str | None


def remedy(db: RanDB, spec: Spec, atom: str) -> Remedy:
    """The plan for one fault, by the state as it is now."""
    fault, i = split(atom)
    site = db.sites[db.focus]
    variant = spec.variant(atom)
    kind = part_for(atom, variant)
    case = _Case(db, spec, site, atom, i, variant)
    return Remedy(
        atom=atom,
        object_id=object_of(db, db.focus, atom),
        proof=tuple(_PROOF[fault.code](case)),
        fix=tuple(_FIX[fault.code](case)),
        trap=tuple(_TRAP[fault.code](case)),
        onsite=needs_site_visit(atom, variant),
        mast=fault.code in ("A1", "A4") or kind in ("rru", "ret"),
        parts=() if kind is None else (kind,),
        impact=_IMPACT[fault.code](case) if fault.code in _IMPACT else None,
        team=team_for(spec, atom),
    )


@dataclass(frozen=True)
class _Case:
    db: RanDB
    spec: Spec
    site: Site
    atom: str
    i: int
    variant: dict[str, Any]

    def id(self, suffix: str, number: int | None = None) -> str:
        return part(self.site.id, suffix, number)

    @property
    def s(self) -> str:
        return self.site.id

    @property
    def cell(self) -> str:
        return self.id("C", self.i)

    @property
    def rru(self) -> str:
        return self.id("R", self.i)

    @property
    def optic(self) -> str:
        return f"{self.id('O', self.i)}/{self.variant.get('end', 'bbu')}"

    def spare(self, kind: str) -> str:
        """The first spare of the type that is not used; an id that fits nothing when none is."""
        return next((s.id for s in self.db.spares if s.type == kind and not s.used), "none")

    def change(self) -> str:
        """The id of the unapproved change behind the fault."""
        wanted = object_of(self.db, self.s, self.atom)
        return next(
            (
                c.id
                for c in self.db.changes
                if c.object_id == wanted and not c.approved and not c.rolled_back
            ),
            "none",
        )

    def planned(self, object_id: str, attribute: str) -> Any:
        return self.db.plan[f"{object_id}.{attribute}"]

    @property
    def hub_port(self) -> str:
        return self.db.links[self.s].a


_Plan = Callable[[_Case], list[Call]]


def _power(c: _Case) -> list[Call]:
    return [("get_power_climate", {"site_id": c.s})]


def _clock(c: _Case) -> list[Call]:
    return [("get_clock", {"site_id": c.s})]


def _rf(c: _Case) -> list[Call]:
    return [("get_rf", {"rru_id": c.rru})]


def _fronthaul(c: _Case) -> list[Call]:
    return [("get_fronthaul", {"rru_id": c.rru})]


def _diff(suffix: str) -> _Plan:
    def plan(c: _Case) -> list[Call]:
        return [("diff_config_vs_plan", {"object_id": c.id(suffix, c.i or None)})]

    return plan


def _kpi(c: _Case) -> list[Call]:
    return [("get_kpi", {"object_id": c.cell})]


def _load_step(c: _Case) -> list[Call]:
    return [*_kpi(c), ("run_load_step", {"cell_id": c.cell, "pct": 80})]


def _port(which: str) -> _Plan:
    def plan(c: _Case) -> list[Call]:
        port = {"hub": c.hub_port, "trunk": c.db.hub.ports[0].id, "site": c.id("P")}[which]
        return [("get_transport_port", {"port_id": port})]

    return plan


def _vlan(c: _Case) -> list[Call]:
    return [
        *_port("hub")(c),
        ("ping", {"src_id": c.s, "target": "gateway"}),
        ("get_change_log", {"scope_id": c.s}),
    ]


def _boards(c: _Case) -> list[Call]:
    return [("get_boards", {"site_id": c.s})]


def _hang(c: _Case) -> list[Call]:
    return [*_port("hub")(c), ("get_ne_status", {"site_id": c.s})]


def _locked(c: _Case) -> list[Call]:
    return [("get_ne_status", {"site_id": c.s}), ("get_work_orders", {"scope_id": c.s})]


_PROOF: dict[str, _Plan] = {
    "P1": _power,
    "P2": _power,
    "P3": _fronthaul,
    "E1": _power,
    "E2": _power,
    "T1": _port("hub"),
    "T2": _port("site"),
    "T3": _port("trunk"),
    "T4": _vlan,
    "T5": _diff("NG"),
    "S1": _clock,
    "S2": _clock,
    "B1": _hang,
    "B2": _boards,
    "B3": lambda c: [("get_licences", {"site_id": c.s})],
    "B4": _kpi,
    "F1": _fronthaul,
    "F2": _fronthaul,
    "F3": _rf,
    "A1": _rf,
    "A2": _rf,
    "A3": _diff("T"),
    "A4": _load_step,
    "R1": lambda c: [*_kpi(c), *_diff("C")(c)],
    "R2": lambda c: [*_kpi(c), ("get_neighbours", {"cell_id": c.cell})],
    "R3": _diff("NG"),
    "R4": _load_step,
    "R5": _kpi,
    "R6": _locked,
}

VISIBLE: dict[str, tuple[str, ...]] = {
    "P1": ("see.P1",),
    "P2": ("see.P2",),
    "P3": ("alarm.RRU_DYING_GASP.{i}",),
    "E1": ("see.E1",),
    "E2": ("see.E2",),
    "T1": ("alarm.LOSS_OF_SIGNAL",),
    "T2": ("see.T2",),
    "T3": ("alarm.LINK_FAILURE",),
    "T4": ("log.T4",),
    "T5": ("see.T5",),
    "S1": ("see.S1",),
    "S2": ("see.S2",),
    "B1": ("alarm.SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED",),
    "B2": ("see.B2",),
    "B3": ("see.B3",),
    "B4": ("kpi.up.{i}",),
    "F1": ("see.F1.{i}",),
    "F2": ("see.F2.{i}",),
    "F3": ("see.F3.{i}",),
    "A1": ("see.A1.{i}",),
    "A2": ("see.A2.{i}",),
    "A3": ("see.A3.{i}",),
    "A4": ("kpi.noise.{i}",),
    "R1": ("see.R1.{i}",),
    "R2": ("see.R2.{i}",),
    "R3": ("see.R3",),
    "R4": ("kpi.idle_noise.{i}",),
    "R5": ("kpi.full.{i}",),
    "R6": ("see.LOCKED.{i}", "reach"),
}
"""Effects (physics.py) that must all be 1 for the proof to succeed; `{i}` is the sector."""

NOT_VISIBLE_WITH: dict[str, tuple[str, ...]] = {
    "F1": ("alarm.RRU_DYING_GASP.{i}",),
    "B4": ("kpi.traffic.{i}",),
    "A4": ("kpi.idle_noise.{i}",),
}
"""Effects that must be 0, since with them the reading would speak for a rival."""


def _replace(kind: str, suffix: str) -> _Plan:
    def plan(c: _Case) -> list[Call]:
        slot = c.id(suffix, c.i or None)
        return [("replace_module", {"type": kind, "slot": slot, "spare_id": c.spare(kind)})]

    return plan


def _breaker(c: _Case) -> list[Call]:
    feed = c.id("FD", c.i)
    close: list[Call] = [("check_breakers", {}), ("reset_breaker", {"feed": feed})]
    return close + (_replace("rru", "R")(c) if c.variant.get("shorted") else [])


def _optics(port: Callable[[_Case], str], kind: str) -> _Plan:
    def plan(c: _Case) -> list[Call]:
        clean: list[Call] = [("clean_connector", {"port_id": port(c)})]
        if not c.variant.get("worn"):
            return clean
        return [*clean, ("replace_sfp", {"port_id": port(c), "spare_id": c.spare(kind)})]

    return plan


def _set(suffix: str, attribute: str) -> _Plan:
    def plan(c: _Case) -> list[Call]:
        target = c.id(suffix, c.i or None)
        value = c.planned(target, attribute)
        return [("set_config", {"object_id": target, "attribute": attribute, "value": str(value)})]

    return plan


def _ret(c: _Case) -> list[Call]:
    calibrate: list[Call] = [("calibrate_ret", {"ret_id": c.id("T", c.i)})]
    return _replace("ret", "T")(c) if c.variant.get("jammed") else calibrate


def _antenna(c: _Case) -> list[Call]:
    line = c.site.lines[c.i - 1]
    return [
        ("measure_vswr_dtf", {"port_id": line.id}),
        ("repair_antenna_line", {"port_id": line.id, "segment": line.segment}),
    ]


def _licence(c: _Case) -> list[Call]:
    key = c.db.licence_pool[0] if c.db.licence_pool else "none"
    return [("install_licence", {"site_id": c.s, "key_id": key})]


def _gnss(c: _Case) -> list[Call]:
    return [("check_gnss_antenna", {}), *_replace("gnss_antenna", "GNSS")(c)]


_FIX: dict[str, _Plan] = {
    "P1": lambda c: [("start_generator", {})],
    "P2": _replace("rectifier", "RE1"),
    "P3": _breaker,
    "E1": _replace("fan", "FAN1"),
    "E2": lambda c: [("reset_aircon", {})],
    "T1": lambda c: [("otdr", {"port_id": c.id("P")}), ("splice_fibre", {"link_id": c.id("L")})],
    "T2": _optics(lambda c: c.id("P"), "sfp"),
    "T3": lambda c: [("set_hub_port", {"port_id": c.db.hub.ports[0].id, "state": "up"})],
    "T4": lambda c: [("rollback_config", {"change_id": c.change()})],
    "T5": _set("NG", "remoteAddress"),
    "S1": _gnss,
    "S2": lambda c: [("switch_clock_source", {"site_id": c.s, "source": "gnss"})],
    "B1": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "B2": _replace("baseband", "BB"),
    "B3": _licence,
    "B4": lambda c: [("lock_cell", {"cell_id": c.cell}), ("unlock_cell", {"cell_id": c.cell})],
    "F1": lambda c: [("replace_fibre", {"cpri_id": c.id("O", c.i)})],
    "F2": _optics(lambda c: c.optic, "cpri_sfp"),
    "F3": _replace("rru", "R"),
    "A1": _antenna,
    "A2": _ret,
    "A3": lambda c: [
        ("set_ret_tilt", {"ret_id": c.id("T", c.i), "tilt": c.planned(c.id("T", c.i), "tilt")})
    ],
    "A4": lambda c: [("clean_connector", {"port_id": c.id("A", c.i)})],
    "R1": _set("C", "nrPci"),
    "R2": lambda c: [
        (
            "add_neighbour",
            {
                "cell_id": c.cell,
                "target_cell_id": missing_neighbour(c.db, c.site, c.i) or "none",
            },
        )
    ],
    "R3": _set("NG", "nRTAC"),
    "R4": lambda c: [],
    "R5": lambda c: [("enable_mlb", {"cell_id": c.cell})],
    "R6": lambda c: [("unlock_cell", {"cell_id": c.cell})],
}

_TRAP: dict[str, _Plan] = {
    "P1": _replace("rectifier", "RE1"),
    "P2": lambda c: [("start_generator", {})],
    "P3": lambda c: [("replace_fibre", {"cpri_id": c.id("O", c.i)})],
    "E1": lambda c: [("reset_board", {"board_id": c.id("BB"), "mode": "hard"})],
    "E2": _replace("fan", "FAN1"),
    "T1": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "hard"})],
    "T2": lambda c: [("enable_mlb", {"cell_id": c.id("C", 1)})],
    "T3": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "hard"})],
    "T4": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "T5": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "S1": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "S2": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "B1": lambda c: [("reset_board", {"board_id": c.id("BB"), "mode": "hard"})],
    "B2": lambda c: [("reset_board", {"board_id": c.id("BB"), "mode": "hard"})] * 2,
    "B3": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "B4": lambda c: [],
    "F1": _replace("rru", "R"),
    "F2": lambda c: [("clean_connector", {"port_id": _other_end(c)})],
    "F3": lambda c: [("reset_rru", {"rru_id": c.rru})] * 2,
    "A1": _replace("rru", "R"),
    "A2": _replace("rru", "R"),
    "A3": lambda c: [("lock_cell", {"cell_id": c.cell}), ("unlock_cell", {"cell_id": c.cell})],
    "A4": lambda c: [("escalate", {"team": "spectrum", "summary": "noise", "evidence": ["r1"]})],
    "R1": lambda c: [("reset_rru", {"rru_id": c.rru})],
    "R2": lambda c: [
        ("set_ret_tilt", {"ret_id": c.id("T", c.i), "tilt": c.site.rets[c.i - 1].tilt + 2.0})
    ],
    "R3": lambda c: [("escalate", {"team": "transmission", "summary": "NG", "evidence": ["r1"]})],
    "R4": lambda c: [("clean_connector", {"port_id": c.id("A", c.i)})],
    "R5": lambda c: [("reset_rru", {"rru_id": c.rru})],
    "R6": lambda c: [("reset_rru", {"rru_id": c.rru})],
}


def _other_end(c: _Case) -> str:
    cpri, _, end = c.optic.partition("/")
    return f"{cpri}/{'rru' if end == 'bbu' else 'bbu'}"


_IMPACT: dict[str, Callable[[_Case], tuple[str, str]]] = {
    "B1": lambda c: (c.id("BM"), "reset_board"),
    "B4": lambda c: (c.cell, "lock_cell"),
    "R1": lambda c: (c.cell, "set_config"),
    "R5": lambda c: (c.cell, "enable_mlb"),
    "T3": lambda c: (c.db.hub.ports[0].id, "set_hub_port"),
}
