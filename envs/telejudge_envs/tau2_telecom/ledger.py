"""What a call changed: two dumps of the state in, ledger entries out.

    changes({"lines": [{"line_id": "L1", "status": "Active"}]}, …) -> [Change("lines.L1.status", …)]

List members that carry an id (`line_id`, `bill_id`, …) are addressed by it, others by index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import to_jsonable_python

from telejudge_envs.nouns.trajectory import Change

_ID_OF = {
    "plans": "plan_id",
    "customers": "customer_id",
    "lines": "line_id",
    "bills": "bill_id",
    "devices": "device_id",
}
_ABSENT = object()


def changes(before: dict[str, Any], after: dict[str, Any], call_id: str) -> tuple[Change, ...]:
    """Every leaf that differs, in path order; an absent side is None."""
    if before == after:
        return ()
    return tuple(
        Change(path=path, before=_plain(old), after=_plain(new), call_id=call_id)
        for path, old, new in _differences("", before, after)
    )


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if type(old) is type(new) and old == new:
        return
    key = path.rpartition(".")[2]
    if isinstance(old, list) and isinstance(new, list) and key in _ID_OF:
        old = {item[_ID_OF[key]]: item for item in old}
        new = {item[_ID_OF[key]]: item for item in new}
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(n for n in new if n not in old)]:
            name_path = f"{path}.{_plain(name)}" if path else str(name)
            yield from _differences(name_path, old.get(name, _ABSENT), new.get(name, _ABSENT))
    else:
        yield path, old, new


def _plain(value: Any) -> Any:
    return None if value is _ABSENT else to_jsonable_python(value)
