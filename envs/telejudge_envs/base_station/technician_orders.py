"""The orders in a sentence: which verbs tell him to do something, and which only seem to.

    [o.verb for o in orders("Check the LEDs, but do not reset the breaker.", ())]  -> Check, reset
    [o.state for o in …]                                                           -> yes, not

In: a sentence in which tool calls are masked as `⟦number⟧`, and those calls. Out: its verbs with
the words that belong to them and a state: an order (`yes`), forbidden (`not`), somebody else's deed
(`other`), dependent on a condition (`if`), asked about (`asked`). Verbs in no such place (nouns,
the past) do not come out at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from telejudge_envs.base_station.technician_lexicon import ORDER, READING, lemma_of
from telejudge_envs.instructions import Request

State = Literal["none", "yes", "not", "other", "if", "asked"]
"""How a verb is governed: an order, forbidden, somebody else's deed, conditional, a question."""


def mask(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Tool calls become `⟦number⟧`, so that no word in their arguments is read as an order."""
    for n, (start, end) in reversed(list(enumerate(spans))):
        text = f"{text[:start].rstrip('`*')}⟦{n}⟧{text[end:].lstrip('`*')}"
    return text


def sentences(text: str) -> list[str]:
    text = re.sub(r"\bno\.\s*(?=\d)", "", text.replace("’", "'"))
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+|[\n;]+", text) if s.strip()]


@dataclass
class Order:
    """A verb (or masked tool call) of a sentence with the words that belong to it."""

    verb: str
    clause: str
    state: State
    before: str
    call: Request | None = None

    @property
    def words(self) -> str:
        clause = _TRAILING.sub("", self.clause.strip())
        return f"{self.verb} {clause}".strip()


_TOOL = re.compile(r"⟦(\d+)⟧")
_LEAD = re.compile(
    r"(?:^|[,:(*•\-–—>\]]|\b(?:and|then|please|also|now|next|first|firstly|second|secondly|third|"
    r"finally|lastly|just|kindly|afterwards?|again|carefully|immediately|quickly|or|but|so|instead|"
    r"only|ok|okay|thanks|hello|hi|by|with|after|let's|go and|\d+[.)]?|"
    r"(?:is|sure|remember|try|ask|asked|want|need|like|have|\w+ing|⟧) to))\s*$",
    re.I,
)
_IF = re.compile(r"\b(?:if|unless|in case|otherwise|should (?:it|the|that)|provided)\b", re.I)
_NOT = re.compile(
    r"\b(?:do not|don'?t|never|(?:must|should|need|can|may|will|shall)(?: not|n'?t)|cannot|not|"
    r"no need|nor|refrain from|avoid|without|instead of|rather than)"
    r"(?:[\s,]+(?:yet|just|ever|even|try|please|you|need|have|to|under any circumstances|at all|"
    r"simply|again|want|wish|like|anyone|anybody|go and))*[\s,]*$",
    re.I,
)
_FORBIDS = re.compile(
    r"(?<!\bi )(?<!\bwe )(?<!\bit )(?<!\bthey )"
    r"\b(?:do not|don'?t|dont|never|must not|mustn'?t|should not|shouldn'?t|no need)\b",
    re.I,
)
_TRAILING_NOT = r"do not|don'?t|never|not"
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
_ENDS = re.compile(
    r"\s*(?:[,(]?\s*\b(?:because|since|so that|in order|which|while|"
    r"(?:and|but|then) (?:if|unless|in case))\b.*)$",
    re.I,
)
_HAPPENED = re.compile(r"(?<!that )(?<!which )\b(?:was|were|has been|have been|had been)\b", re.I)
_TRAILING = re.compile(
    rf"(?:[\s,]+(?:and|or|but|then|just|so|to|nor|please|now|{_TRAILING_NOT}))+$", re.I
)
AFTER = re.compile(r"\bafter(?:\s+you)?\s*$", re.I)


def orders(sentence: str, calls: Sequence[Request]) -> Iterator[Order]:
    """The verbs of a sentence, each with its object and with how it is governed."""
    state: State = "none"
    previous: Order | None = None
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
        previous = Order(verb, "", now, before, call)
        state, end = now, hit.end()
    if previous is not None:
        previous.clause = _clause(sentence[end:])
        yield _judged(previous)


def _clause(text: str) -> str:
    return _ENDS.sub("", text).rstrip(" .!,:")


def _judged(order: Order) -> Order:
    """An order whose clause tells what happened is none; one with an "if" behind it waits."""
    if order.state == "yes" and order.call is None:
        asks = lemma_of(order.verb) in READING
        if _HAPPENED.search(order.clause) and not asks:
            order.state = "other"
        elif not asks and _IF.search(order.clause):
            order.state = "if"
    return order


def _governed(before: str, state: State, previous: Order | None, verb: str, tool: bool) -> State:
    """How the words since the last verb govern this one."""
    if _is_conditional(before, state, previous):
        placed = tool or _LEAD.search(before) or _YOU.search(before) or _NOT.search(before)
        return "if" if placed else "none"
    if _NOT.search(before) or _forbids(before, verb, tool):
        return "not"
    if AFTER.search(before):
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
    return _inherited(before, state, previous, verb)


def _is_conditional(before: str, state: State, previous: Order | None) -> bool:
    """An "if" since the last verb; "check if …" is none."""
    if state == "if":
        return True
    asks = previous is not None and lemma_of(previous.verb) in READING
    whether = re.match(r"\s*(?:\w+ )?(?:if|whether)\b", before, re.I) if asks else None
    return bool(_IF.search(before, whether.end() if whether else 0))


def _forbids(before: str, verb: str, tool: bool) -> bool:
    """A "do not" somewhere before what would change something: better not."""
    if not tool and lemma_of(verb) in READING:
        return False
    no = _FORBIDS.search(before)
    return bool(no) and not _TURN.search(before, no.end())


def _inherited(before: str, state: State, previous: Order | None, verb: str) -> State:
    """A verb without a word of its own that governs it: as the one before it."""
    if not _LEAD.search(before):
        return "none"
    if state == "none":
        someone = re.search(r"\b(?:i|we|they)\b.*\band\s*$", before, re.I)
        return "other" if someone and not _TURN_TO_HIM.search(before) else "yes"
    if state == "not":
        return "yes" if _freed(before, previous, verb) else "not"
    if state == "asked" and before.rstrip().endswith(","):
        return "yes"  # "before you close it, check …"
    if state in ("other", "asked"):
        return "yes" if _TURN_TO_HIM.search(before) else state
    if re.search(r"\bto\s*$", before) and lemma_of(verb) == "other":
        return "none"  # "close FD2 to restore power": a purpose
    return "yes"


def _freed(before: str, previous: Order | None, verb: str) -> bool:
    """Whether a "do not" ends before this verb: "but", or a comma before something harmless."""
    if _TURN.search(before):
        return True
    listed = not before.strip(" ,")
    return not listed and before.rstrip().endswith(",") and lemma_of(verb) in READING
