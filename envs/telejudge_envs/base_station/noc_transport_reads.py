"""READ tools of the NOC for transport: ports of the site and of the hub, and pings.

In: a RanDB and ids. Out: small dicts. The hub is managed out of band, so its ports answer and it
can ping whatever the state of a site.

    NocReads(db).get_transport_port("H31-P1")
    -> {"port": "H31-P1", "admin": "up", "oper": "down", "rx_dbm": -40.0, "site": "K042", …}
"""

from __future__ import annotations

from typing import Any, Literal

from telejudge_envs.base_station.cabinet import Port
from telejudge_envs.base_station.noc_common import (
    TRUNK_DOWN,
    find,
    near,
    owner,
    seen,
    told,
    unreachable,
)
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import Arguments, Toolkit, read

DARK_DBM = -40.0
"""What a receiver without light reports."""


def _port_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    port_id = str(a.get("port_id"))
    located = locate(db, port_id)
    if located is None or located.kind == "port":
        return told(db, port_id, ("reach", "see.T2"))
    if port_id == db.hub.ports[0].id:
        return (TRUNK_DOWN,)
    return ("alarm.LOSS_OF_SIGNAL",) if port_id == db.links[db.focus].a else ()


def _ping_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    located = locate(db, str(a.get("src_id")))
    if located is None:
        return ()
    if located.kind == "site":
        return told(db, str(a.get("src_id")), ("reach", "see.PATH"))
    if a.get("target") == "amf":
        return (TRUNK_DOWN,)
    carried = _carried(db, located.thing)
    shows = ("path",) if db.focus in carried else ()
    return shows + ((TRUNK_DOWN,) if set(carried) - {db.focus} else ())


def _carried(db: RanDB, thing: Any) -> list[str]:
    return thing.carries if isinstance(thing, Port) else list(db.sites)


class TransportReads(Toolkit):
    """Ports and pings."""

    @read(shows=_port_shows)
    def get_transport_port(self, port_id: str) -> dict[str, Any]:
        """Read a transport port of a site (K042-P) or of the hub (H31-P0 trunk, H31-P1 …).

        Args:
            port_id: Port id.
        """
        located = find(self.db, port_id, "port", "hub_port")
        if located.kind == "port":
            return self._site_port(owner(located))
        port: Port = located.thing
        shut = port.admin == "down"
        result: dict[str, Any] = {"port": port.id, "admin": port.admin}
        if port is self.db.hub.ports[0]:
            rx = round(-5 + near(self.db, 0.3, port.id, "rx"), 1)
            return {
                **result,
                "oper": "down" if shut else "up",
                "rx_dbm": DARK_DBM if shut else rx,
                "sites": list(port.carries),
            }
        site = self.db.sites[port.carries[0]]
        link = self.db.links[site.id]
        dark = bool(seen(self.db, site)["alarm.LOSS_OF_SIGNAL"])
        return {
            **result,
            "oper": "down" if dark or shut else "up",
            "rx_dbm": DARK_DBM if dark else round(-6 + near(self.db, 0.3, port.id, "rx"), 1),
            "site": site.id,
            "vlan": self.db.plan[f"{site.port.id}.vlan"],
            "link": link.id,
            "link_owner": link.owner,
        }

    @read(shows=_ping_shows)
    def ping(self, src_id: str, target: Literal["gateway", "amf"]) -> dict[str, Any]:
        """Ping a site's gateway or the planned AMF. From a hub port the test needs no node.

        Args:
            src_id: A site (ping from its node), a hub port or the hub (ping from the hub).
            target: gateway of the site's transport VLAN, or the AMF.
        """
        located = find(self.db, src_id, "site", "hub", "hub_port")
        if located.kind == "site":
            site: Site = located.thing
            e = seen(self.db, site)
            if not e["reach"]:
                return unreachable(site)
            return {"src": src_id, **self._reply(site, target, bool(e["see.PATH"]))}
        if target == "amf":
            trunk_up = self.db.hub.ports[0].admin == "up"
            return {"src": src_id, "target": "amf", **self._loss(src_id, trunk_up)}
        carried = [self.db.sites[s] for s in _carried(self.db, located.thing)]
        replies = [
            {"site": s.id, **self._reply(s, target, bool(seen(self.db, s)["path"]))}
            for s in carried
        ]
        if len(replies) == 1:
            return {"src": src_id, **replies[0]}
        return {"src": src_id, "replies": replies}

    # -- parts of the results

    def _site_port(self, site: Site) -> dict[str, Any]:
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        bad, port = e["see.T2"], site.port
        usual = port.sfp_rx_dbm if port.sfp_rx_dbm > -10 else -6.0
        rx = (-17.0 if bad else usual) + near(self.db, 0.3, port.id, "rx")
        return {
            "port": port.id,
            "admin": port.admin,
            "oper": "up",
            "rx_dbm": round(rx, 1),
            "crc_per_s": round(140 + near(self.db, 40, port.id, "crc")) if bad else 0,
            "gateway": port.gateway,
            "hub_port": self.db.links[site.id].a,
        }

    def _reply(self, site: Site, target: str, answers: bool) -> dict[str, Any]:
        planned = self.db.plan[f"{site.gnb.id}.remoteAddress"]
        address = planned if target == "amf" else site.port.gateway
        return {"target": target, "address": address, **self._loss(site.id, answers)}

    def _loss(self, src_id: str, answers: bool) -> dict[str, Any]:
        if not answers:
            return {"loss_pct": 100}
        return {"loss_pct": 0, "rtt_ms": round(4 + near(self.db, 1.5, src_id, "rtt"), 1)}
