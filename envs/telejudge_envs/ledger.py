"""What a call changed: two dumps of a state in, ledger entries out.

    changes({"lines": [{"line_id": "L1", "status": "Active"}]}, …, "c1", {"lines": "line_id"})
    -> (Change("lines.L1.status", …),)

List members that carry an id are addressed by it (`id_of`: list to id name), others as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from telejudge_envs.nouns.trajectory import Change

_ABSENT = object()


def changes(
    before: dict[str, Any], after: dict[str, Any], call_id: str, id_of: Mapping[str, str]
) -> tuple[Change, ...]:
    """Every leaf that differs, in path order; an absent side is None."""
    if before == after:
        return ()
    return tuple(
        Change(path=path, before=_plain(old), after=_plain(new), call_id=call_id)
        for path, old, new in _differences("", before, after, id_of)
    )


def _differences(
    path: str, old: Any, new: Any, id_of: Mapping[str, str]
) -> Iterator[tuple[str, Any, Any]]:
    """Leaves below `path` that differ, given that `old` and `new` do."""
    key = path.rpartition(".")[2]
    if key in id_of and isinstance(old, list) and isinstance(new, list):
        old = {item[id_of[key]]: item for item in old}
        new = {item[id_of[key]]: item for item in new}
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield path, old, new
        return
    for name in old if old.keys() == new.keys() else [*old, *(n for n in new if n not in old)]:
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if type(before) is not type(after) or before != after:
            name_path = f"{path}.{_plain(name)}" if path else str(name)
            yield from _differences(name_path, before, after, id_of)


def _plain(value: Any) -> Any:
    return None if value is _ABSENT else to_jsonable_python(value)
