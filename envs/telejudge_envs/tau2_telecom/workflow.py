"""tau2-Telecom's policy as tables: what each tool shows, what each write is for, what is healthy.

In: a tool's name, arguments, the watched state. Out: paths, ranks, broken rules. Sources: "policy"
is main_policy(_solo).md, "workflow" is tech_support_workflow(_solo).md, "tools" the code of
domains/telecom/{tools,user_tools}.py, all of tau2 26.3. Nothing here comes from the tasks' gold
lists.

    rank("device.airplane_mode", True, abroad=False) -> 0            (faulty: workflow 1.1)
    WRITES["toggle_airplane_mode"].targets -> ("device.airplane_mode",)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from telejudge_envs.conventions import FAULTY, State

TODAY = "2025-02-25"
"""policy: "The current time is 2025-02-25 12:08:00 EST"."""

MOST_REFUEL_GB = 2.0
"""policy, Data Refueling: "The maximum amount of data that can be refueled is 2GB"."""

ID_ARGUMENTS = frozenset({"customer_id", "line_id", "bill_id", "id", "phone_number", "full_name"})

EXCEEDED = "surroundings.mobile_data_usage_exceeded"
REQUEST = "surroundings.payment_request"
SERVICE, DATA, MMS = "symptom.service", "symptom.data", "symptom.mms"

_PHONE = "device."
_APN = "device.active_apn_settings."
_ON, _OFF = {True: 1, False: FAULTY}, {True: FAULTY, False: 1}

RANKS: Mapping[str, Mapping[Any, int]] = {
    "device.airplane_mode": _OFF,  # workflow 1.1
    "device.sim_card_missing": _OFF,  # workflow 1.2
    "device.data_enabled": _ON,  # workflow 2.1.3
    "device.data_saver_mode": _OFF,  # workflow 2.2.1
    "device.vpn_connected": _OFF,  # workflow 2.2.3
    "device.wifi_calling_enabled": _OFF,  # workflow 3.4
    "device.network_mode_preference": {  # workflow 2.2.2, 3.3: newer is better
        "2g_only": FAULTY,
        "3g_only": 1,
        "4g_only": 2,
        "4g_5g_preferred": 3,
    },
    _APN + "apn_name": {"broken": FAULTY, "internet": 1},  # tools: simulate_network_search
    "device.app_statuses.messaging.permissions.sms": _ON,  # workflow 3.5
    "device.app_statuses.messaging.permissions.storage": _ON,  # workflow 3.5
    EXCEEDED: _OFF,  # workflow 2.1.4
    "device.network_connection_status": {"no_service": FAULTY, "searching": FAULTY, "connected": 1},
}

BILL_RANKS = {"Overdue": FAULTY, "Awaiting Payment": 1, "Paid": 2}  # policy, Overdue Bill Payment
LINE_RANKS = {"Suspended": FAULTY, "Pending Activation": FAULTY, "Active": 1}  # Line Suspension


def rank(path: str, value: Any, *, abroad: bool) -> int | None:
    """How healthy a value is; roaming matters only abroad (workflow 2.1.2, policy Data Roaming)."""
    if path in RANKS:
        return RANKS[path].get(value)
    if path == _APN + "mmsc_url":  # workflow 3.6
        return 1 if value else FAULTY
    if path.endswith(".roaming_enabled"):
        return _ON.get(value) if abroad else None
    if path.endswith(".status"):
        ranks = BILL_RANKS if path.startswith("bills.") else LINE_RANKS
        return ranks.get(value)
    return None


def derived(path: str) -> bool:
    """Paths that tools recompute from others (tools: simulate_network_search, sync_tools)."""
    return path.startswith(("device.network_", "surroundings.")) and path not in {
        "device.network_mode_preference",
        EXCEEDED,
    }


@dataclass(frozen=True)
class WriteRule:
    """`targets`: paths the write is meant to repair. `checks`: alternatives of paths to have seen
    before (empty: the targets). `confirms`: paths the policy wants read afterwards."""

    targets: tuple[str, ...] = ()
    checks: tuple[tuple[str, ...], ...] = ()
    confirms: tuple[str, ...] = ()


_LINE = "lines.{line_id}."
_GRANT = "device.app_statuses.{app_name}.permissions.{permission}"
_APN_PATHS = (_APN + "apn_name", _APN + "mmsc_url")
_NO_SERVICE = (
    "device.airplane_mode",
    "device.sim_card_missing",
    "device.network_connection_status",
)

WRITES: Mapping[str, WriteRule] = {
    "toggle_airplane_mode": WriteRule(("device.airplane_mode",)),
    "reseat_sim_card": WriteRule(("device.sim_card_missing",)),
    "toggle_data": WriteRule(("device.data_enabled",)),
    "toggle_roaming": WriteRule(("device.roaming_enabled",)),
    "toggle_data_saver_mode": WriteRule(("device.data_saver_mode",)),
    "disconnect_vpn": WriteRule(("device.vpn_connected",)),
    "connect_vpn": WriteRule(checks=(("device.vpn_connected",),)),
    "toggle_wifi": WriteRule(checks=(("device.wifi_enabled",),)),
    "toggle_wifi_calling": WriteRule(("device.wifi_calling_enabled",)),
    # workflow 2.2.2 looks at the preference, 3.3 at the network the phone is on
    "set_network_mode_preference": WriteRule(
        ("device.network_mode_preference",),
        (("device.network_mode_preference",), ("device.network_technology_connected",)),
    ),
    "grant_app_permission": WriteRule((_GRANT,)),
    "set_apn_settings": WriteRule(_APN_PATHS),
    # workflow 3.6 after a look at the settings; 1.3 without one, when service is still missing
    "reset_apn_settings": WriteRule(_APN_PATHS, (_APN_PATHS, _NO_SERVICE)),
    "reboot_device": WriteRule(),
    # workflow 2.1.2
    "enable_roaming": WriteRule((_LINE + "roaming_enabled",)),
    "disable_roaming": WriteRule(checks=((_LINE + "roaming_enabled",),)),
    # workflow 2.1.4: usage against the plan's limit, in one read or in two
    "refuel_data": WriteRule(
        (EXCEEDED,), ((EXCEEDED,), (_LINE + "data_used_gb", "plans.{plan_id}.data_limit_gb"))
    ),
    # policy, Line Suspension: the contract's end must be known before lifting it
    "resume_line": WriteRule(
        (_LINE + "status",), ((_LINE + "status", _LINE + "contract_end_date"),)
    ),
    "suspend_line": WriteRule(checks=((_LINE + "status",),)),
    # policy, Overdue Bill Payment: bill overdue? request seen? paid?
    "send_payment_request": WriteRule(("bills.{bill_id}.status",)),
    "make_payment": WriteRule((REQUEST,), confirms=("bills.{requested_bill}.status",)),
}

_LINE_FACTS = (
    "status",
    "roaming_enabled",
    "data_used_gb",
    "data_refueling_gb",
    "contract_end_date",
    "plan_id",
)
_NETWORK = (
    "device.airplane_mode",
    "device.network_connection_status",
    "device.network_technology_connected",
    "device.data_enabled",
    "device.roaming_enabled",
    "device.wifi_enabled",
    SERVICE,
)

SHOWS: Mapping[str, tuple[str, ...]] = {
    "check_network_status": _NETWORK,
    "check_network_mode_preference": ("device.network_mode_preference",),
    "check_data_restriction_status": ("device.data_saver_mode",),
    "check_apn_settings": _APN_PATHS,
    "check_wifi_status": ("device.wifi_enabled",),
    "check_wifi_calling_status": ("device.wifi_calling_enabled",),
    "check_vpn_status": ("device.vpn_connected",),
    "run_speed_test": (DATA,),
    "can_send_mms": (MMS,),
    "check_payment_request": (REQUEST,),
    "get_data_usage": (EXCEEDED, _LINE + "data_used_gb", _LINE + "data_refueling_gb"),
    # a write's own result tells the new value
    "toggle_airplane_mode": ("device.airplane_mode",),
    "reseat_sim_card": ("device.sim_card_missing",),
    "toggle_data": ("device.data_enabled",),
    "toggle_roaming": ("device.roaming_enabled",),
    "toggle_data_saver_mode": ("device.data_saver_mode",),
    "toggle_wifi": ("device.wifi_enabled",),
    "toggle_wifi_calling": ("device.wifi_calling_enabled",),
    "set_network_mode_preference": ("device.network_mode_preference",),
    "connect_vpn": ("device.vpn_connected",),
    "disconnect_vpn": ("device.vpn_connected",),
    "grant_app_permission": (_GRANT,),
    "enable_roaming": (_LINE + "roaming_enabled",),
    "disable_roaming": (_LINE + "roaming_enabled",),
    "refuel_data": (_LINE + "data_refueling_gb", EXCEEDED),
    "resume_line": tuple(_LINE + fact for fact in _LINE_FACTS),
    "suspend_line": tuple(_LINE + fact for fact in _LINE_FACTS),
    "send_payment_request": ("bills.{bill_id}.status",),
}


def seen_in_sim(state: State) -> Iterator[str]:
    """A missing card hides whether it is locked (tools: _check_sim_status)."""
    yield "device.sim_card_missing"
    if not state["device.sim_card_missing"]:
        yield "device.sim_card_status"


def seen_in_bar(state: State) -> Iterator[str]:
    """What the status bar tells depends on the state (tools: _check_status_bar)."""
    yield from ("device.airplane_mode", "device.vpn_connected", SERVICE)
    if state["device.airplane_mode"]:
        return
    yield from ("device.network_connection_status", "device.network_technology_connected")
    if state["device.network_technology_connected"] != "none":
        yield "device.data_enabled"
        if state["device.data_enabled"]:
            yield "device.data_saver_mode"


def seen_in_details(object_id: str) -> Iterator[str]:
    """get_details_by_id shows a whole object; its first letter says which kind (tools)."""
    if object_id.startswith("L"):
        yield from (f"lines.{object_id}.{fact}" for fact in _LINE_FACTS)
    elif object_id.startswith("B"):
        yield f"bills.{object_id}.status"
    elif object_id.startswith("P"):
        yield f"plans.{object_id}.data_limit_gb"
    elif object_id.startswith("C"):
        yield f"customers.{object_id}"


def blockers(state: State, line_id: str) -> tuple[str, ...]:
    """Paths that put a task out of the agent's reach; decided from the state alone.

    workflow 1.2: a SIM locked by PIN or PUK goes to technical support. policy, Line Suspension:
    "You are not allowed to lift the suspension if the line's contract end date is in the past".
    """
    found = []
    if str(state["device.sim_card_status"]).startswith("locked"):
        found.append("device.sim_card_status")
    if state[f"lines.{line_id}.status"] == "Suspended" and contract_over(state, line_id):
        found.append(f"lines.{line_id}.contract_end_date")
    return tuple(found)


def contract_over(state: State, line_id: str) -> bool:
    end = state.get(f"lines.{line_id}.contract_end_date")
    return end is not None and str(end)[:10] < TODAY
