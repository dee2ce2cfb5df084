"""What an agent knows of its case: the ticket's facts, and what its readings said.

case = Case.of("… unable to send MMS messages … phone number: 555-123-2002 … abroad …")
case.goal.tool -> "can_send_mms"
case.hear(Call("can_send_mms"), Heard("Your messaging app can send MMS messages."))
case.solved -> True
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from telejudge_agents.scripted.base import Call, Heard
from telejudge_agents.scripted.readings import read

TODAY = date(2025, 2, 25)
"""The policy's "current time is 2025-02-25"."""

MOST_REFUEL_GB = 2.0
"""The policy's maximum; used when the ticket does not say how much to refuel."""

_PHONE = re.compile(r"\b\d{3}-\d{3}-\d{4}\b")
_REFUEL = re.compile(r"refuel (\d+(?:\.\d+)?) ?GB")


@dataclass(frozen=True)
class Goal:
    """What the customer wants: `tool` shows it, the fact `fact` is then true."""

    name: str
    tool: str
    fact: str


SERVICE = Goal("service", "check_status_bar", "signal")
DATA = Goal("data", "run_speed_test", "fast")
MMS = Goal("mms", "can_send_mms", "mms")


def goal_of(text: str) -> Goal:
    """The ticket's kind of problem, by its words."""
    if "MMS" in text:
        return MMS
    return DATA if re.search(r"mobile data|internet", text) else SERVICE


@dataclass
class Case:
    """`facts` holds the newest reading of everything."""

    goal: Goal
    words: str
    """All that the ticket or the user said."""
    facts: dict[str, Any] = field(default_factory=dict)
    last_goal_fresh: bool = False
    """Whether nothing was written since the goal was last read."""

    @classmethod
    def of(cls, text: str) -> Case:
        return cls(goal_of(text), text)

    @functools.cached_property
    def phone(self) -> str:
        found = _PHONE.search(self.words)
        return found.group() if found else ""

    @functools.cached_property
    def refuel_gb(self) -> float:
        found = _REFUEL.search(self.words)
        return float(found.group(1)) if found else MOST_REFUEL_GB

    @functools.cached_property
    def abroad(self) -> bool:
        return "abroad" in self.words

    @functools.cached_property
    def may_pay(self) -> bool:
        return "permission to pay" in self.words or "pay a bill, I accept" in self.words

    def hear(self, call: Call, heard: Heard) -> None:
        """Take in the result of a call."""
        if heard.error:
            return
        self.facts |= read(call.tool, call.arguments, heard.text)
        if call.tool == self.goal.tool:
            self.last_goal_fresh = True
        elif is_write(call.tool):
            self.last_goal_fresh = False

    def known(self, fact: str) -> bool:
        return fact in self.facts

    @property
    def solved(self) -> bool:
        """Whether the goal's own reading, newer than the last write, shows it reached."""
        return self.last_goal_fresh and bool(self.facts.get(self.goal.fact))

    @property
    def no_service(self) -> bool:
        return not self.facts.get("connected", True)

    @property
    def customer(self) -> str:
        return self.facts.get("customer", "")

    @property
    def line(self) -> dict[str, Any] | None:
        """The customer's line that has the ticket's number, once its details were read."""
        for line_id in self.facts.get("line_ids", ()):
            line = self.facts.get(f"line:{line_id}")
            if line is not None and line["phone_number"] == self.phone:
                return line
        return None

    @property
    def line_candidates(self) -> list[str]:
        """Lines not yet looked at, those whose id ends like the number first."""
        unread = [i for i in self.facts.get("line_ids", ()) if not self.known(f"line:{i}")]
        return sorted(unread, key=self._unlikeness)

    def _unlikeness(self, line_id: str) -> int:
        pairs = zip(reversed(line_id), reversed(self.phone), strict=False)
        return -len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))

    @property
    def line_key(self) -> dict[str, Any]:
        """The arguments that name the line in most of the operator's tools."""
        return {"customer_id": self.customer, "line_id": (self.line or {}).get("line_id", "")}

    @property
    def contract_over(self) -> bool:
        end = (self.line or {}).get("contract_end_date")
        return end is not None and date.fromisoformat(str(end)[:10]) < TODAY


def is_write(tool: str) -> bool:
    """Whether a tool may change the world, by tau2's naming."""
    return not tool.startswith(("check_", "get_", "can_", "run_", "transfer_", "done"))
