"""Episodes of the base-station world written as lines, and the rules of the policy that they break.

    broken(case("R6.1"), "look; unlock_cell S-C1; sweep")       # -> the violations

Calls are apart by `;`, calls of one message joined by `&`, a call is the tool's name with its
arguments in the order of its schema or as `name=value`; lists have commas. `S` stands for the site
under test, `H` for its hub; `$x` for what the episode gave so far (see `_said`); the words of
MACROS for several calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from telejudge_envs.base_station.alarms import active
from telejudge_envs.base_station.episode import BaseStationEpisode, tool_named
from telejudge_envs.base_station.retrace import retrace, rule_steps, task_info
from telejudge_envs.base_station.rules.check import violations
from telejudge_envs.base_station.rules.record import Violation
from telejudge_envs.base_station.spec import Spec, build
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.tasks import as_task
from telejudge_envs.nouns.message import Message, ToolCall

Tweak = Callable[[RanDB], None]

MACROS = {
    "look": "get_topology S; list_alarms S",
    "sweep": "list_alarms S; get_kpi S",
    "approve": "check_impact {1} {0}; request_approval {0} {1} repair",
    "visit": "list_resources S; dispatch_technician S $tech repair parts={0}; travel_to_site S",
    "noise": "get_kpi S-C1; run_load_step S-C1 80",
    "pci": "set_config S-C1 nrPci $plan.S-C1.nrPci {0}",
    "new_rru": "replace_module rru S-R1 $spare.rru",
    "report": "submit_resolution_report root_causes= restored={0}",
}


def case(*atoms: str, **more: Any) -> Spec:
    more.setdefault("hour", 10)
    return Spec(id="bs-train-00007", split="train", seed=7, level=1, atoms=atoms, **more)


def opened(spec: Spec, tweak: Tweak | None) -> BaseStationEpisode:
    db = build(spec)
    if tweak is not None:
        tweak(db)
    return BaseStationEpisode(as_task(spec, "solo"), spec, db, 0, None)


def broken(
    spec: Spec, line: str, tweak: Tweak | None = None, *, failing: int = 0
) -> tuple[Violation, ...]:
    """Play a line, then put the rules to a replay; `failing`: calls that the world refuses."""
    live = opened(spec, tweak)
    messages: list[Message] = []
    failed = 0
    for turn in _turns(line):
        made = []
        for words in turn.split("&"):
            call = _call(live.db, f"c{len(messages)}.{len(made)}", words.split())
            failed += live.call(call).error
            made.append(call)
        messages.append(Message(role="assistant", tool_calls=tuple(made)))
    assert failed == failing
    steps = rule_steps(retrace(opened(spec, tweak), messages))
    return violations(steps, task_info(as_task(spec, "solo").view, messages))


def _turns(line: str) -> Iterable[str]:
    for turn in filter(None, map(str.strip, line.split(";"))):
        name, *words = turn.split()
        if name not in MACROS:
            yield turn
            continue
        text = MACROS[name]
        used = text.count("{")
        more = " " + " ".join(words[used:]) if name == "report" else ""
        yield from _turns(text.format(*words, "", "") + more)


def _call(db: RanDB, call_id: str, words: list[str]) -> ToolCall:
    tool = tool_named(words[0])
    assert tool is not None, words[0]
    fields = tool.arguments.model_fields
    arguments: dict[str, Any] = {}
    for place, word in enumerate(words[1:]):
        name, equals, value = word.partition("=")
        if not equals:
            name, value = list(fields)[place], word
        listed = "list" in str(fields[name].annotation)
        parts = [_said(db, part) for part in value.split(",") if part]
        arguments[name] = parts if listed else _plain(_said(db, value), fields[name].annotation)
    return ToolCall(id=call_id, name=words[0], arguments=arguments)


def _plain(text: str, kind: Any) -> Any:
    return {bool: lambda: text == "yes", int: lambda: int(text)}.get(kind, lambda: text)()


def _said(db: RanDB, word: str) -> str:
    """A line's own short names, resolved as an agent would by what it has read."""
    if word.startswith("$spare."):
        return next(s.id for s in db.spares if s.type == word[7:] and not s.used)
    if word.startswith("$plan."):
        return str(db.plan[_said(db, word[6:])])
    known = {
        "S": db.focus,
        "H": db.hub.id,
        "$token": db.tokens[-1].id if db.tokens else "",
        "$tech": db.technicians[0].id,
        "$alarm": next((a.alarmId for a in active(db) if a.siteId == db.focus), ""),
        "$port": db.links[db.focus].a,
    }
    head, dash, tail = word.partition("-")
    return known[word] if word in known else known.get(head, head) + dash + tail


def rules(found: Iterable[Violation]) -> list[int]:
    return sorted({v.rule for v in found})


def emergency(db: RanDB) -> None:
    db.sites[db.focus].cells[0].ue_emergency = 1
