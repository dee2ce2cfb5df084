"""Where a script repairs, and with which parts: what edits of repairs share.

In: a case of the base-station world. Out: positions in its script; scripts with parts given along.
"""

from __future__ import annotations

import re

from telejudge_judges.corruption.base_station import Ground
from telejudge_judges.corruption.script import Case, Script

SECTOR = re.compile(r"-(C|R|O|A|T|FD)(\d)")
"""The sector in an object's id."""

PARTS = {"replace_fibre": "fibre"}
"""Parts that a tool takes out of the van without being told which."""


def repairs(case: Case) -> list[int]:
    """Positions of writes that cured what was known to be broken."""
    return case.where(lambda _, s: s.label is not None and (s.label.target_probability or 0) >= 0.9)


def supplied(case: Case, script: Script, at: int, kind: str | None) -> Script:
    """The same script with one more part of a type given along for the work at a position."""
    sent = [i for i, slot in enumerate(script[:at]) if slot.tool == "dispatch_technician"]
    if kind is None or not sent:
        return script
    parts = list(script[sent[-1]].arguments.get("parts") or ())
    ground: Ground = case.extra
    free = [s.id for s in ground.db.spares if s.type == kind and not s.used and s.id not in parts]
    if not free:
        return script
    given = script[sent[-1]].with_(parts=[*parts, free[0]])
    return (*script[: sent[-1]], given, *script[sent[-1] + 1 :])
