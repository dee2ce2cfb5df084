"""The technician's vocabulary: verbs that can be orders, and which tool is meant with which noun.

In: a verb and what follows it. Out: the verb's lemma and the rule that fits.

    rule_for("replace", "the RRU of sector 2 with SP312")  -> Rule(tool="replace_module", …)

A rule says what the tool is done to (`target`); technician_slots.py finds out which one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VERBS: dict[str, str] = {
    "go": r"go|drive|travel|head|proceed|get(?= (?:over )?to)|make your way|come",
    "leave": r"leave|pack up|go home|drive home|drive back|depart|return|come back",
    "look": r"check|read|tell|report|show|list|give|send|find out|count|identify|double-check|"
    r"re-?check|see",
    "inspect": r"inspect|examine|look|observe|describe|have a look|take a look",
    "measure": r"measure|test|shoot|sweep|take|do(?! not)|call|execute|invoke|perform|scan|record|"
    r"probe|re-?measure",
    "confirm": r"confirm|verify|ensure|make sure|make certain|isolate|tag out",
    "reset": r"reset",
    "close": r"close|re-?close|flip|re-?engage|engage|re-?arm",
    "switch": r"switch|turn|put",
    "start": r"start up|start|fire up|crank|run|launch|restart",
    "replace": r"replace|swap|exchange|change|install|fit|renew|build in|put in|use|pull",
    "clean": r"clean|wipe|polish",
    "splice": r"splice|re-?splice|join|weld",
    "repair": r"repair|fix|mend|redo",
    "other": r"re-?calibrate|tighten|loosen|align|tilt|rotate|remove|unplug|plug|reboot|re-?boot|"
    r"power[- ]cycle|disconnect|connect|lift|adjust|update|upgrade|configure|lock|unlock|open|cut|"
    r"disable|enable|shut|bypass|charge|refuel|fill|touch|trip|press|push|kill|climb|stop|paint|"
    r"escalate|move|set|raise|lower|erase|wire|ground|drain|dispatch|clear|acknowledge",
}
"""Lemma to the forms that can be an order. `other` are orders that no tool of his can follow."""

_EACH = "|".join(
    sorted((form for forms in VERBS.values() for form in forms.split("|")), key=len, reverse=True)
)
_GERUND = (
    r"cleaning|closing|resetting|replacing|swapping|checking|measuring|splicing|repairing|starting|"
    r"travell?ing|driving|going|reading|inspecting|confirming|renewing|looking"
)
ORDER = re.compile(
    rf"\b(?:(?<=after )(?:{_GERUND})|(?<=by )(?:{_GERUND})|(?<=with )(?:{_GERUND})|{_EACH})"
    r"\b(?![-'_/]\w)(?! (?:of|was|were|is|has|had|by|failed|did)\b)",
    re.I,
)
_FROM_GERUND = {
    "cleaning": "clean", "closing": "close", "resetting": "reset", "replacing": "replace",
    "swapping": "replace", "checking": "look", "measuring": "measure", "splicing": "splice",
    "repairing": "repair", "starting": "start", "traveling": "go", "travelling": "go",
    "driving": "go", "going": "go", "reading": "look", "inspecting": "inspect",
    "confirming": "confirm", "renewing": "replace", "looking": "inspect",
}  # fmt: skip
_LEMMAS = {lemma: re.compile(rf"(?:{forms})\Z", re.I) for lemma, forms in VERBS.items()}


def lemma_of(verb: str) -> str:
    word = verb.lower()
    if word in _FROM_GERUND:
        return _FROM_GERUND[word]
    return next((lemma for lemma, forms in _LEMMAS.items() if forms.match(word)), "other")


READING = ("look", "inspect", "measure", "confirm")


@dataclass(frozen=True)
class Rule:
    """`tool` is meant when a verb of `lemmas` meets `noun`; `target` is what it is done to."""

    tool: str
    lemmas: tuple[str, ...]
    noun: re.Pattern[str]
    target: str = ""
    module: str = ""


def _rule(
    tool: str, lemmas: tuple[str, ...], noun: str, target: str = "", module: str = ""
) -> Rule:
    words = rf"(?<![\w/])(?:(?i:{noun}))(?!\w)" if noun else ""
    return Rule(tool, lemmas, re.compile(words), target, module)


_ID = r"(?:[a-z]\d{3}-)?"
_RRU = rf"rrus?|radio units?|radios?|remote radio|{_ID}r\d"
_RECTIFIER = rf"rectifiers?|power modules?|{_ID}re\d"
_FAN = rf"fans?|fan trays?|{_ID}fan\d"
_BASEBAND = rf"baseband(?: board| unit| card)?|bbu?(?!/)|{_ID}bb"
_GNSS = rf"gnss|gps|{_ID}gnss"
_RET = rf"rets?|tilt unit|tilt motor|{_ID}t\d"
_FIBRE = rf"(?:cpri |fronthaul )?(?:fib(?:re|er)s?|cable)|cpri|{_ID}o\d(?:/\w+)?"
_UPLINK = rf"uplink|backhaul|link|splice|cable|(?:uplink )?fib(?:re|er)|{_ID}l"
_LINE = rf"antenna lines?|antennas?|jumpers?|feeders?|segments?|connectors?|{_ID}a\d"
_SFP = r"sfps?|transceivers?|optical modules?|optics?|laser"
_BREAKER = rf"(?:circuit )?breakers?|fuses?|feeds?|{_ID}fd\d"
_AIRCON = rf"air[- ]?con\w*|air conditioning|cooling unit|hvac|{_ID}ac"
_REPLACE = ("replace",)

RULES: tuple[Rule, ...] = (
    _rule("otdr", (*READING, "start", "replace"), r"(?:.{0,60}\b)?(?:otdr|reflectometer)", "fibre"),
    _rule("measure_vswr_dtf", READING, r"(?:.{0,60}\b)?(?:vswr|dtf|distance[- ]to[- ]fault)", "A"),
    _rule("confirm_rf_isolation", ("confirm", "look", "measure", "inspect"),
          r"(?:rf )?isolat\w*|(?:does not|doesn't|not) transmit\w*|no rf|radiat\w*|tag out", "R"),
    _rule("confirm_rf_isolation", ("confirm",), _RRU, "R"),
    _rule("reset_breaker", ("reset", "close", "switch", "start"), _BREAKER, "FD"),
    _rule("reset_aircon", ("reset", "switch", "start"), _AIRCON),
    _rule("start_generator", ("start", "switch"), r"generator|gen-?set|diesel"),
    _rule("clean_connector", ("clean",),
          rf"connectors?|ports?|ends?|end faces?|contacts?|optics?|fib(?:re|er)s?|{_ID}p|"
          rf"{_ID}[oa]\d(?:/\w+)?", "port"),
    _rule("replace_sfp", _REPLACE, _SFP, "optic"),
    _rule("replace_module", _REPLACE, _RECTIFIER, "RE", "rectifier"),
    _rule("replace_module", _REPLACE, _FAN, "FAN", "fan"),
    _rule("replace_module", _REPLACE, _BASEBAND, "BB", "baseband"),
    _rule("replace_module", _REPLACE, _RRU, "R", "rru"),
    _rule("replace_module", _REPLACE, _GNSS, "GNSS", "gnss_antenna"),
    _rule("replace_module", _REPLACE, _RET, "T", "ret"),
    _rule("replace_fibre", ("replace", "repair"), _FIBRE, "O"),
    _rule("splice_fibre", ("splice", "repair"), _UPLINK, "L"),
    _rule("repair_antenna_line", ("repair", "replace"), _LINE, "A"),
    _rule("check_leds", READING,
          r"leds?|lamps?|lights(?= of| on)|indicators?|status lights?", "unit"),
    _rule("check_breakers", READING, _BREAKER),
    _rule("inspect", ("look", "inspect"), r"generator|gen-?set|mains and generator|"
          rf"{_ID}ac0", "AC0"),
    _rule("measure_voltage", READING,
          r"voltages?|volts?|batter(?:y|ies)|ac[ _-]in(?:put)?|mains|dc[ _-]?bus|48 ?v|ac power"),
    _rule("read_thermometer", READING, r"temperature|thermometer|how (?:hot|warm)|ambient|degrees"),
    _rule("measure_vswr_dtf", READING,
          r"vswr|dtf|distance[- ]to[- ]fault|return loss|swr|reflections?|line sweep|"
          r"antenna sweep", "A"),
    _rule("otdr", (*READING, "start", "replace"),
          r"otdr|reflectometer|(?:fib(?:re|er) )?break|where (?:\w+ ){0,6}(?:broken|cut)|distance",
          "fibre"),
    _rule("measure_optical_power", READING,
          r"optical (?:power|level|signal|light)s?|light(?: level)?|rx(?: power| level)?|"
          r"receive(?:d)? (?:power|level|light)|dbm|power (?:level )?(?:at|on|of)", "optic"),
    _rule("check_gnss_antenna", READING, _GNSS),
    _rule("read_asset_label", READING, r"labels?|serial(?: numbers?)?|name ?plates?|asset tag",
          "slot"),
    _rule("list_spares", READING, r"spares?|spare parts|parts|van|stock"),
    _rule("check_leds", READING,
          rf"main board|{_ID}bm|{_BASEBAND}|{_RRU}|{_RECTIFIER}|{_FAN}", "unit"),
    _rule("measure_vswr_dtf", ("measure",), rf"antenna lines?|feeders?|{_ID}a\d", "A"),
    _rule("inspect", ("look", "inspect"),
          rf"connectors?|end faces?|antenna lines?|feeders?|{_ID}a\d", "look"),
    _rule("inspect", ("inspect",),
          rf"ports?|ends?|uplink|{_ID}p|{_ID}o\d(?:/\w+)?|{_SFP}", "look"),
    _rule("inspect", READING, _AIRCON, "AC"),
    _rule("inspect", ("look", "inspect"), rf"{_RET}", "T"),
    _rule("measure_optical_power", READING, rf"{_ID}o\d/\w+", "optic"),
    _rule("otdr", READING, _FIBRE, "fibre"),
    _rule("measure_optical_power", READING, rf"ports?|uplink|{_ID}p|{_SFP}", "optic"),
)  # fmt: skip


def rule_for(lemma: str, clause: str) -> Rule | None:
    """The rule whose noun stands first behind the verb: "the RRU of the fibre" is an RRU."""
    best: tuple[int, Rule] | None = None
    for rule in RULES:
        if lemma not in rule.lemmas:
            continue
        hit = rule.noun.search(clause)
        if hit and (best is None or hit.start() < best[0]):
            best = (hit.start(), rule)
    return None if best is None else best[1]
