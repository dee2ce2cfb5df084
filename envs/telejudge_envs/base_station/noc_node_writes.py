"""WRITE tools of the NOC for what a whole site or the hub shares: resets, clock, port, licence.

In: a RanDB, ids, and as an option the token of an approval (the world never demands one; the
policy does). Out: `{"effect": …, "needs_verification": […]}`. A ToolError changed nothing.

    NocWrites(db).set_hub_port("H31-P0", "up")
    -> {"effect": "H31-P0 is up", "needs_verification": ["get_transport_port H31-P0", …]}

Effects say what was done and never what had been wrong: that is for a reading to show.
"""

from __future__ import annotations

from typing import Any, Literal

from telejudge_envs.base_station.cabinet import Board, Port
from telejudge_envs.base_station.noc_common import (
    check_token,
    demand_reach,
    done,
    find,
    find_site,
    owner,
    seen,
    told,
)
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.physics import HOLDOVER_LOST, ON_PTP
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments, ToolError, Toolkit, write

SOFT_MIN, HARD_MIN = 6, 12
"""How long a node takes to come back after a soft and after a hard reset, in minutes."""


def _reset_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    located = locate(db, str(a.get("board_id")))
    if located is None or located.site is None or located.site.id != db.focus:
        return {}
    cells = {f"B4.{cell.sector}": 0 for cell in located.site.cells}
    return {"B1": 0, HOLDOVER_LOST: 1, **cells} if located.kind == "main" else cells


def _selftest_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    located = locate(db, str(a.get("board_id")))
    baseband = located is not None and located.kind == "baseband"
    return told(db, str(a.get("board_id")), ("see.B2",)) if baseband else ()


def _port_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    return {"T3": int(a["state"] == "down")} if a["port_id"] == db.hub.ports[0].id else {}


def _clock_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    if a["site_id"] != db.focus:
        return {}
    return {ON_PTP: int(a["source"] == "ptp"), "S2": 0}


def _licence_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    return {"B3": 0} if a["site_id"] == db.focus else {}


class NodeWrites(Toolkit):
    """Boards, hub ports, clock source, licence."""

    @write(sets=_reset_sets, minutes=SOFT_MIN)
    def reset_board(
        self, board_id: str, mode: Literal["soft", "hard"], token: str | None = None
    ) -> dict[str, Any]:
        """Restart a board, out of band: all cells are down meanwhile; a main board takes its clock
        holdover with it.

        Args:
            board_id: K042-BM (the whole node) or K042-BB (baseband).
            mode: soft (6 min) before hard (12 min).
            token: Approval, if any.
        """
        located = find(self.db, board_id, "main", "baseband")
        check_token(self.db, token)
        site, board = owner(located), located.thing
        if not seen(self.db, site)["dc"]:
            raise ToolError(
                f"{board_id} gives no sign; {site.id} has no DC power; restore it first"
            )
        board.resets += 1
        if isinstance(board, Board) and board.type == "main":
            board.sw_state = "running"
            site.clock.holdover_lost = True
        for cell in site.cells:
            cell.hung = False
        if mode == "hard":
            self.db.clock_min += HARD_MIN - SOFT_MIN
        return done(
            self.db,
            f"{board_id} was reset ({mode})",
            f"list_alarms {site.id}",
            f"get_ne_status {site.id}",
            f"get_kpi {site.id}",
        )

    @write(shows=_selftest_shows, minutes=5)
    def run_selftest(self, board_id: str) -> dict[str, Any]:
        """Run the built-in test of a board; service goes on.

        Args:
            board_id: K042-BM or K042-BB.
        """
        located = find(self.db, board_id, "main", "baseband")
        site = owner(located)
        demand_reach(self.db, site)
        bad = located.kind == "baseband" and seen(self.db, site)["see.B2"]
        verdict = "FAIL, hardware" if bad else "PASS"
        return done(self.db, f"self-test of {board_id}: {verdict}", result=verdict)

    @write(sets=_port_sets, minutes=2)
    def set_hub_port(
        self, port_id: str, state: Literal["up", "down"], token: str | None = None
    ) -> dict[str, Any]:
        """Open or shut a port of the hub; the trunk (P0) carries all sites.

        Args:
            port_id: Hub port, e.g. H31-P0.
            state: up or down.
            token: Approval, if any.
        """
        located = find(self.db, port_id, "hub_port")
        check_token(self.db, token)
        port: Port = located.thing
        if state == "down" and port is not self.db.hub.ports[0]:
            raise ToolError(f"{port_id} is locked in state up by the transmission team; not shut")
        port.admin = state
        return done(
            self.db,
            f"{port_id} is {state}",
            f"get_transport_port {port_id}",
            f"list_alarms {self.db.hub.id}",
        )

    @write(sets=_clock_sets, minutes=2)
    def switch_clock_source(self, site_id: str, source: Literal["gnss", "ptp"]) -> dict[str, Any]:
        """Choose the reference that a site's clock follows. PTP must be fitted and locked.

        Args:
            site_id: Site, e.g. K042.
            source: gnss or ptp.
        """
        site = find_site(self.db, site_id)
        demand_reach(self.db, site)
        clock = site.clock
        if source == "ptp" and not clock.ptp_fitted:
            raise ToolError(f"{site_id} has no PTP reference; nothing was changed")
        if source == "ptp" and not clock.ptp_locked:
            raise ToolError(f"PTP of {site_id} is not locked; nothing was changed")
        clock.active = source
        return done(
            self.db,
            f"{site_id} follows {source}",
            f"get_clock {site_id}",
            f"list_alarms {site_id}",
            f"get_kpi {site_id}",
        )

    @write(sets=_licence_sets, minutes=2)
    def install_licence(self, site_id: str, key_id: str) -> dict[str, Any]:
        """Install a key of the pool as the site's licence; the key is used up.

        Args:
            site_id: Site, e.g. K042.
            key_id: Key from get_licences, e.g. LK-1234.
        """
        site = find_site(self.db, site_id)
        if key_id not in self.db.licence_pool:
            raise ToolError(f"key '{key_id}' is not in the pool; get_licences lists the pool")
        demand_reach(self.db, site)
        self.db.licence_pool.remove(key_id)
        site.licence.key, site.licence.valid = key_id, True
        return done(
            self.db,
            f"{key_id} is installed at {site_id}",
            f"get_licences {site_id}",
            f"list_alarms {site_id}",
        )
