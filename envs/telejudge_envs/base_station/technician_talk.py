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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from telejudge_envs.base_station.technician_lexicon import (
    ORDER,
    READING,
    Rule,
    lemma_of,
    rule_for,
)
from telejudge_envs.base_station.technician_slots import (
    Slots,
    Which,
    full,
    slots,
    targets,
)
from telejudge_envs.instructions import Request, found
from telejudge_envs.nouns.message import ToolSpec

State = Literal["none", "yes", "not", "other", "if", "asked"]
"""How a verb is governed: an order, forbidden, somebody else's deed, conditional, a question."""

Guess = Callable[[str], int | None]
"""Which sector a clause means that names none; None: ask."""


@dataclass(frozen=True)
class Step:
    """A call to make. `lacks` is the type of a spare part that was not named."""

    tool: str
    arguments: dict[str, Any]
    lacks: str = ""


@dataclass(frozen=True)
class Unclear:
    """Words that ask for something, and what is not clear about them."""

    words: str
    why: str


@dataclass(frozen=True)
class Heard:
    """`forbidden`, `conditional`: orders that are not followed. `guessed`: what a novice took for
    granted where the words were ambiguous."""

    steps: tuple[Step | Unclear, ...] = ()
    forbidden: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def understand(
    text: str, tools: Sequence[ToolSpec], site: str | None = None, guess: Guess | None = None
) -> Heard:
    """`site`: where he was sent, for ids without a site."""
    named, complaint = found(text, tools)
    if complaint:
        return Heard((Unclear("", complaint),))
    known = {tool.name: tool for tool in tools}
    work = _Work(known, _site_in(text) or site, guess)
    marked = _mask(text, [(each.start, each.end) for each in named])
    for sentence in _sentences(marked):
        work.read(sentence, [each.request for each in named])
    return Heard(
        tuple(work.steps), tuple(work.forbidden), tuple(work.conditional), tuple(work.guessed)
    )


def _mask(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Tool calls become `⟦number⟧`, so that no word in their arguments is read as an order."""
    for n, (start, end) in reversed(list(enumerate(spans))):
        text = f"{text[:start].rstrip('`*')}⟦{n}⟧{text[end:].lstrip('`*')}"
    return text


def _sentences(text: str) -> list[str]:
    text = re.sub(r"\bno\.\s*(?=\d)", "", text.replace("’", "'"))
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+|[\n;]+", text) if s.strip()]


def _site_in(text: str) -> str | None:
    sites = slots(text).sites
    return sites[-1] if sites and len(set(sites)) == 1 else None


@dataclass
class _Order:
    """A verb (or masked tool call) of a sentence with the words that belong to it."""

    verb: str
    clause: str
    state: State
    before: str
    call: Request | None = None


_TOOL = re.compile(r"⟦(\d+)⟧")
_LEAD = re.compile(
    r"(?:^|[,:(*•\-–—>\]\"']|\b(?:and|then|please|also|now|next|first|firstly|second|secondly|third|"
    r"finally|lastly|just|kindly|afterwards?|again|carefully|immediately|quickly|or|but|so|instead|"
    r"only|ok|okay|thanks|hello|hi|by|with|after|let's|go and|\d+[.)]?|"
    r"(?:is|sure|remember|try|ask|asked|want|need|like|have|\w+ing|⟧) to))\s*$",
    re.I,
)
_IF = re.compile(r"\b(?:if|unless|in case|otherwise|should (?:it|the|that)|provided)\b", re.I)
_NOT = re.compile(
    r"\b(?:do not|don'?t|never|(?:must|should|need|can|may|will|shall)(?: not|n'?t)|cannot|not|"
    r"no need|nor|refrain from|avoid|without|instead of|rather than)"
    r"(?:\s+(?:yet|just|ever|even|try|please|you|need|have|to|under any circumstances|at all|"
    r"simply|again|want|wish|like|anyone|anybody|go and))*\s*$",
    re.I,
)
_OTHER = re.compile(
    r"\b(?:i|we|they|he|she|it|noc|team|somebody|someone|colleagues?)(?:'ll|'ve|'d|'m|'re)?"
    r"(?:\s+(?:will|can|could|have|already|just|now|also|to|am|are|shall|must|would|should|going|"
    r"need|want|then|may|might|did|had|first|remotely|myself|ourselves))*\s*$",
    re.I,
)
_YOU = re.compile(
    r"(?P<head>\w+ )?\byou(?:'ll| will| can| could| should| must| may| need to| have to| to|"
    r" now| please| then| also| first| just| kindly| go and| next)*\s*$",
    re.I,
)
_ASKED = re.compile(r"\b(?:did|have|had|do|does|when|why|how|before|until|while|what)\s+$", re.I)
_TURN = re.compile(r"\b(?:but|instead|please|just|only|then|rather|now)\b", re.I)
_TURN_TO_HIM = re.compile(r"\b(?:please|you|so|now)\b", re.I)
_ENDS = re.compile(r"\s*(?:[,(]?\s*\b(?:because|since|so that|in order|which|while)\b.*)$", re.I)
_HAPPENED = re.compile(r"(?<!that )(?<!which )\b(?:was|were|has been|have been|had been)\b", re.I)
_AFTER = re.compile(r"\bafter(?:\s+you)?\s*$", re.I)
_QUIET = re.compile(
    r"(?:tell|report|give|send|show|see|list|make sure|make certain|ensure|confirm|verify|take|do|"
    r"perform|run|use|come|go|record|put|start|read|describe|observe|find out|stop|call|execute)$",
    re.I,
)
"""Verbs that mean nothing by themselves: "tell me what it says", "run ⟦0⟧", "go ahead"."""

_PRONOUN = re.compile(r"\b(?:it|them|that one|this one)\b", re.I)


@dataclass
class _Work:
    tools: dict[str, ToolSpec]
    site: str | None
    guess: Guess | None
    steps: list[Step | Unclear] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    conditional: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    last: str = ""
    """The clause before: what "it" means."""

    def read(self, sentence: str, calls: Sequence[Request]) -> None:
        start = len(self.steps)
        orders = list(_orders(sentence, calls))
        for order in orders:
            if order.state == "not":
                self.forbidden.append(_words(order))
            elif order.state == "if":
                self.conditional.append(_words(order))
            elif order.state == "yes":
                self._take(order, start, more=order is not orders[-1])
        asked = sentence.endswith("?") and not any(o.state in ("yes", "if") for o in orders)
        if asked:
            self._answerable(sentence)

    def _take(self, order: _Order, start: int, *, more: bool) -> None:
        made = self._steps(order, more)
        after = _AFTER.search(order.before) and len(self.steps) > start
        at = len(self.steps) - 1 if after else len(self.steps)
        self.steps[at:at] = made
        self.last = order.clause

    def _answerable(self, sentence: str) -> None:
        rule = rule_for("look", sentence)
        if rule is not None and rule.tool in self.tools:
            self.steps.extend(self._of_rule(rule, _Order("", sentence.rstrip("?"), "yes", "")))

    def _steps(self, order: _Order, more: bool) -> list[Step | Unclear]:
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
        if rule is None and _PRONOUN.search(clause):
            order.clause = clause = f"{clause} {self.last}"
            rule = rule_for(lemma, clause)
        if rule is not None and not _switched_off(order):
            return self._of_rule(rule, order)
        if _QUIET.match(order.verb) or (more and lemma in READING):
            return []
        return [Unclear(_words(order), "I have no tool that does this.")]

    def _go(self, order: _Order) -> list[Step | Unclear]:
        named = slots(order.clause)
        if not named.sites and not re.search(r"\b(?:sites?|there|station)\b", order.clause, re.I):
            return []  # "go ahead", "go to the cabinet"
        site = named.sites[0] if named.sites else self.site
        if site is None:
            return [Unclear(_words(order), "to which site? Tell me its id.")]
        return [Step("travel_to_site", {"site_id": site})]

    def _called(self, order: _Order, call: Request) -> list[Step | Unclear]:
        """A tool by its name; arguments that are missing may stand in the words behind it."""
        needed = self.tools[call.tool].parameters.get("required", [])
        if all(name in call.arguments for name in needed) or call.arguments:
            return [Step(call.tool, call.arguments)]
        rule = next((r for r in _RULES_OF(call.tool, order.clause)), None)
        if call.tool == "travel_to_site":
            return self._go(_Order("go", order.clause + " site", "yes", ""))
        if rule is None:
            missing = ", ".join(n for n in needed if n not in call.arguments)
            return [Unclear(call.tool, f"what is the {missing} of {call.tool}?")]
        return self._of_rule(rule, order)

    def _of_rule(self, rule: Rule, order: _Order) -> list[Step | Unclear]:
        if rule.tool not in self.tools:
            return [Unclear(_words(order), "I have no tool that does this.")]
        try:
            return list(self._fill(rule, order.clause))
        except Which as which:
            return [Unclear(_words(order), str(which))]

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
            if self.last and (reads or _PRONOUN.search(clause) or rule.target == "port"):
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


def _orders(sentence: str, calls: Sequence[Request]) -> Iterator[_Order]:
    """The verbs of a sentence, each with its object and with how it is governed."""
    state: State = "none"
    previous: _Order | None = None
    end = 0
    hits = sorted(
        [*ORDER.finditer(sentence), *_TOOL.finditer(sentence)], key=lambda hit: hit.start()
    )
    for hit in hits:
        if hit.start() < end:
            continue
        tool = hit.group().startswith("⟦")
        before = sentence[end : hit.start()]
        now = _governed(before, state, previous, hit.group(), tool)
        if now == "none":
            continue
        if previous is not None:
            previous.clause = _clause(before)
            yield _judged(previous)
        call = calls[int(hit.group(1))] if tool else None
        verb = call.tool if call else hit.group()
        previous = _Order(verb, "", now, before, call)
        state, end = now, hit.end()
    if previous is not None:
        previous.clause = _clause(sentence[end:])
        yield _judged(previous)


def _clause(text: str) -> str:
    return _ENDS.sub("", text).rstrip(" .!,:")


def _judged(order: _Order) -> _Order:
    """An order whose clause tells what happened is none; one with an "if" behind it waits."""
    if order.state == "yes" and order.call is None:
        asks = lemma_of(order.verb) in READING
        if _HAPPENED.search(order.clause) and not asks:
            order.state = "other"
        elif not asks and _IF.search(order.clause):
            order.state = "if"
    return order


def _governed(before: str, state: State, previous: _Order | None, verb: str, tool: bool) -> State:
    """How the words since the last verb govern this one."""
    asking = previous is not None and lemma_of(previous.verb) in READING
    whether = asking and re.match(r"\s*(?:\w+ )?(?:if|whether)\b", before, re.I)
    if state == "if" or (_IF.search(before) and not whether):
        return "if"
    if _NOT.search(before):
        return "not"
    if _AFTER.search(before):
        return "yes"
    you = _YOU.search(before)
    if you:
        if not _ASKED.search(before[: you.start("head")] + (you["head"] or "")):
            return "yes"
        return "yes" if lemma_of(verb) == "go" and re.search(r"\bwhen ", before) else "asked"
    if _OTHER.search(before):
        return "other"
    if tool:
        return state if state in ("not", "other") and not _TURN.search(before) else "yes"
    if not _LEAD.search(before):
        return "none"
    if state == "none":
        someone = re.search(r"\b(?:i|we|they)\b.*\band\s*$", before, re.I)
        return "other" if someone and not _TURN_TO_HIM.search(before) else "yes"
    if state == "not":
        return "yes" if _freed(before, previous, verb) else "not"
    if state in ("other", "asked"):
        return "yes" if _TURN_TO_HIM.search(before) else state
    if re.search(r"\bto\s*$", before) and lemma_of(verb) == "other":
        return "none"  # "close FD2 to restore power": a purpose
    return "yes"


def _freed(before: str, previous: _Order | None, verb: str) -> bool:
    """Whether a "do not" ends before this verb: "but", or a comma before something harmless."""
    if _TURN.search(before):
        return True
    listed = not before.strip(" ,")
    return not listed and before.rstrip().endswith(",") and lemma_of(verb) in READING


def _switched_off(order: _Order) -> bool:
    return lemma_of(order.verb) == "switch" and not re.search(
        r"\b(?:on|in|back)\b", order.clause, re.I
    )


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


def _RULES_OF(tool: str, clause: str) -> list[Rule]:
    from telejudge_envs.base_station.technician_lexicon import RULES

    fitting = [rule for rule in RULES if rule.tool == tool]
    return sorted(fitting, key=lambda rule: not rule.noun.search(clause))


def _words(order: _Order) -> str:
    return f"{order.verb} {order.clause.strip()}".strip()
