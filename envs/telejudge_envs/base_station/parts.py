"""Object ids: how they are made, and how the object behind one is found.

    part("K042", "C", 1)            -> "K042-C1"
    locate(db, "K042-C1")           -> Located(kind="cell", site=…, sector=1, thing=Cell(…))

| suffix | object |          | suffix | object |
|---|---|---|---|---|
| C1..   | cell             || P      | the site's transport port |
| R1..   | radio unit (RRU) || NG     | N2 end point and tracking area |
| O1..   | CPRI fibre of an RRU || GNSS, PTP | clock references |
| A1..   | antenna line     || BM, BB | main board, baseband board |
| T1..   | RET unit         || FAN1.. | fans |
| FD1..  | breaker of an RRU's feed || RE1.. | rectifiers |
| AC     | air conditioner  || AC0    | mains input |
| LIC    | licence          || L      | fibre from hub to site |
On a hub, `P0` is the trunk and `P1`.. are the ports towards single sites.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from telejudge_envs.base_station.state import RanDB, Site

_SINGLE = {
    "P": "port",
    "NG": "gnb",
    "GNSS": "gnss",
    "PTP": "ptp",
    "BM": "main",
    "BB": "baseband",
    "AC": "aircon",
    "AC0": "mains",
    "LIC": "licence",
    "L": "link",
}
_NUMBERED = {
    "FAN": "fan",
    "FD": "feed",
    "RE": "rectifier",
    "C": "cell",
    "R": "rru",
    "O": "cpri",
    "A": "line",
    "T": "ret",
}


class Located(NamedTuple):
    """`site` is None for hubs and hub ports; `sector` is 0 for what belongs to no sector."""

    kind: str
    site: Site | None
    sector: int
    thing: Any


def part(site: str, suffix: str, number: int | None = None) -> str:
    return f"{site}-{suffix}" if number is None else f"{site}-{suffix}{number}"


def locate(db: RanDB, object_id: str) -> Located | None:
    """The object of that id, or None."""
    if object_id in db.sites:
        return Located("site", db.sites[object_id], 0, db.sites[object_id])
    if object_id == db.hub.id:
        return Located("hub", None, 0, db.hub)
    owner, _, suffix = object_id.rpartition("-")
    if owner == db.hub.id:
        port = next((p for p in db.hub.ports if p.id == object_id), None)
        return None if port is None else Located("hub_port", None, 0, port)
    site = db.sites.get(owner)
    if site is None:
        return None
    if suffix in _SINGLE:
        return Located(_SINGLE[suffix], site, 0, _single(db, site, _SINGLE[suffix]))
    letters = suffix.rstrip("0123456789")
    kind = _NUMBERED.get(letters)
    if kind is None or letters == suffix:
        return None
    number = int(suffix[len(letters) :])
    things = _numbered(site, kind)
    if not 1 <= number <= len(things) or suffix != f"{letters}{number}":
        return None
    return Located(kind, site, 0 if kind in ("fan", "rectifier") else number, things[number - 1])


def _single(db: RanDB, site: Site, kind: str) -> Any:
    if kind == "link":
        return db.links[site.id]
    return {
        "port": site.port,
        "gnb": site.gnb,
        "gnss": site.clock,
        "ptp": site.clock,
        "main": site.main,
        "baseband": site.baseband,
        "aircon": site.climate,
        "mains": site.power,
        "licence": site.licence,
    }[kind]


def _numbered(site: Site, kind: str) -> list[Any]:
    return {
        "fan": site.climate.fans,
        "feed": site.rrus,
        "rectifier": site.power.rectifiers,
        "cell": site.cells,
        "rru": site.rrus,
        "cpri": site.rrus,
        "line": site.lines,
        "ret": site.rets,
    }[kind]
