"""What the technician understands of the agent's free text: a list of steps, in order.

    understand("Go to K042, then close feed FD2. Don't touch the fans.", tools)
    -> Heard(steps=(Step("travel_to_site", {"site_id": "K042"}),
                    Step("reset_breaker", {"feed": "K042-FD2"})), …)

Orders are verbs in the imperative ("check", "could you check", "after cleaning …") and tool calls
(`check_leds(unit_id="K042-BB")`). No orders are: what somebody else did or will do, what he is not
to do, and what depends on an "if". What he does not understand stands among the steps as `Unclear`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from telejudge_envs.base_station.technician_heard import Guess, Heard, Step, Unclear
from telejudge_envs.base_station.technician_lexicon import (
    READING,
    RULES,
    Rule,
    lemma_of,
    rule_for,
)
from telejudge_envs.base_station.technician_orders import AFTER, Order, mask, orders, sentences
from telejudge_envs.base_station.technician_slots import slots
from telejudge_envs.base_station.technician_steps import PRONOUN, StepMaker
from telejudge_envs.instructions import Request, found
from telejudge_envs.nouns.message import ToolSpec

LONGEST = 4_000
"""Characters of a message that he listens to."""

_QUIET = re.compile(
    r"(?:tell|report|give|send|show|see|list|make sure|make certain|ensure|confirm|verify|take|do|"
    r"perform|run|use|come|go|record|put|start|read|describe|observe|find out|stop|call|execute)$",
    re.I,
)
"""Verbs that mean nothing by themselves: "tell me what it says", "run ⟦0⟧", "go ahead"."""


def understand(
    text: str, tools: Sequence[ToolSpec], site: str | None = None, guess: Guess | None = None
) -> Heard:
    """`site`: where he was sent, for ids without a site."""
    text = text[:LONGEST].replace("⟦", "[").replace("⟧", "]")
    named, complaint = found(text, tools)
    if complaint:
        return Heard((Unclear("", complaint),))
    known = {tool.name: tool for tool in tools}
    work = _Work(StepMaker(known, _site_in(text) or site, guess))
    marked = mask(text, [(each.start, each.end) for each in named])
    for sentence in sentences(marked):
        work.read(sentence, [each.request for each in named])
    return Heard(
        tuple(_once(work.steps, known)),
        tuple(work.forbidden),
        tuple(work.conditional),
        tuple(work.maker.guessed),
    )


def _once(
    steps: Sequence[Step | Unclear], tools: Mapping[str, ToolSpec]
) -> Iterator[Step | Unclear]:
    """Without readings that are asked for twice and would say the same."""
    since: list[Step] = []
    for step in steps:
        if isinstance(step, Step) and tools[step.tool].effect == "read":
            if step in since:
                continue
            since.append(step)
        elif isinstance(step, Step):
            since.clear()
        yield step


def _site_in(text: str) -> str | None:
    sites = slots(text).sites
    return sites[-1] if sites and len(set(sites)) == 1 else None


@dataclass
class _Work:
    maker: StepMaker
    steps: list[Step | Unclear] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    conditional: list[str] = field(default_factory=list)

    def read(self, sentence: str, calls: Sequence[Request]) -> None:
        start = len(self.steps)
        found_here = list(orders(sentence, calls))
        for order in found_here:
            if order.state == "not" and not self._is_quiet(order):
                self.forbidden.append(order.words)
            elif order.state == "if" and not self._is_quiet(order):
                self.conditional.append(order.words)
            elif order.state == "yes":
                self._take(order, start, more=order is not found_here[-1])
        asked = sentence.endswith("?") and not any(o.state in ("yes", "if") for o in found_here)
        if asked:
            self._answerable(sentence)

    def _take(self, order: Order, start: int, *, more: bool) -> None:
        made = self._steps(order, more)
        after = AFTER.search(order.before) and len(self.steps) > start
        at = len(self.steps) - 1 if after else len(self.steps)
        self.steps[at:at] = made
        self.maker.last = order.clause

    def _answerable(self, sentence: str) -> None:
        rule = rule_for("look", sentence)
        if rule is not None and rule.tool in self.maker.tools:
            self.steps.extend(self.maker.of_rule(rule, Order("", sentence.rstrip("?"), "yes", "")))

    def _steps(self, order: Order, more: bool) -> list[Step | Unclear]:
        if order.call is not None:
            return self._called(order, order.call)
        lemma = lemma_of(order.verb)
        clause = order.clause
        if lemma == "go":
            return self._go(order)
        if lemma == "leave":
            away = re.match(r"\s*(?:$|the site|site|there|now|home|back|[A-Z]\d{3}\b)", clause)
            tidy = order.verb.lower() not in ("leave", "return")
            return [Step("leave_site", {})] if away or tidy else []
        rule = rule_for(lemma, clause)
        if rule is None and PRONOUN.search(clause):
            order.clause = clause = f"{clause} {self.maker.last}"
            rule = rule_for(lemma, clause)
        if rule is not None and not _switched_off(order):
            return self.maker.of_rule(rule, order)
        if (
            self._is_spare_for_last(order)
            or _QUIET.match(order.verb)
            or (more and lemma in READING)
        ):
            return []
        if lemma == "other" or _switched_off(order):
            return [Unclear(order.words, "I have no tool that does this.")]
        return [Unclear(order.words, f"{order.verb.lower()} what? Name the part.")]

    def _is_quiet(self, order: Order) -> bool:
        rule = rule_for(lemma_of(order.verb), order.clause)
        return order.call is None and rule is None and bool(_QUIET.match(order.verb))

    def _is_spare_for_last(self, order: Order) -> bool:
        """ "Replace fan 1. Use SP222." """
        spares = slots(order.clause).spares
        step = self.steps[-1] if self.steps else None
        if not (spares and isinstance(step, Step) and step.lacks):
            return False
        self.steps[-1] = Step(step.tool, {**step.arguments, "spare_id": spares[0]})
        return True

    def _go(self, order: Order) -> list[Step | Unclear]:
        named = slots(order.clause)
        if not named.sites and not re.search(r"\b(?:sites?|there|station)\b", order.clause, re.I):
            return []  # "go ahead", "go to the cabinet"
        site = named.sites[0] if named.sites else self.maker.site
        if site is None:
            return [Unclear(order.words, "to which site? Tell me its id.")]
        return [Step("travel_to_site", {"site_id": site})]

    def _called(self, order: Order, call: Request) -> list[Step | Unclear]:
        """A tool by its name; arguments that are missing may stand in the words behind it."""
        needed = self.maker.tools[call.tool].parameters.get("required", [])
        if all(name in call.arguments for name in needed) or call.arguments:
            return [Step(call.tool, call.arguments)]
        rule = next((r for r in _rules_of(call.tool, order.clause)), None)
        if call.tool == "travel_to_site":
            return self._go(Order("go", order.clause + " site", "yes", ""))
        if rule is None:
            missing = ", ".join(n for n in needed if n not in call.arguments)
            return [Unclear(call.tool, f"what is the {missing} of {call.tool}?")]
        return self.maker.of_rule(rule, order)


def _switched_off(order: Order) -> bool:
    return lemma_of(order.verb) == "switch" and not re.search(
        r"\b(?:on|in|back)\b", order.clause, re.I
    )


def _rules_of(tool: str, clause: str) -> list[Rule]:
    fitting = [rule for rule in RULES if rule.tool == tool]
    return sorted(fitting, key=lambda rule: not rule.noun.search(clause))
