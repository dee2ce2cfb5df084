"""Other right ways than the engineer's earn everything too; none is a look at the gold list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges.verifier import score

Scripted = str | tuple[str, dict[str, Any]]
Judge = Callable[..., Verdict]

AIRPLANE = "[service_issue]airplane_mode_on[PERSONA:None]"
OVERDUE = "[service_issue]overdue_bill_suspension[PERSONA:Easy]"
OVER = "[service_issue]contract_end_suspension[PERSONA:Hard]"
LOCKED = "[service_issue]lock_sim_card_pin[PERSONA:Hard]"
APN = "[service_issue]break_apn_settings[PERSONA:None]"
SLOW = "[mobile_data_issue]bad_network_preference[PERSONA:Hard]"
SAVER = "[mobile_data_issue]data_saver_mode_on[PERSONA:Easy]"
DATA_OFF = "[mobile_data_issue]data_mode_off[PERSONA:None]"
ABROAD = "[mobile_data_issue]data_usage_exceeded|user_abroad_roaming_disabled_off[PERSONA:Easy]"
USAGE = "[mobile_data_issue]data_saver_mode_on|data_usage_exceeded[PERSONA:Easy]"
TWO_G = "[mms_issue]bad_network_preference[PERSONA:None]"
PERMISSIONS = "[mms_issue]break_app_both_permissions[PERSONA:Hard]"
MMSC = "[mms_issue]break_apn_mms_setting[PERSONA:Hard]"

WHO = ("get_customer_by_phone", {"phone_number": "555-123-2002"})
LINE = {"customer_id": "C1001", "line_id": "L1002"}
LINE_DETAILS = ("get_details_by_id", {"id": "L1002"})
BILL_DETAILS = ("get_details_by_id", {"id": "B1234321"})
BILLS = ("get_bills_for_customer", {"customer_id": "C1001"})
PAY = ("send_payment_request", {"customer_id": "C1001", "bill_id": "B1234321"})
USAGE_READ = ("get_data_usage", LINE)
APP = {"app_name": "messaging"}
HANDOVER = ("transfer_to_human_agents", {"summary": "Needs a human."})
SMS = ("grant_app_permission", APP | {"permission": "sms"})
STORAGE = ("grant_app_permission", APP | {"permission": "storage"})
MODE = "set_network_mode_preference"
PLAN_READ = ("get_details_by_id", {"id": "P1002"})


def refuel(gb: float) -> Scripted:
    return ("refuel_data", LINE | {"gb_amount": gb})


RIGHT_WAYS: dict[str, tuple[str, tuple[Scripted, ...]]] = {
    "bar shows airplane mode": (AIRPLANE, ("check_status_bar", "toggle_airplane_mode")),
    "network status shows it too": (
        AIRPLANE,
        ("check_network_status", "toggle_airplane_mode", "check_network_status"),
    ),
    "bar shows mobile data": (DATA_OFF, ("check_status_bar", "toggle_data", "run_speed_test")),
    "network shows mobile data": (
        DATA_OFF,
        ("check_network_status", "toggle_data", "run_speed_test"),
    ),
    "bar shows the saver": (
        SAVER,
        ("check_status_bar", "toggle_data_saver_mode", "run_speed_test"),
    ),
    "mode by its own read": (
        SLOW,
        (
            "check_network_mode_preference",
            (MODE, {"mode": "4g_5g_preferred"}),
            "run_speed_test",
        ),
    ),
    "mode by the network's type": (
        TWO_G,
        ("check_network_status", (MODE, {"mode": "4g_5g_preferred"}), "can_send_mms"),
    ),
    "4G is enough for pictures": (
        TWO_G,
        ("check_status_bar", (MODE, {"mode": "4g_only"}), "can_send_mms"),
    ),
    "so is 3G": (
        TWO_G,
        ("check_network_mode_preference", (MODE, {"mode": "3g_only"}), "can_send_mms"),
    ),
    "sms first": (
        PERMISSIONS,
        (("check_app_permissions", APP), SMS, STORAGE, "can_send_mms"),
    ),
    "storage first, by the app's status": (
        PERMISSIONS,
        (("check_app_status", APP), STORAGE, SMS, "can_send_mms"),
    ),
    "refuel before roaming": (
        ABROAD,
        (
            WHO,
            LINE_DETAILS,
            USAGE_READ,
            refuel(2.0),
            ("enable_roaming", LINE),
            "check_network_status",
            "toggle_roaming",
            "run_speed_test",
        ),
    ),
    "roaming before refuel, the phone last": (
        ABROAD,
        (
            WHO,
            LINE_DETAILS,
            ("enable_roaming", LINE),
            PLAN_READ,
            refuel(2.0),
            "check_network_status",
            "toggle_roaming",
            "run_speed_test",
        ),
    ),
    "refuel in two parts": (
        USAGE,
        (
            WHO,
            LINE_DETAILS,
            USAGE_READ,
            refuel(1.0),
            refuel(1.0),
            "check_data_restriction_status",
            "toggle_data_saver_mode",
            "run_speed_test",
        ),
    ),
    "APN reset unseen, as workflow 1.3 says": (
        APN,
        ("check_network_status", "reset_apn_settings", "reboot_device", "check_status_bar"),
    ),
    "APN reset after a look": (
        APN,
        ("check_apn_settings", "reset_apn_settings", "reboot_device", "check_status_bar"),
    ),
    "APN set by hand": (
        MMSC,
        (
            "check_apn_settings",
            (
                "set_apn_settings",
                {
                    "apn_settings": {
                        "apn_name": "internet",
                        "mmsc_url": "http://mms.carrier.com/mms/wapenc",
                    }
                },
            ),
            "can_send_mms",
        ),
    ),
    "overdue bill, paid and confirmed": (
        OVERDUE,
        (
            WHO,
            LINE_DETAILS,
            BILLS,
            PAY,
            "check_payment_request",
            "make_payment",
            BILL_DETAILS,
            ("resume_line", LINE),
            "reboot_device",
        ),
    ),
    "locked SIM by its own read": (LOCKED, ("check_status_bar", "check_sim_status", HANDOVER)),
    "locked SIM by network status": (LOCKED, ("check_network_status", HANDOVER)),
    "contract over": (OVER, ("check_network_status", WHO, LINE_DETAILS, HANDOVER)),
}


@pytest.mark.parametrize("way", RIGHT_WAYS)
def test_a_right_way_has_no_defect(way: str, verdict_on: Judge) -> None:
    task_id, calls = RIGHT_WAYS[way]
    found = verdict_on(task_id, *calls)
    assert (found.answer, found.defects, found.reward) == (1, (), 1.0)


def test_calls_of_one_message_cannot_build_on_each_other(
    verdict_on: Judge, inspected: Callable[..., Inspection]
) -> None:
    """Else one volley of all reads and all writes would pass for care."""
    calls = [WHO, LINE_DETAILS, ("enable_roaming", LINE), USAGE_READ, refuel(2.0)]
    calls += ["check_network_status", "toggle_roaming"]
    volley = score("t", inspected(ABROAD, [calls, ["run_speed_test"]]))
    assert volley.answer == 1
    assert {"unchecked_fix", "hallucinated_id"} <= {d.kind for d in volley.defects}
    assert not verdict_on(ABROAD, *calls, "run_speed_test").defects
