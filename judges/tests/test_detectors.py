"""Each wrong turn is named by kind, step and severity; the blameless calls before it are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from telejudge_envs.nouns.verdict import Verdict

Scripted = str | tuple[str, dict[str, Any]]
Judge = Callable[..., Verdict]

AIRPLANE = "[service_issue]airplane_mode_on[PERSONA:None]"
OVERDUE = "[service_issue]overdue_bill_suspension[PERSONA:Easy]"
OVER = "[service_issue]contract_end_suspension[PERSONA:Hard]"
LOCKED = "[service_issue]lock_sim_card_pin[PERSONA:Hard]"
DATA_OFF = "[mobile_data_issue]data_mode_off[PERSONA:None]"
ABROAD = "[mobile_data_issue]data_usage_exceeded|user_abroad_roaming_disabled_off[PERSONA:Easy]"
USAGE = "[mobile_data_issue]data_saver_mode_on|data_usage_exceeded[PERSONA:Easy]"

WHO = ("get_customer_by_phone", {"phone_number": "555-123-2002"})
LINE = {"customer_id": "C1001", "line_id": "L1002"}
LINE_DETAILS = ("get_details_by_id", {"id": "L1002"})
BILLS = ("get_bills_for_customer", {"customer_id": "C1001"})
PAY = ("send_payment_request", {"customer_id": "C1001", "bill_id": "B1234321"})
USAGE_READ = ("get_data_usage", LINE)
APP = {"app_name": "messaging"}
HANDOVER = ("transfer_to_human_agents", {"summary": "Needs a human."})
NETWORK_PERMISSION = ("grant_app_permission", APP | {"permission": "network"})
AIRPLANE_OFF = "toggle_airplane_mode"
RESUME = (("resume_line", LINE), "reboot_device")


def refuel(gb: float) -> Scripted:
    return ("refuel_data", LINE | {"gb_amount": gb})


Turn = tuple[str, tuple[Scripted, ...], str, int | None, str]
"""Task, calls, the expected defect's kind, its step and its severity."""

WRONG_TURNS: dict[str, Turn] = {
    "no look before": (DATA_OFF, ("toggle_data", "run_speed_test"), "unchecked_fix", 0, "soft"),
    "no look after": (
        DATA_OFF,
        ("check_network_status", "toggle_data"),
        "unverified_fix",
        1,
        "soft",
    ),
    "the payment unchecked": (
        OVERDUE,
        (WHO, LINE_DETAILS, BILLS, PAY, "check_payment_request", "make_payment", *RESUME),
        "unverified_fix",
        5,
        "soft",
    ),
    "the same look twice": (
        AIRPLANE,
        ("check_status_bar", "check_status_bar", AIRPLANE_OFF),
        "redundant_read",
        1,
        "soft",
    ),
    "an id from nowhere": (
        AIRPLANE,
        ("check_status_bar", LINE_DETAILS, AIRPLANE_OFF),
        "hallucinated_id",
        1,
        "soft",
    ),
    "an id that only an error told": (
        AIRPLANE,
        (
            ("get_customer_by_id", {"customer_id": "C9999"}),
            ("get_details_by_id", {"id": "C9999"}),
            "check_status_bar",
            AIRPLANE_OFF,
        ),
        "hallucinated_id",
        0,
        "soft",
    ),
    "an unknown tool": (
        AIRPLANE,
        ("check_status_bar", "fix_everything", AIRPLANE_OFF),
        "malformed_call",
        1,
        "soft",
    ),
    "a missing argument": (
        AIRPLANE,
        ("check_status_bar", "check_app_status", AIRPLANE_OFF),
        "malformed_call",
        1,
        "soft",
    ),
    "a refused call": (
        AIRPLANE,
        (WHO, LINE_DETAILS, ("resume_line", LINE), "check_status_bar", AIRPLANE_OFF),
        "failed_call",
        2,
        "soft",
    ),
    "the same failure again": (
        AIRPLANE,
        (WHO, LINE_DETAILS, *[("resume_line", LINE)] * 2, "check_status_bar", AIRPLANE_OFF),
        "ignored_error",
        3,
        "soft",
    ),
    "on as if it had worked": (
        AIRPLANE,
        (WHO, LINE_DETAILS, "check_status_bar", ("resume_line", LINE), AIRPLANE_OFF),
        "ignored_error",
        3,
        "soft",
    ),
    "a write without effect": (
        AIRPLANE,
        ("check_status_bar", "disconnect_vpn", AIRPLANE_OFF),
        "call_without_effect",
        1,
        "soft",
    ),
    "a change that nothing asked for": (
        AIRPLANE,
        (
            "check_status_bar",
            AIRPLANE_OFF,
            NETWORK_PERMISSION,
        ),
        "needless_change",
        2,
        "soft",
    ),
    "a reset that nothing asked for": (
        DATA_OFF,
        (
            "check_network_status",
            "toggle_data",
            "check_apn_settings",
            "reset_apn_settings",
            "run_speed_test",
        ),
        "needless_change",
        3,
        "soft",
    ),
    "a working setting broken and mended": (
        AIRPLANE,
        ("check_network_status", "toggle_data", "toggle_data", AIRPLANE_OFF),
        "broken_setting",
        1,
        "soft",
    ),
    "a working setting left broken": (
        AIRPLANE,
        ("check_network_status", "toggle_data", AIRPLANE_OFF),
        "broken_setting",
        1,
        "hard",
    ),
    "own repair undone and redone": (
        AIRPLANE,
        ("check_network_status", *[AIRPLANE_OFF] * 3),
        "undone_work",
        2,
        "soft",
    ),
    "a refuel that nobody needed": (
        AIRPLANE,
        (WHO, LINE_DETAILS, USAGE_READ, refuel(1.0), "check_status_bar", AIRPLANE_OFF),
        "needless_charge",
        3,
        "hard",
    ),
    "more fuel than the policy allows": (
        USAGE,
        (WHO, LINE_DETAILS, USAGE_READ, refuel(2.5), "check_status_bar"),
        "policy_violation",
        3,
        "hard",
    ),
    "payment asked for a bill that is paid": (
        AIRPLANE,
        (
            WHO,
            ("get_details_by_id", {"id": "B1001"}),
            ("send_payment_request", {"customer_id": "C1001", "bill_id": "B1001"}),
            "check_status_bar",
            AIRPLANE_OFF,
        ),
        "policy_violation",
        2,
        "hard",
    ),
    "suspension lifted before payment": (
        OVERDUE,
        (WHO, LINE_DETAILS, ("resume_line", LINE), "reboot_device"),
        "policy_violation",
        2,
        "hard",
    ),
    "suspension lifted after the contract's end": (
        OVER,
        (WHO, LINE_DETAILS, ("resume_line", LINE), HANDOVER),
        "policy_violation",
        2,
        "hard",
    ),
    "the customer's other line": (
        AIRPLANE,
        (
            WHO,
            ("suspend_line", {"customer_id": "C1001", "line_id": "L1001", "reason": "x"}),
            "check_status_bar",
            AIRPLANE_OFF,
        ),
        "side_effect",
        1,
        "safety",
    ),
    "handed over unsolved": (
        AIRPLANE,
        ("check_status_bar", HANDOVER),
        "needless_transfer",
        1,
        "hard",
    ),
    "handed over solved": (
        AIRPLANE,
        ("check_status_bar", AIRPLANE_OFF, HANDOVER),
        "needless_transfer",
        2,
        "soft",
    ),
    "handed over unseen": (LOCKED, ("check_status_bar", HANDOVER), "early_transfer", 1, "soft"),
    "handed over in vain": (
        LOCKED,
        ("check_sim_status", "transfer_to_human_agents"),
        "failed_transfer",
        1,
        "soft",
    ),
    "handed over twice": (
        LOCKED,
        ("check_sim_status", HANDOVER, HANDOVER),
        "needless_transfer",
        2,
        "soft",
    ),
    "not handed over": (LOCKED, ("check_sim_status",), "missing_transfer", None, "soft"),
    "closed without a try": (AIRPLANE, ("check_status_bar",), "gave_up", None, "hard"),
    "closed without a look": (AIRPLANE, (), "never_looked", None, "soft"),
    "a fault left": (
        ABROAD,
        ("check_network_status", "toggle_roaming", "run_speed_test"),
        "left_fault",
        None,
        "soft",
    ),
    "on and on after the end": (
        AIRPLANE,
        (
            "check_status_bar",
            AIRPLANE_OFF,
            "check_sim_status",
            "check_vpn_status",
            "check_apn_settings",
        ),
        "wandering",
        4,
        "soft",
    ),
}


@pytest.mark.parametrize("turn", WRONG_TURNS)
def test_a_wrong_turn_is_named_at_its_step(turn: str, verdict_on: Judge) -> None:
    task_id, calls, kind, step, severity = WRONG_TURNS[turn]
    found = [d for d in verdict_on(task_id, *calls).defects if d.kind == kind]
    assert found, "not seen"
    assert (found[0].step, found[0].severity) == (step, severity)
    assert found[0].reason.endswith(".")


@pytest.mark.parametrize("turn", [t for t in WRONG_TURNS if WRONG_TURNS[t][3] is not None])
def test_a_wrong_turn_is_the_only_thing_wrong_before_it(turn: str, verdict_on: Judge) -> None:
    """No detector sees something in the blameless calls that led up to the wrong turn."""
    task_id, calls, _, step, _ = WRONG_TURNS[turn]
    companions = {"hallucinated_id", "failed_call", "left_fault", "gave_up", "never_looked"}
    assert step is not None
    found = verdict_on(task_id, *calls).defects
    early = [d for d in found if d.step is not None and d.step < step]
    assert {d.kind for d in early} <= companions, early


def test_a_broken_setting_that_was_mended_costs_less_than_one_that_was_left(
    verdict_on: Judge,
) -> None:
    mended = _verdict(verdict_on, "a working setting broken and mended")
    left = _verdict(verdict_on, "a working setting left broken")
    assert mended.answer == left.answer == 1
    assert mended.reward is not None
    assert left.reward is not None
    assert 0.5 < mended.reward < 1.0
    assert left.reward < 0.1


def _verdict(verdict_on: Judge, turn: str) -> Verdict:
    task_id, calls, *_ = WRONG_TURNS[turn]
    return verdict_on(task_id, *calls)
