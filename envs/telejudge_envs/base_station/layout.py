"""A healthy network of a given topology: the state before any fault.

In: a Layout. Out: a RanDB that agrees with its own plan.

    healthy(Layout(topology="star", split="train", seed=7)).sites.keys()

| topology | what it is |
|---|---|
| single | hub router, one gNB with three NR cells |
| star | a hub trunk with four gNBs behind it |
| ring | three gNBs on a ring: a cut fibre isolates nobody |
| mixed | one gNB with two NR cells and an LTE cell |
| gnss_only | one gNB without PTP |
| leased | one gNB whose backhaul belongs to somebody else |
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal

from telejudge_envs.base_station import names
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import Priority, RanDB

Topology = Literal["single", "star", "ring", "mixed", "gnss_only", "leased"]
SITES = {"single": 1, "star": 4, "ring": 3, "mixed": 1, "gnss_only": 1, "leased": 1}
SECTORS = 3

LICENCE_KEYS = 2
PARTS = ("rectifier", "fan", "baseband", "rru", "sfp", "cpri_sfp", "fibre", "gnss_antenna", "ret")
"""Spare types: what modules are replaced with. Splices and connectors need tools only."""


@dataclass(frozen=True)
class Layout:
    """`hour`: when the ticket comes (0..23). `missing`: spare types that are out of stock."""

    topology: Topology
    split: str
    seed: int
    hour: int = 10
    priority: Priority = "normal"
    missing: tuple[str, ...] = ()
    holdover_lost: bool = False
    """The main board was restarted lately, so that a clock without GNSS is worthless at once."""


def healthy(layout: Layout) -> RanDB:
    """Build and validate. The first site is the focus: faults are put there."""
    dice = random.Random(f"layout|{layout.split}|{layout.seed}")
    count = SITES[layout.topology]
    hub = names.hub_id(layout.split, dice)
    ids = names.site_ids(layout.split, dice, count)
    named = names.places(layout.split, dice, count)
    sites = {
        site: _site(layout, dice, site, name, hub, ids, number)
        for number, (site, name) in enumerate(zip(ids, named, strict=True))
    }
    started = layout.hour * 60 + 5 * dice.randrange(12)
    db: dict[str, Any] = {
        "seed": layout.seed,
        "topology": layout.topology,
        "focus": ids[0],
        "clock_min": started,
        "started_min": started,
        "hub": _hub(hub, sites),
        "sites": sites,
        "links": {s: _link(layout, dice, s, hub, n) for n, s in enumerate(ids)},
        "plan": _plan(sites),
        "spares": _spares(layout, dice),
        "technicians": _technicians(dice),
        "licence_pool": [f"LK-{dice.randrange(1000, 10000)}" for _ in range(LICENCE_KEYS)],
    }
    return RanDB.model_validate(db)


def _site(
    layout: Layout,
    dice: random.Random,
    site: str,
    name: str,
    hub: str,
    ids: list[str],
    number: int,
) -> dict[str, Any]:
    sectors = range(1, SECTORS + 1)
    net = dice.randrange(10, 250)
    mixed = layout.topology == "mixed"
    return {
        "id": site,
        "name": name,
        "priority": layout.priority if number == 0 else "normal",
        "parent_hub": hub,
        "ring": layout.topology == "ring",
        "power": {
            "load_w": 100 * dice.randrange(24, 33),
            "rectifiers": [{"id": part(site, "RE", i)} for i in (1, 2)],
            "breakers": {part(site, "FD", i): True for i in sectors},
            "battery_ah": 100 * dice.randrange(6, 9),
            "fuel_pct": dice.randrange(50, 100),
        },
        "climate": {
            "ambient_c": float(dice.randrange(18, 25)),
            "fans": [{"id": part(site, "FAN", i)} for i in (1, 2)],
        },
        "port": {
            "id": part(site, "P"),
            "sfp_rx_dbm": -4.0 - dice.randrange(5),
            "vlan": 100 + dice.randrange(300),
            "gateway": f"10.{net}.0.1",
            "carries": [site],
        },
        "gnb": {
            "id": part(site, "NG"),
            "localAddress": f"10.{net}.0.{dice.randrange(10, 90)}",
            "remoteAddress": f"10.9.0.{dice.randrange(10, 90)}",
            "nRTAC": dice.randrange(100, 900),
        },
        "clock": {
            "sats": dice.randrange(8, 14),
            "ptp_fitted": layout.topology != "gnss_only",
            "ptp_locked": layout.topology != "gnss_only",
            "holdover_lost": layout.holdover_lost and number == 0,
        },
        "main": {"id": part(site, "BM"), "type": "main"},
        "baseband": {"id": part(site, "BB"), "type": "baseband"},
        "rrus": [
            {
                "id": part(site, "R", i),
                "feed": part(site, "FD", i),
                "cpri": part(site, "O", i),
                "rx_bbu_dbm": -4.0 - dice.randrange(4),
                "rx_rru_dbm": -4.0 - dice.randrange(4),
            }
            for i in sectors
        ],
        "lines": [
            {"id": part(site, "A", i), "vswr": round(1.15 + dice.randrange(20) / 100, 2)}
            for i in sectors
        ],
        "rets": [{"id": part(site, "T", i), "tilt": float(dice.randrange(4, 9))} for i in sectors],
        "cells": _cells(dice, site, ids, number, mixed),
        "licence": {"id": part(site, "LIC"), "key": f"LK-{dice.randrange(1000, 10000)}"},
    }


def _cells(
    dice: random.Random, site: str, ids: list[str], number: int, mixed: bool
) -> list[dict[str, Any]]:
    """PCIs of one site follow each other, those of several sites differ modulo 16.

    Neighbours: the two other sectors, the next site's sector (or one only known by name)."""
    cells = []
    first = dice.randrange(0, 30) * 16 + 4 * number
    if len(ids) > 1:
        beyond = ids[(number + 1) % len(ids)]
    else:
        beyond = f"{ids[0][0]}{dice.randrange(10, 99)}"
    for i in range(1, SECTORS + 1):
        lte = mixed and i == SECTORS
        others = [part(site, "C", j) for j in range(1, SECTORS + 1) if j != i]
        cells.append(
            {
                "id": part(site, "C", i),
                "sector": i,
                "rat": "LTE" if lte else "NR",
                "nrPci": first + i,
                "arfcnDL": 1300 if lte else 636_666,
                "bSChannelBwDL": 20 if lte else 100,
                "load": round(0.2 + dice.randrange(45) / 100, 2),
                "relations": [{"adjacentNRCellRef": n} for n in (*others, part(beyond, "C", i))],
            }
        )
    return cells


def _plan(sites: dict[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = {}
    for site in sites.values():
        plan[f"{site['port']['id']}.vlan"] = site["port"]["vlan"]
        for name in ("remoteAddress", "nRTAC", "localAddress", "plmn"):
            plan[f"{site['gnb']['id']}.{name}"] = site["gnb"].get(name, "001-01")
        for ret in site["rets"]:
            plan[f"{ret['id']}.tilt"] = ret["tilt"]
        for cell in site["cells"]:
            plan[f"{cell['id']}.nrPci"] = cell["nrPci"]
            plan[f"{cell['id']}.configuredMaxTxPower"] = 46
            plan[f"{cell['id']}.relations"] = [r["adjacentNRCellRef"] for r in cell["relations"]]
    known = [key for key in plan if key.endswith(".relations")]
    for neighbour in sorted({n for key in known for n in plan[key]}):
        plan.setdefault(f"{neighbour}.nrPci", 490 + int(neighbour[-1]))
    return plan


def _hub(hub: str, sites: dict[str, Any]) -> dict[str, Any]:
    ports = [{"id": part(hub, "P", 0), "carries": list(sites)}]
    ports += [{"id": part(hub, "P", n), "carries": [s]} for n, s in enumerate(sites, start=1)]
    return {"id": hub, "ports": ports}


def _link(layout: Layout, dice: random.Random, site: str, hub: str, number: int) -> dict[str, Any]:
    return {
        "id": part(site, "L"),
        "a": part(hub, "P", number + 1),
        "b": part(site, "P"),
        "owner": "leased" if layout.topology == "leased" else "own",
        "length_m": 100 * dice.randrange(20, 90),
    }


def _spares(layout: Layout, dice: random.Random) -> list[dict[str, Any]]:
    """Two of each type, so that a technician may take one for each of two faults."""
    ids = dice.sample(range(100, 1000), 2 * len(PARTS))
    return [
        {"id": f"SP{number}", "type": kind}
        for number, kind in zip(ids, [k for k in PARTS for _ in range(2)], strict=True)
        if kind not in layout.missing
    ]


def _technicians(dice: random.Random) -> list[dict[str, Any]]:
    first, second = dice.sample(("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana"), 2)
    numbers = dice.sample(range(10, 100), 2)
    return [
        {"id": f"TE{numbers[0]}", "name": first, "certs": ["power", "rf", "tower"]},
        {"id": f"TE{numbers[1]}", "name": second, "certs": ["power"], "travel_min": 90},
    ]
