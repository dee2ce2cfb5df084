"""The workflow of tau2-Telecom as paths: in which order the aspects are looked at.

This and aspects.py are the only places that know the domain; engineer.py walks them.

    PATHS["service"][0].aspects[0].name  -> "airplane_mode"
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_agents.scripted.aspects import ASPECTS, Aspect, Test, always


@dataclass(frozen=True)
class Path:
    """Aspects in order. After a path in which something was mended the goal is read again."""

    aspects: tuple[Aspect, ...]
    relevant: Test = always


def _path(names: str, relevant: Test = always) -> Path:
    return Path(tuple(ASPECTS[name] for name in names.split()), relevant)


_SERVICE = (
    "airplane_mode sim_missing sim_locked apn_broken contract_over payment_not_allowed "
    "overdue_bill line_suspended"
)
_ONLINE = "phone_roaming mobile_data line_roaming data_usage"
_SPEED = "data_saver network_mode vpn"
_MMS = "network_type wifi_calling storage_permission sms_permission mmsc"

PATHS: dict[str, tuple[Path, ...]] = {
    "service": (_path(_SERVICE),),
    "data": (
        _path(f"{_SERVICE} {_ONLINE}", lambda c: not c.facts.get("online", False)),
        _path(_SPEED),
    ),
    "mms": (_path(f"{_SERVICE} {_ONLINE} {_MMS}"),),
}
"""By the goal's name, as in tau2's tech_support_workflow_solo.md (its paths 1, 2.1, 2.2, 3)."""
