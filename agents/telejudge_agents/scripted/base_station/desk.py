"""What passes between diagnosis, repairs and visits: Findings, and the Desk that works on them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from telejudge_agents.scripted.base import Call, Heard
from telejudge_agents.scripted.base_station.case import Answer, Case
from telejudge_agents.scripted.base_station.slips import Temper
from telejudge_envs.base_station.faults import FAULTS

Step = Generator[Call | str, Heard, None]
Asked = Generator[Call | str, Heard, Answer]


@dataclass
class Finding:
    """A fault that the readings speak for. `believed`: it is reported even if its remedy did not
    help. `supplier`: the team that takes it in place of the fault's own."""

    code: str
    sector: int
    object_id: str
    evidence: tuple[str, ...] = ()
    believed: bool = True
    supplier: str = ""

    @property
    def slug(self) -> str:
        return FAULTS[self.code].slug

    @property
    def team(self) -> str:
        return self.supplier or FAULTS[self.code].team

    @property
    def key(self) -> tuple[str, int]:
        return self.code, self.sector


class Desk(Protocol):
    """What a repair may ask of the engineer: `repair` makes a call that goes into the report,
    `cleared` looks at the impact and gets a token where one is needed."""

    case: Case
    temper: Temper

    def do(self, call: Call) -> Asked: ...
    def repair(self, call: Call) -> Asked: ...
    def cleared(
        self, action: str, object_id: str, *, always: bool = False
    ) -> Generator[Call | str, Heard, dict[str, str]]: ...
    def spare(self, kind: str) -> str: ...
    def escalate(self, finding: Finding) -> Step: ...
