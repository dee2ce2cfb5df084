"""What a tool's result says, as facts.

In: a call and the text of its result. Out: facts by name, for instance

    read("check_network_status", {}, "Airplane Mode: ON\\nSIM Card Status: active\\n…")
    -> {"airplane": True, "sim": "active", "connected": False, …}

Wording as in tau2 26.3 (domains/telecom/user_tools.py, tools.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Facts = dict[str, Any]

_NETWORK: dict[str, tuple[str, Callable[[str], Any]]] = {
    "Airplane Mode": ("airplane", lambda v: v == "ON"),
    "SIM Card Status": ("sim", str),
    "Cellular Connection": ("connected", lambda v: v == "connected"),
    "Cellular Network Type": ("network_type", str),
    "Mobile Data Enabled": ("data", lambda v: v == "Yes"),
    "Data Roaming Enabled": ("roaming", lambda v: v == "Yes"),
}


def _network(text: str) -> Facts:
    facts: Facts = {}
    for row in text.splitlines():
        label, _, value = row.partition(": ")
        if label in _NETWORK:
            name, convert = _NETWORK[label]
            facts[name] = convert(value.strip())
    return facts


def status_bar(text: str) -> Facts:
    """The facts in a status bar, which ends the results of most phone tools."""
    bar = text.rpartition("Status Bar:")[2]
    if bar == text or not bar.strip():
        return {}
    return {
        "signal": "Airplane Mode" not in bar and "No Signal" not in bar,
        "connected": "Airplane Mode" not in bar and "No Signal" not in bar,
    }


def _sim(text: str) -> Facts:
    for words, sim in (("active", "active"), ("No SIM", "missing"), ("PIN", "locked_pin")):
        if words in text:
            return {"sim": sim}
    return {"sim": "locked_puk"}


def _speed(text: str) -> Facts:
    return {"online": "failed" not in text, "fast": "(Excellent)" in text}


def _apn(text: str) -> Facts:
    return {"apn_broken": "Name: broken" in text, "mmsc": "messages): Not Set" not in text}


def _permissions(text: str) -> Facts:
    granted = text.rpartition("permission for: ")[2] if "permission for: " in text else ""
    return {"permissions": {p.strip(" .") for p in granted.split(",")} - {""}}


def _customer(text: str) -> Facts:
    customer = json.loads(text)
    return {"customer": customer["customer_id"], "line_ids": list(customer["line_ids"])}


def _details(text: str) -> Facts:
    found = json.loads(text)
    if "line_id" in found:
        return {f"line:{found['line_id']}": found}
    if "bill_id" in found:
        return {f"bill:{found['bill_id']}": found["status"]}
    return {}


def _resumed(text: str) -> Facts:
    line = json.loads(text)["line"]
    return {f"line:{line['line_id']}": line}


def _usage(text: str) -> Facts:
    usage = json.loads(text)
    used, limit, extra = (
        float(usage[k]) for k in ("data_used_gb", "data_limit_gb", "data_refueling_gb")
    )
    return {"usage_exceeded": used >= limit + extra}


def _bills(text: str) -> Facts:
    bills = json.loads(text)
    return {"overdue": [b["bill_id"] for b in bills if b["status"] == "Overdue"]}


_READERS: dict[str, Callable[[str], Facts]] = {
    "check_network_status": _network,
    "check_sim_status": _sim,
    "run_speed_test": _speed,
    "can_send_mms": lambda text: {"mms": "can send" in text},
    "check_data_restriction_status": lambda text: {"saver": "is ON" in text},
    "check_network_mode_preference": lambda text: {"mode": text.rpartition(": ")[2].strip()},
    "check_wifi_calling_status": lambda text: {"wifi_calling": "turned ON" in text},
    "check_vpn_status": lambda text: {"vpn": "connected" in text and "not connected" not in text},
    "check_apn_settings": _apn,
    "check_app_permissions": _permissions,
    "check_payment_request": lambda text: {"asked_to_pay": "for bill" in text},
    "get_customer_by_phone": _customer,
    "get_customer_by_id": _customer,
    "get_details_by_id": _details,
    "get_data_usage": _usage,
    "get_bills_for_customer": _bills,
    "resume_line": _resumed,
}


def read(tool: str, arguments: Mapping[str, Any], text: str) -> Facts:
    """The facts in the result of a call that did not fail; nothing when it makes no sense."""
    if tool == "check_app_permissions" and arguments.get("app_name") != "messaging":
        return {}
    facts = status_bar(text)
    if tool not in _READERS:
        return facts
    try:
        return facts | _READERS[tool](text)
    except (KeyError, TypeError, ValueError):
        return facts
