"""tau2's databases in the ledger: which of their lists are addressed by which id.

changes({"lines": [{"line_id": "L1", "status": "Active"}]}, …) -> [Change("lines.L1.status", …)]
"""

from __future__ import annotations

from typing import Any

from telejudge_envs import ledger
from telejudge_envs.nouns.trajectory import Change

_ID_OF = {
    "plans": "plan_id",
    "customers": "customer_id",
    "lines": "line_id",
    "bills": "bill_id",
    "devices": "device_id",
}


def changes(before: dict[str, Any], after: dict[str, Any], call_id: str) -> tuple[Change, ...]:
    """Every leaf that differs, in path order; an absent side is None."""
    return ledger.changes(before, after, call_id, _ID_OF)
