"""What can be seen of every site right now: the effects of physics.py, computed once per change.

    observe(db)[db.focus]["reach"]    -> 1 while the node answers

In: a RanDB. Out: for every site a bit per effect. All reads go through here, so that many of them
cost one evaluation. A caller that changed the state without counting up `db.version` (injections,
tests) calls `forget(db)` first. Nobody may change what is returned.
"""

from __future__ import annotations

from collections.abc import Mapping

from telejudge_envs.base_station.kept import forget, recall
from telejudge_envs.base_station.physics import seen_at
from telejudge_envs.base_station.state import RanDB

__all__ = ["forget", "observe", "site_of"]


def observe(db: RanDB) -> dict[str, Mapping[str, int]]:
    """Effects by site id; each is 0 or 1."""
    return recall(db, "effects", lambda: _observe(db))


def _observe(db: RanDB) -> dict[str, Mapping[str, int]]:
    return {site: seen_at(db, site) for site in db.sites}


def site_of(object_id: str) -> str:
    """The owner in an object id: `K042` of `K042-C1` and of `K042`."""
    return object_id.rpartition("-")[0] or object_id
