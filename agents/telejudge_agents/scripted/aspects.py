"""What can be wrong in tau2-Telecom, as a table: how to look, how a fault shows, how it is mended.

ASPECTS["wifi_calling"].check(case)  -> Call("check_wifi_calling_status")
ASPECTS["wifi_calling"].faulty(case) -> True if that reading said it is on
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telejudge_agents.scripted.base import Call
from telejudge_agents.scripted.case import Case

Make = Callable[[Case], Call]
Test = Callable[[Case], bool]


def plain(tool: str, **arguments: Any) -> Make:
    """A call that is the same in every case."""
    call = Call(tool, arguments)
    return lambda case: call


def on_line(tool: str) -> Make:
    """A call about the customer's line."""
    return lambda case: Call(tool, case.line_key)


def always(case: Case) -> bool:
    return True


@dataclass(frozen=True)
class Aspect:
    """`fact` is what `check` tells (or another reading already told); `blocks` means that the
    policy forbids the agent to mend it, so the case is handed over; `needs_line` that it can be
    looked at only once the customer's line is found."""

    name: str
    fact: str
    check: Make
    faulty: Test
    fix: tuple[Make, ...] = ()
    verify: Make | None = None
    relevant: Test = always
    blocks: bool = False
    needs_line: bool = False


network = plain("check_network_status")
line_details: Make = lambda case: Call("get_details_by_id", {"id": case.line_key["line_id"]})  # noqa: E731
bills: Make = lambda case: Call("get_bills_for_customer", {"customer_id": case.customer})  # noqa: E731
speed = plain("run_speed_test")


def _first_overdue(case: Case) -> str:
    return next(iter(case.facts.get("overdue", ())), "")


def _suspended(case: Case) -> bool:
    return (case.line or {}).get("status") == "Suspended"


def _missing_permission(name: str) -> Test:
    return lambda case: name not in case.facts.get("permissions", {name})


def _permission(name: str) -> Aspect:
    shows = plain("check_app_permissions", app_name="messaging")
    return Aspect(
        f"{name}_permission",
        "permissions",
        shows,
        _missing_permission(name),
        fix=(plain("grant_app_permission", app_name="messaging", permission=name),),
        verify=shows,
    )


_APN_FIX = (plain("reset_apn_settings"), plain("reboot_device"))

_ALL = (
    Aspect(
        "airplane_mode",
        "airplane",
        network,
        lambda c: c.facts["airplane"],
        fix=(plain("toggle_airplane_mode"),),
        verify=network,
    ),
    Aspect(
        "sim_missing",
        "sim",
        network,
        lambda c: c.facts["sim"] == "missing",
        fix=(plain("reseat_sim_card"),),
        verify=network,
    ),
    Aspect(
        "sim_locked",
        "sim",
        network,
        lambda c: c.facts["sim"].startswith("locked"),
        blocks=True,
    ),
    Aspect(
        "apn_broken",
        "apn_broken",
        plain("check_apn_settings"),
        lambda c: c.facts["apn_broken"],
        fix=_APN_FIX,
        verify=plain("check_apn_settings"),
        relevant=lambda c: c.no_service,
    ),
    Aspect(
        "contract_over",
        "line",
        line_details,
        lambda c: _suspended(c) and c.contract_over,
        relevant=lambda c: c.no_service,
        blocks=True,
        needs_line=True,
    ),
    Aspect(
        "payment_not_allowed",
        "overdue",
        bills,
        lambda c: bool(c.facts["overdue"]) and not c.may_pay,
        relevant=lambda c: c.no_service and _suspended(c),
        blocks=True,
    ),
    Aspect(
        "overdue_bill",
        "overdue",
        bills,
        lambda c: bool(c.facts["overdue"]),
        fix=(
            lambda c: Call(
                "send_payment_request", {"customer_id": c.customer, "bill_id": _first_overdue(c)}
            ),
            plain("check_payment_request"),
            plain("make_payment"),
        ),
        verify=lambda c: Call("get_details_by_id", {"id": _first_overdue(c)}),
        relevant=lambda c: c.no_service and _suspended(c),
    ),
    Aspect(
        "line_suspended",
        "line",
        line_details,
        lambda c: _suspended(c),
        fix=(on_line("resume_line"), plain("reboot_device")),
        verify=network,
        relevant=lambda c: c.no_service,
        needs_line=True,
    ),
    Aspect(
        "phone_roaming",
        "roaming",
        network,
        lambda c: not c.facts["roaming"],
        fix=(plain("toggle_roaming"),),
        verify=network,
        relevant=lambda c: c.abroad,
    ),
    Aspect(
        "mobile_data",
        "data",
        network,
        lambda c: not c.facts["data"],
        fix=(plain("toggle_data"),),
        verify=network,
    ),
    Aspect(
        "line_roaming",
        "line",
        line_details,
        lambda c: not (c.line or {}).get("roaming_enabled", True),
        fix=(on_line("enable_roaming"),),
        verify=line_details,
        relevant=lambda c: c.abroad,
        needs_line=True,
    ),
    Aspect(
        "data_usage",
        "usage_exceeded",
        on_line("get_data_usage"),
        lambda c: c.facts["usage_exceeded"],
        fix=(lambda c: Call("refuel_data", c.line_key | {"gb_amount": c.refuel_gb}),),
        verify=on_line("get_data_usage"),
        needs_line=True,
    ),
    Aspect(
        "data_saver",
        "saver",
        plain("check_data_restriction_status"),
        lambda c: c.facts["saver"],
        fix=(plain("toggle_data_saver_mode"),),
        verify=speed,
    ),
    Aspect(
        "network_mode",
        "mode",
        plain("check_network_mode_preference"),
        lambda c: "5g" not in c.facts["mode"],
        fix=(plain("set_network_mode_preference", mode="4g_5g_preferred"),),
        verify=speed,
    ),
    Aspect(
        "vpn",
        "vpn",
        plain("check_vpn_status"),
        lambda c: c.facts["vpn"],
        fix=(plain("disconnect_vpn"),),
        verify=speed,
    ),
    Aspect(
        "network_type",
        "network_type",
        network,
        lambda c: c.facts["network_type"] == "2G",
        fix=(plain("set_network_mode_preference", mode="4g_5g_preferred"),),
        verify=network,
    ),
    Aspect(
        "wifi_calling",
        "wifi_calling",
        plain("check_wifi_calling_status"),
        lambda c: c.facts["wifi_calling"],
        fix=(plain("toggle_wifi_calling"),),
        verify=plain("check_wifi_calling_status"),
    ),
    _permission("storage"),
    _permission("sms"),
    Aspect(
        "mmsc",
        "mmsc",
        plain("check_apn_settings"),
        lambda c: not c.facts["mmsc"],
        fix=_APN_FIX,
        verify=plain("check_apn_settings"),
    ),
)

ASPECTS: dict[str, Aspect] = {aspect.name: aspect for aspect in _ALL}
