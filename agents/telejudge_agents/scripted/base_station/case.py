"""What an agent knows of a base-station ticket: its facts, and what the tools answered.

    case = Case.of("Trouble ticket TT-482\nSite: K042 (Elm Cross)\nHub: H31 …")
    case.hear(Call("get_topology", {"object_id": "K042"}), Heard('{"reading_id": "r2", …}'))
    case.id("cell", 2)   -> "K042-C2"

Nothing here knows more than the ticket and the results of calls.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from telejudge_agents.scripted.base import Call, Heard

UNREACHABLE = "NE_UNREACHABLE"
SECTORED = ("cell", "rru", "cpri", "antenna", "ret", "feed")
_SITE = re.compile(r"Site: (\w+)")
_BUSY = "BUSY"


@dataclass(frozen=True)
class Answer:
    """A result. `id` is the reading's or the action's; `content` the whole object."""

    ok: bool
    text: str
    content: dict[str, Any] = field(default_factory=dict)
    round: int = 0

    @property
    def id(self) -> str:
        return str(self.content.get("reading_id") or self.content.get("action_id") or "")

    @property
    def data(self) -> Any:
        return self.content.get("data", self.content)

    @property
    def busy(self) -> bool:
        return not self.ok and _BUSY in self.text


NOTHING = Answer(False, "")


@dataclass
class Case:
    """`round` counts how often the case was looked at anew: what was read in an earlier round may
    have changed since. `told` holds the newest answer of every tool on every object."""

    site: str
    round: int = 0
    told: dict[tuple[str, str], Answer] = field(default_factory=dict)

    @classmethod
    def of(cls, ticket: str) -> Case:
        found = _SITE.search(ticket)
        return cls(found.group(1) if found else "")

    def hear(self, call: Call, heard: Heard) -> Answer:
        """Take in the result of a call."""
        answer = Answer(not heard.error, heard.text, _parsed(heard.text), self.round)
        if answer.ok and not answer.id:
            answer = Answer(False, heard.text, round=self.round)
        if answer.ok:
            self.told[call.tool, _about(call)] = answer
        return answer

    def answer(self, tool: str, about: str = "") -> Answer:
        """The newest answer of a tool on an object (the site if none is given)."""
        return self.told.get((tool, about or self.site), NOTHING)

    def fresh(self, call: Call) -> bool:
        """Whether the call was made in this round."""
        answer = self.told.get((call.tool, _about(call)))
        return answer is not None and answer.round == self.round

    def data(self, tool: str, about: str = "") -> Any:
        """What a tool last told of an object; an empty dict when it told nothing."""
        found = self.answer(tool, about).data
        return {} if isinstance(found, dict) and found.get("status") == UNREACHABLE else found

    # -- the picture of the site

    def id(self, kind: str, sector: int = 0) -> str:
        """The id of a part by its kind in the topology."""
        topology = self.data("get_topology")
        if kind in SECTORED:
            sectors = topology.get("sectors", [])
            return sectors[sector - 1][kind] if 1 <= sector <= len(sectors) else ""
        if kind in ("fan", "rectifier"):
            return next(iter(topology.get(f"{kind}s", [])), "")
        return topology.get("parts", {}).get(kind) or topology.get(kind, "")

    @property
    def sectors(self) -> int:
        return len(self.data("get_topology").get("sectors", []))

    @property
    def alarms(self) -> list[dict[str, Any]]:
        listed = self.answer("list_alarms").data
        return listed if isinstance(listed, list) else []

    @property
    def problems(self) -> set[tuple[str, str]]:
        """Name and object of every active alarm."""
        return {(problem_of(row), row["object"]) for row in self.alarms}

    def raised(self, problem: str) -> list[str]:
        """Objects with an active alarm of that name, in the order of their ids."""
        return sorted(about for name, about in self.problems if name == problem)

    @property
    def reachable(self) -> bool:
        return not self.raised(UNREACHABLE)

    def counters(self, sector: int) -> dict[str, Any]:
        """The cell's counters as last read in this round."""
        answer = self.answer("get_kpi")
        cells = self.data("get_kpi").get("cells", {}) if answer.round == self.round else {}
        return cells.get(self.id("cell", sector), {})

    def held(self, cell_id: str) -> bool:
        """Whether an open work order names the cell."""
        orders = self.answer("get_work_orders").data
        return isinstance(orders, list) and any(o["object"] == cell_id for o in orders)


def problem_of(alarm: dict[str, Any]) -> str:
    """The name of an alarm: `RRU_LINK_LOST: No CPRI link …` -> `RRU_LINK_LOST`."""
    return str(alarm["problem"]).partition(":")[0]


def _about(call: Call) -> str:
    """The object a call is about: its first argument (all calls name it first)."""
    return str(next(iter(call.arguments.values()), ""))


def _parsed(text: str) -> dict[str, Any]:
    """The JSON object in a result, also where somebody tells it in his own words."""
    start, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[start : end + 1]) if start >= 0 else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
