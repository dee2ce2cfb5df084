"""From a rule of the lexicon and the words about it to calls with their arguments.

In: a Rule and an Order. Out: a Step for each thing that the words name; Unclear where they do not
say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from telejudge_envs.base_station.technician_heard import Guess, Step, Unclear
from telejudge_envs.base_station.technician_lexicon import Rule
from telejudge_envs.base_station.technician_orders import Order
from telejudge_envs.base_station.technician_slots import Slots, Which, full, slots, targets
from telejudge_envs.nouns.message import ToolSpec

PRONOUN = re.compile(r"\b(?:it|them|that one|this one)\b", re.I)


@dataclass
class StepMaker:
    """`site`: where he was sent, for ids without a site. `guessed` grows by what `guess` took for
    granted where the words were ambiguous."""

    tools: dict[str, ToolSpec]
    site: str | None
    guess: Guess | None
    guessed: list[str] = field(default_factory=list)
    last: str = ""
    """The clause before: what "it" means."""

    def of_rule(self, rule: Rule, order: Order) -> list[Step | Unclear]:
        if rule.tool not in self.tools:
            return [Unclear(order.words, "I have no tool that does this.")]
        try:
            return list(self._fill(rule, order.clause))
        except Which as which:
            return [Unclear(order.words, str(which))]

    def _fill(self, rule: Rule, clause: str) -> Iterator[Step]:
        reads = self.tools[rule.tool].effect == "read"
        named = slots(clause)
        if rule.tool == "measure_voltage":
            yield from (Step(rule.tool, {"point": point}) for point in _points(clause))
            return
        names = list(self.tools[rule.tool].parameters.get("properties", {}))
        if not names:
            yield Step(rule.tool, {})
            return
        for n, target in enumerate(self._which(rule, named, clause, reads)):
            yield self._one(rule, names, target, named, n)

    def _which(self, rule: Rule, named: Slots, clause: str, reads: bool) -> list[str]:
        try:
            return targets(rule.target, named, clause, self.site, reads=reads)
        except Which:
            before = slots(self.last)
            if self.last and (reads or PRONOUN.search(clause) or rule.target == "port"):
                return targets(rule.target, before, clause, self.site, reads=reads)
            sector = self.guess(clause) if self.guess and len(rule.target) <= 2 else None
            if sector is None or rule.target not in ("R", "FD", "O", "A", "T"):
                raise
            self.guessed.append(f"took '{clause.strip()}' for sector {sector}")
            return [full(f"{rule.target}{sector}", self.site)]

    def _one(self, rule: Rule, names: list[str], target: str, named: Slots, n: int) -> Step:
        arguments: dict[str, Any] = {}
        lacks = ""
        for name in names:
            if name == "type":
                arguments[name] = rule.module
            elif name == "spare_id":
                spares = named.spares or slots(self.last).spares
                if n < len(spares):
                    arguments[name] = spares[n]
                else:
                    lacks = rule.module or ("sfp" if target.endswith("-P") else "cpri_sfp")
            elif name == "segment":
                if not named.segment:
                    raise Which("which segment: jumper, feeder, connector or antenna?")
                arguments[name] = named.segment
            else:
                arguments[name] = target
        return Step(rule.tool, arguments, lacks)


def _points(clause: str) -> list[str]:
    patterns = {
        "ac_in": r"\b(?:ac[ _-]?in\w*|mains|ac (?:power|voltage|supply)|ac)\b",
        "dc_bus": r"\b(?:dc[ _-]?bus|dc|48 ?v|rectifier output|bus ?bar)\b",
        "battery": r"\bbatter(?:y|ies)\b",
    }
    points = [name for name, words in patterns.items() if re.search(words, clause, re.I)]
    if not points:
        raise Which("at which point: ac_in, dc_bus or battery?")
    return points
