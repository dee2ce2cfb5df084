"""The careful engineer: walks the playbook, looks first, mends one thing at a time, verifies.

In: the ticket and tool results only. Out: one call a message, `done` at the end.

    agent = engineer().start(task.view, seed=0)
    message = agent.decide(episode.observation, episode.tools)

The same walk serves the imperfect expert: a Temper says at each decision whether the agent slips.
The engineer's never does.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from telejudge_agents.scripted.aspects import ASPECTS, Aspect
from telejudge_agents.scripted.base import (
    DONE,
    TRANSFER,
    Call,
    Heard,
    Plan,
    Planner,
    ScriptedFactory,
)
from telejudge_agents.scripted.case import Case
from telejudge_agents.scripted.playbook import PATHS, Path
from telejudge_agents.scripted.temper import Temper, careful

WHO_ARE_YOU = (
    "What are your name, your phone number and your current location? And if it turns out to be "
    "needed: will you pay an overdue bill or refuel data?"
)
"""Asked in dual mode, where there is no ticket."""

MOST_LOOKS = 2
"""Times that all paths are walked before the case is handed over unsolved."""

Slip = Literal[
    "overlook",  # pass over an aspect
    "skip_check",  # mend without looking
    "wrong_fix",  # mend something else first
    "skip_fix",  # see the fault and leave it
    "half_fix",  # make only the first call of a fix that needs several
    "forget_verify",
    "forget_goal",  # close without reading the goal
    "stop_early",
    "give_up",  # close when the goal is not reached, instead of looking again
    "needless_transfer",
    "no_handover",  # close a case that must be handed over
    "redundant_read",
    "idle_read",  # read something that no aspect needs
    "failed_call",
]

Walked = Literal["on", "closed"]
Step = Generator[Call | str, Heard, None]
Walk = Generator[Call | str, Heard, Walked]

_IDLE = ("check_wifi_status", "check_installed_apps", "check_sim_status", "check_status_bar")
_FAILING = (
    Call("get_details_by_id", {"id": "L1000"}),
    Call("get_customer_by_phone", {"phone_number": "555-000-0000"}),
    Call("refuel_data", {}),
    Call("check_app_status", {}),
)


class Engineer:
    """One case on the desk of one engineer."""

    def __init__(self, case: Case, temper: Temper[Slip]) -> None:
        self.case = case
        self.temper = temper
        self._last_read: Call | None = None

    def plan(self) -> Plan:
        """The whole episode."""
        if not self.case.phone:
            answer = yield WHO_ARE_YOU
            self.case = Case(self.case.goal, f"{self.case.words} {answer.text}")
        yield from self._do(Call("get_customer_by_phone", {"phone_number": self.case.phone}))
        yield from self._do(Call(self.case.goal.tool))
        for _ in range(MOST_LOOKS):
            walked = yield from self._look_through()
            if walked == "closed":
                break
            if self.case.solved or self.temper.slips("give_up"):
                break
        else:
            yield from self._hand_over(f"The {self.case.goal.name} issue persists after all steps.")
        yield Call(DONE)

    def _look_through(self) -> Walk:
        for path in PATHS[self.case.goal.name]:
            if self.case.solved:
                break
            if path.relevant(self.case):
                walked = yield from self._walk(path)
                if walked == "closed":
                    return "closed"
        return "on"

    def _walk(self, path: Path) -> Walk:
        for aspect in path.aspects:
            if self.case.solved:
                return "on"
            if not aspect.relevant(self.case):
                continue
            walked = yield from self._dither(path)
            if walked == "on" and not self.temper.slips("overlook"):
                walked = yield from self._attend(aspect, path)
            if walked == "closed":
                return "closed"
        if not self.case.last_goal_fresh:
            if self.temper.slips("forget_goal"):
                return "closed"
            yield from self._do(Call(self.case.goal.tool))
        return "on"

    def _attend(self, aspect: Aspect, path: Path) -> Walk:
        if aspect.needs_line:
            yield from self._find_line()
        if not aspect.blocks and not self._knows(aspect) and self.temper.slips("skip_check"):
            yield from self._mend(aspect)
            return "on"
        if not self._knows(aspect):
            yield from self._do(aspect.check(self.case))
        if not self._knows(aspect) or not aspect.faulty(self.case):
            return "on"
        if aspect.blocks:
            if not self.temper.slips("no_handover"):
                yield from self._hand_over(f"Not mine to solve: {aspect.name.replace('_', ' ')}.")
            return "closed"
        if self.temper.slips("wrong_fix"):
            yield from self._mend(self.temper.rng.choice(_mendable(path, aspect)))
        if not self.temper.slips("skip_fix"):
            yield from self._mend(aspect)
        return "on"

    def _mend(self, aspect: Aspect) -> Step:
        calls = [make(self.case) for make in aspect.fix]
        verify = aspect.verify(self.case) if aspect.verify is not None else None
        if len(calls) > 1 and self.temper.slips("half_fix"):
            calls = calls[:1]
        for call in calls:
            yield from self._do(call)
        if verify is not None and not self.temper.slips("forget_verify"):
            yield from self._do(verify)

    def _find_line(self) -> Step:
        while self.case.line is None and (candidates := self.case.line_candidates):
            yield from self._do(Call("get_details_by_id", {"id": candidates[0]}))
            if not self.case.known(f"line:{candidates[0]}"):
                return

    def _dither(self, path: Path) -> Walk:
        """What an untidy agent does between two aspects."""
        slips = self.temper.slips
        if slips("stop_early"):
            return "closed"
        if slips("needless_transfer"):
            yield from self._hand_over("The customer needs a human agent.")
            return "closed"
        if self._last_read is not None and slips("redundant_read"):
            yield from self._do(self._last_read)
        if slips("idle_read"):
            yield from self._do(Call(self.temper.rng.choice(_IDLE)))
        if slips("failed_call"):
            yield from self._do(self.temper.rng.choice(_FAILING))
        return "on"

    def _hand_over(self, summary: str) -> Step:
        yield from self._do(Call(TRANSFER, {"summary": summary}))

    def _knows(self, aspect: Aspect) -> bool:
        if aspect.fact == "line":
            return self.case.line is not None
        return self.case.known(aspect.fact)

    def _do(self, call: Call) -> Step:
        heard = yield call
        self.case.hear(call, heard)
        if call.tool.startswith(("check_", "get_", "can_", "run_")):
            self._last_read = call


def _mendable(path: Path, other_than: Aspect) -> list[Aspect]:
    found = [a for a in path.aspects if a.fix and not a.needs_line and a is not other_than]
    return [a for a in found if a.name != "overdue_bill"] or [ASPECTS["airplane_mode"]]


def engineer_planner(temper: Temper[Slip]) -> Planner:
    """From a ticket to the plan of an engineer of that temper."""
    return lambda ticket: Engineer(Case.of(ticket), temper).plan()


def engineer() -> ScriptedFactory:
    """The careful engineer as an AgentFactory."""
    return careful(engineer_planner)
