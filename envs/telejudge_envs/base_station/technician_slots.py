"""Which things a clause of the agent's text names: ids, sectors, ends, spares, a segment.

    slots("both ends of the fibre O1")   -> Slots(ids=("O1",), ends=("bbu", "rru"), …)
    targets("FD", slots("the breaker of sector 2"), "…", "K042")   -> ["K042-FD2"]

`targets` raises Which, a question for the agent, when the words leave it open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from telejudge_envs.base_station.layout import SECTORS


@dataclass(frozen=True)
class Slots:
    """What a clause names. `ids` as written, with or without site; `numbered` are pairs such as
    ("FAN", 1) or ("S", 2) for sector 2."""

    ids: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()
    numbered: tuple[tuple[str, int], ...] = ()
    ends: tuple[str, ...] = ()
    segment: str = ""
    uplink: bool = False
    every: bool = False


_FULL_ID = re.compile(
    r"(?<![\w-])(?:([A-Z]\d{3})-)?((?:FD|FAN|RE|[CROAT])\d|BM|BB|GNSS|PTP|AC0|AC|P|L)"
    r"(/(?:bbu|rru))?(?![\w-])"
)
_SITE = re.compile(r"(?<![\w-])[A-Z]\d{3}(?![\w])")
_SPARE = re.compile(r"(?<![\w-])SP\d+(?!\w)")
_SECTORS = re.compile(
    r"\bsectors?\s+((?:\d|one|two|three)(?:(?:\s*(?:,|and|&)\s*)(?:\d\b(?!\s*\.)))*)", re.I
)
_NOUN_NUMBER = re.compile(
    r"\b(rru|radio unit|radio|cell|fan|rectifier|breaker|feed|fib(?:re|er)|cpri|ret|antenna line|"
    r"antenna|unit)s?\s+(?:no\.?\s*|number\s+|#)?(\d)\b(?!\s*(?:V|dB|m)\b)", re.I)  # fmt: skip
_ORDINAL = re.compile(
    r"\b(first|second|third|1st|2nd|3rd)\s+(sector|rru|radio unit|radio|cell|fan|rectifier|breaker|"
    r"feed|fib(?:re|er)|ret|antenna line|antenna)\b", re.I)  # fmt: skip
_NUMBER = {"one": 1, "two": 2, "three": 3, "first": 1, "second": 2, "third": 3,
           "1st": 1, "2nd": 2, "3rd": 3}  # fmt: skip
_LETTER = {"rru": "R", "radio": "R", "cell": "C", "fan": "FAN", "rectifier": "RE",
           "breaker": "FD", "feed": "FD", "fibre": "O", "fiber": "O", "cpri": "O", "ret": "T",
           "antenna": "A", "sector": "S", "unit": "R"}  # fmt: skip
_BBU_END = re.compile(r"\b(?:bbu|base ?band|cabinet|lower|bottom)(?:[- ](?:end|side))\b", re.I)
_RRU_END = re.compile(r"\b(?:rru|radio(?: unit)?|mast|tower|upper|top)(?:[- ](?:end|side))\b", re.I)
_BOTH = re.compile(r"\bboth (?:ends|sides)\b|\bat (?:the )?two ends\b|\beither end\b", re.I)
_SEGMENT = re.compile(r"\b(jumper|feeder|connector)s?\b", re.I)
_ANTENNA = re.compile(r"\bantenna\b(?! (?:line|jumper|feeder|connector|port))", re.I)
_EVERY = re.compile(r"\b(?:all|each|every|both)\b(?! (?:ends|sides))", re.I)
_PLURAL = re.compile(
    r"\b(?:fans|rectifiers|radio units|radios|rrus|antenna lines|cpri fib(?:re|er)s)\b"
    r"(?! [A-Z]*\d)",
    re.I,
)
_UP = re.compile(r"\b(?:uplink|backhaul|transport|site port)\b", re.I)


def slots(clause: str) -> Slots:
    """What the clause names, in its order."""
    ids = tuple(
        f"{m.group(1)}-{m.group(2)}{m.group(3) or ''}" if m.group(1) else m.group(2) + (m[3] or "")
        for m in _FULL_ID.finditer(clause)
    )
    segment = _SEGMENT.search(clause) or _ANTENNA.search(clause)
    return Slots(
        ids=ids,
        sites=tuple(m.group() for m in _SITE.finditer(clause)),
        spares=tuple(m.group() for m in _SPARE.finditer(clause)),
        numbered=_numbered(clause),
        ends=_ends(clause),
        segment=(segment.group().lower().rstrip("s")) if segment else "",
        uplink=bool(_UP.search(clause)),
        every=bool(_EVERY.search(clause) or _PLURAL.search(clause)),
    )


def _numbered(clause: str) -> tuple[tuple[str, int], ...]:
    pairs = [
        ("S", _NUMBER.get(n.lower()) or int(n))
        for m in _SECTORS.finditer(clause)
        for n in re.findall(r"\d|one|two|three", m.group(1), re.I)
    ]
    pairs += [(_letter(m.group(1)), int(m.group(2))) for m in _NOUN_NUMBER.finditer(clause)]
    pairs += [(_letter(m.group(2)), _NUMBER[m.group(1).lower()]) for m in _ORDINAL.finditer(clause)]
    return tuple(dict.fromkeys(p for p in pairs if 1 <= p[1] <= SECTORS))


def _letter(noun: str) -> str:
    return _LETTER[noun.lower().split()[0]]


def _ends(clause: str) -> tuple[str, ...]:
    if _BOTH.search(clause):
        return ("bbu", "rru")
    named = [(m.start(), "bbu") for m in _BBU_END.finditer(clause)]
    named += [(m.start(), "rru") for m in _RRU_END.finditer(clause)]
    return tuple(dict.fromkeys(end for _, end in sorted(named)))


class Which(Exception):
    """The words leave open which thing is meant; the text is the question."""


LINKED = ("R", "FD", "O", "A", "T", "C")
"""Things that every sector has one of: sector 2 has R2, FD2, O2 and so on."""

_NAMES = {"R": "radio unit", "FD": "feed", "O": "CPRI fibre", "A": "antenna line", "T": "RET",
          "RE": "rectifier", "FAN": "fan"}  # fmt: skip
_PAIRS = {"RE": 2, "FAN": 2}
_UNIT_WORDS = (
    ("BM", re.compile(r"\bmain (?:board|unit|processor)\b", re.I)),
    ("BB", re.compile(r"\b(?:base ?band|(?<!/)bbu)\b(?! (?:end|side))", re.I)),
)
_OPTICAL = re.compile(r"\b(?:cpri|fib(?:re|er)|optic\w*|sfp|transceiver|fronthaul)\b", re.I)
_AERIAL = re.compile(r"\b(?:antenna|jumper|feeder)\b", re.I)


def targets(kind: str, s: Slots, clause: str, site: str | None, *, reads: bool) -> list[str]:
    """Full ids of the things of that kind that are meant. Raises Which."""
    if kind in ("BB", "GNSS", "L", "AC0", "AC"):
        return [full(kind if not s.sites else f"{s.sites[0]}-{kind}", site)]
    find = {
        "unit": _units, "slot": _slots, "optic": _optics, "fibre": _fibres, "port": _ports,
        "look": _ports,
    }.get(kind)  # fmt: skip
    found = find(s, clause, reads) if find else _numbers(kind, s)
    return [full(name, s.sites[0] if s.sites else site) for name in dict.fromkeys(found)]


def full(name: str, site: str | None) -> str:
    if re.match(r"[A-Z]\d{3}-", name):
        return name
    if site is None:
        raise Which("at which site? Tell me its id.")
    return f"{site}-{name}"


def suffix(name: str) -> str:
    """`FD` of `K042-FD2`, `O` of `O1/bbu`."""
    return name.rpartition("-")[2].partition("/")[0].rstrip("0123456789")


def _numbers(kind: str, s: Slots) -> list[str]:
    named = [name.partition("/")[0] for name in s.ids if suffix(name) == kind]
    if named:
        return named
    if s.every:
        return [f"{kind}{n}" for n in range(1, _PAIRS.get(kind, SECTORS) + 1)]
    return [f"{kind}{n}" for n in numbers(kind, s)] or _ask_number(kind)


def _ask_number(kind: str) -> list[str]:
    example = f"{kind}1" if kind in _PAIRS else f"sector 1, or {kind}1"
    raise Which(f"which {_NAMES[kind]}? Tell me its id, such as {example}.")


def numbers(kind: str, s: Slots) -> list[int]:
    """The numbers of the things of a kind, by sector or by another thing of the same sector."""
    if kind not in LINKED:
        return [n for letter, n in s.numbered if letter == kind]
    own = [n for letter, n in s.numbered if letter == kind]
    by_id = [int(name.partition("/")[0][-1]) for name in s.ids if suffix(name) in LINKED]
    return own or by_id or [n for letter, n in s.numbered if letter in (*LINKED, "S")]


def _units(s: Slots, clause: str, reads: bool) -> list[str]:
    named = [name for name in s.ids if suffix(name) in ("BM", "BB", "R", "RE", "FAN")]
    named += [unit for unit, words in _UNIT_WORDS if words.search(clause) and unit not in named]
    kind = next(
        (k for k, word in (("FAN", "fan"), ("RE", "rectifier")) if word in clause.lower()), "R"
    )
    if not any(suffix(name) == kind for name in named):
        every = range(1, _PAIRS.get(kind, SECTORS) + 1) if s.every else ()
        named += [f"{kind}{n}" for n in (numbers(kind, s) or every)]
    if not named:
        raise Which("of which unit? Tell me its id, such as BM, BB, R1, RE1 or FAN1.")
    return named


def _slots(s: Slots, clause: str, reads: bool) -> list[str]:
    return list(s.ids) or _units(s, clause, reads)


def _optics(s: Slots, clause: str, reads: bool) -> list[str]:
    ports = [name for name in s.ids if suffix(name) == "P"]
    ends = s.ends or (("bbu", "rru") if reads else ())
    whole: list[str] = []
    for name in s.ids:
        if suffix(name) == "O":
            whole += [name] if "/" in name else _with_ends(name, ends)
    if ports or whole:
        return ports + whole
    if s.uplink:
        return ["P"]
    found = [f"O{n}" for n in numbers("O", s)]
    if not found and s.every:
        found = [f"O{n}" for n in range(1, SECTORS + 1)]
    if not found:
        raise Which("at which port? P is the uplink, O1/bbu and O1/rru are the ends of a fibre.")
    return [end for name in found for end in _with_ends(name, ends)]


def _with_ends(fibre: str, ends: tuple[str, ...]) -> list[str]:
    if not ends:
        raise Which(f"at which end of {fibre}: {fibre}/bbu or {fibre}/rru?")
    return [f"{fibre}/{end}" for end in ends]


def _fibres(s: Slots, clause: str, reads: bool) -> list[str]:
    named = ["P" if name in ("L", "P") else name for name in s.ids if suffix(name) in "OPL"]
    if named or s.uplink:
        return named or ["P"]
    found = [f"O{n}" for n in numbers("O", s)]
    if not found:
        raise Which("which fibre? P is the uplink, O1 the fibre of the first radio unit.")
    return found


def _ports(s: Slots, clause: str, reads: bool) -> list[str]:
    lines = [name for name in s.ids if suffix(name) == "A"]
    if lines:
        return lines
    if any(suffix(name) in ("P", "O") for name in s.ids) or s.ends or s.uplink:
        return _optics(s, clause, reads)
    if _AERIAL.search(clause) and numbers("A", s):
        return [f"A{n}" for n in numbers("A", s)]
    if _OPTICAL.search(clause):
        return _optics(s, clause, reads)
    raise Which("which connector? P, an end such as O1/bbu, or an antenna line such as A1?")
