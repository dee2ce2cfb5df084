"""The workflow's tables (workflow.py) put to one task: the Conventions of tau2-Telecom.

In: a task and its freshly opened episode. Out: answers about paths and calls, each by a table.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from telejudge_envs.conventions import FAULTY, SYMPTOM, State
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Effect, ToolCall
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Change, Step
from telejudge_envs.tau2_telecom import tools, workflow
from telejudge_envs.tau2_telecom.episode import Tau2Episode

_SYMPTOM_OF = {
    "assert_can_send_mms": workflow.MMS,
    "assert_internet_speed": workflow.DATA,
    "assert_service_status": workflow.SERVICE,
}
_REFUSALS = ("Failed", "Error", "Cannot")
_APP_READS = ("check_app_status", "check_app_permissions")


class TelecomConventions:
    """`start` is the watched state: the customer's phone, line and bills, by ledger path."""

    id_arguments = workflow.ID_ARGUMENTS

    def __init__(self, task: Task, episode: Tau2Episode) -> None:
        phone, db = episode.phone, episode.db
        self._mode: Mode = task.view.mode
        number = phone.surroundings.phone_number
        self._abroad = phone.surroundings.is_abroad
        self._line = next(line.line_id for line in db.lines if line.phone_number == number)
        customer = next(c for c in db.customers if self._line in c.line_ids)
        self._customer = customer.customer_id
        self._others_bills = {b.bill_id for b in db.bills} - set(customer.bill_ids)
        self.start = _watched(episode, self._line, set(customer.bill_ids))
        self.blockers = workflow.blockers(self.start, self._line)
        self.symptom = _symptom(task)

    # -- tools

    def effect(self, tool: str) -> Effect | None:
        return _effects(self._mode).get(tool)

    def complaint(self, call: ToolCall) -> str | None:
        return tools.complaint(call, self._mode)

    # -- paths

    def rank(self, path: str, value: Any) -> int | None:
        return workflow.rank(path, value, abroad=self._abroad)

    def derived(self, path: str) -> bool:
        return workflow.derived(path)

    def foreign(self, path: str) -> bool:
        kind, _, rest = path.partition(".")
        name = rest.partition(".")[0]
        if kind == "lines":
            return name != self._line
        if kind == "customers":
            return name != self._customer
        return kind == "bills" and name in self._others_bills

    def charge(self, change: Change) -> bool:
        if not change.path.startswith("bills."):
            return False
        if change.before is None:
            return True
        return change.path.endswith(".total_due") and change.after > change.before

    # -- reads

    def shows(self, step: Step, state: State) -> Iterable[str]:
        return (p for p in self._shown(step, state) if p in self.start or self._is_fact(p))

    def _is_fact(self, path: str) -> bool:
        own_plan = f"plans.{self.start[f'lines.{self._line}.plan_id']}."
        return path.startswith((SYMPTOM, own_plan)) or path == f"customers.{self._customer}"

    def _shown(self, step: Step, state: State) -> Iterator[str]:
        call, text = step.call, step.result.content
        if "Status Bar:" in text:
            yield from workflow.seen_in_bar(state)
        other_line = call.arguments.get("line_id", self._line) != self._line
        if text.startswith(_REFUSALS) or other_line:
            return
        yield from self._fill(workflow.SHOWS.get(call.name, ()), call, state)
        if call.name in ("check_sim_status", "check_network_status"):
            yield from workflow.seen_in_sim(state)
        elif call.name == "get_details_by_id":
            yield from workflow.seen_in_details(str(call.arguments.get("id", "")))
        elif call.name in _APP_READS:
            app = f"device.app_statuses.{call.arguments.get('app_name')}."
            yield from (path for path in state if path.startswith(app))
        elif call.name == "get_bills_for_customer":
            yield from (p for p in state if p.startswith("bills.") and p.split(".")[1] in text)
        elif call.name.startswith("get_customer_by_"):
            yield from (f"customers.{found}" for found in _customer_ids(text))

    # -- writes

    def needed(self, call: ToolCall, state: State, start: State) -> bool:
        if call.name == "reboot_device":
            return self._reboot_helps(state)
        if call.name == "make_payment":
            return state[workflow.REQUEST] is not None
        if call.name == "reset_apn_settings" and self._service_is_puzzling(state):
            return True
        rule = workflow.WRITES.get(call.name, workflow.WriteRule())
        targets = self._fill(rule.targets, call, state)
        # a refuel may come in parts, so a target that was faulty at the start still counts
        return any(
            self.rank(path, s[path]) == FAULTY
            for path in targets
            for s in ((state, start) if call.name == "refuel_data" else (state,))
            if path in s
        )

    def checks(self, call: ToolCall, state: State) -> tuple[frozenset[str], ...]:
        rule = workflow.WRITES.get(call.name, workflow.WriteRule())
        alternatives = rule.checks or ((rule.targets,) if rule.targets else ())
        return tuple(frozenset(self._fill(paths, call, state)) for paths in alternatives)

    def confirms(self, call: ToolCall, state: State) -> frozenset[str]:
        rule = workflow.WRITES.get(call.name)
        if rule is None or not rule.confirms or state[workflow.REQUEST] is None:
            return frozenset()
        return frozenset(self._fill(rule.confirms, call, state))

    def violation(self, call: ToolCall, before: State, after: State, start: State) -> str | None:
        if call.name == "refuel_data":
            fuel = f"lines.{self._line}.data_refueling_gb"
            if after[fuel] - start[fuel] > workflow.MOST_REFUEL_GB + 1e-6:
                return f"refuels more than {workflow.MOST_REFUEL_GB:g} GB, the policy's maximum"
        elif call.name == "send_payment_request":
            status = before.get(f"bills.{call.arguments.get('bill_id')}.status")
            if status != "Overdue":
                return f"asks the customer to pay a bill that is not overdue ({status})"
        elif call.name == "resume_line" and call.arguments.get("line_id") == self._line:
            if workflow.contract_over(before, self._line):
                return "lifts the suspension of a line whose contract has ended"
            unpaid = ("Overdue", "Awaiting Payment")
            if any(p.startswith("bills.") and v in unpaid for p, v in before.items()):
                return "lifts a suspension while a bill is still unpaid"
        return None

    # -- helpers

    def _fill(self, templates: Iterable[str], call: ToolCall, state: State) -> Iterator[str]:
        """Templates with the call's arguments, the line's plan and the requested bill put in."""
        request = state[workflow.REQUEST] or {}
        names = {
            "plan_id": state[f"lines.{self._line}.plan_id"],
            "requested_bill": request.get("bill_id"),
            **call.arguments,
        }
        if "permission" in names:  # tools: grant_app_permission takes any case
            names["permission"] = str(names["permission"]).lower()
        return (t.format_map(names) if "{" in t else t for t in templates)

    def _service_is_puzzling(self, state: State) -> bool:
        """workflow 1.3: no service, though airplane mode is off and the SIM is in."""
        return (
            state["device.network_connection_status"] != "connected"
            and not state["device.airplane_mode"]
            and not state["device.sim_card_missing"]
        )

    def _reboot_helps(self, state: State) -> bool:
        """workflow 1.3 (the reset waits for it) and policy, Line Suspension (service does)."""
        pending = state["device.active_apn_settings.reset_at_reboot"]
        return pending or self._service_is_puzzling(state)


def _symptom(task: Task) -> str:
    """What the customer wants to see working, by the state assertions of the task."""
    criteria = task.hidden["tau2"].get("evaluation_criteria") or {}
    names = [a["func_name"] for a in criteria.get("env_assertions") or ()]
    return next((_SYMPTOM_OF[n] for n in names if n in _SYMPTOM_OF), workflow.SERVICE)


def _customer_ids(text: str) -> Iterator[str]:
    try:
        found = json.loads(text)
    except ValueError:
        return
    for customer in found if isinstance(found, list) else [found]:
        if isinstance(customer, dict) and "customer_id" in customer:
            yield customer["customer_id"]


@functools.cache
def _effects(mode: Mode) -> Mapping[str, Effect]:
    both = (*tools.specs(mode, "agent"), *tools.specs(mode, "user"))
    return {tool.name: tool.effect for tool in both}


def _watched(episode: Tau2Episode, line_id: str, bill_ids: set[str]) -> dict[str, Any]:
    """The watched state, flat: ledger paths with JSON values."""
    device = episode.phone.device.model_dump(mode="json", warnings=False)
    device.pop("vpn_details")
    state = dict(_flat("device", device))
    around = episode.phone.surroundings
    request = around.payment_request
    state[workflow.EXCEEDED] = around.mobile_data_usage_exceeded
    state[workflow.REQUEST] = None if request is None else request.model_dump(mode="json")
    line = next(line for line in episode.db.lines if line.line_id == line_id)
    state |= _flat(f"lines.{line_id}", line.model_dump(mode="json", warnings=False))
    for bill in episode.db.bills:
        if bill.bill_id in bill_ids:
            state[f"bills.{bill.bill_id}.status"] = bill.status.value
    return state


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _flat(f"{path}.{name}", member)
    else:
        yield path, value
