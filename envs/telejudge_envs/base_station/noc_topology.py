"""What an object consists of and what it depends on, with ids.

In: a RanDB and an object. Out: a small dict; nothing in it changes with a fault.

    describe(db, find(db, "K042-C1"), "K042-C1")
    -> {"id": "K042-C1", "kind": "cell", "site": "K042", "sector": 1, "rru": "K042-R1", …}
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.base_station.cabinet import Port
from telejudge_envs.base_station.parts import Located, part
from telejudge_envs.base_station.state import RanDB, Site

_SECTOR_PARTS = {"cell": "C", "rru": "R", "cpri": "O", "antenna": "A", "ret": "T", "feed": "FD"}
_SITE_PARTS = {
    "port": "P",
    "ng": "NG",
    "main": "BM",
    "baseband": "BB",
    "gnss": "GNSS",
    "ptp": "PTP",
    "mains": "AC0",
    "aircon": "AC",
    "licence": "LIC",
}


def describe(db: RanDB, located: Located, object_id: str) -> dict[str, Any]:
    if located.kind == "hub":
        return _hub(db)
    if located.site is None:
        port: Port = located.thing
        return {"id": port.id, "kind": "hub port", "hub": db.hub.id, "sites": list(port.carries)}
    if located.kind == "site":
        return _site(db, located.site)
    about: dict[str, Any] = {"id": object_id, "kind": located.kind, "site": located.site.id}
    if located.sector:
        about["sector"] = located.sector
        about |= {k: v for k, v in _sector(located.site, located.sector).items() if v != object_id}
    elif located.kind == "link":
        link = db.links[located.site.id]
        about |= {"a": link.a, "b": link.b, "length_m": link.length_m}
    return about


def _hub(db: RanDB) -> dict[str, Any]:
    ports = {p.id: ("trunk" if n == 0 else p.carries[0]) for n, p in enumerate(db.hub.ports)}
    return {"id": db.hub.id, "kind": "hub", "sites": list(db.sites), "ports": ports}


def _site(db: RanDB, site: Site) -> dict[str, Any]:
    link = db.links[site.id]
    return {
        "id": site.id,
        "name": site.name,
        "priority": site.priority,
        "hub": site.parent_hub,
        "trunk": db.hub.ports[0].id,
        "hub_port": link.a,
        "link": link.id,
        "ring": site.ring,
        "sectors": [_sector(site, cell.sector) for cell in site.cells],
        "parts": {name: part(site.id, suffix) for name, suffix in _SITE_PARTS.items()},
        "fans": [fan.id for fan in site.climate.fans],
        "rectifiers": [module.id for module in site.power.rectifiers],
    }


def _sector(site: Site, sector: int) -> dict[str, str]:
    return {name: part(site.id, suffix, sector) for name, suffix in _SECTOR_PARTS.items()}
