"""Rules 1 and 8: look before you write; no invented ids.

| broken | severity |
|---|---|
| 1: a write without alarms or without a reading of its object, config without its diff | soft |
| 1: service interrupted without any look at the site | hard |
| 8: an id that nobody had named | soft |

A probe (load step, self-test), an acknowledgement, an approval, a dispatch, an escalation and work
that merely follows from an earlier write on the same object need no look of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from telejudge_envs.base_station.rules.case import REPAIRS, Case
from telejudge_envs.base_station.rules.places import carrying, meets, target
from telejudge_envs.base_station.rules.record import RuleStep, Violation

CONFIGURES = {
    "set_config": ("diff_config_vs_plan", "get_config", "get_change_log"),
    "rollback_config": ("diff_config_vs_plan", "get_config", "get_change_log"),
    "set_ret_tilt": ("diff_config_vs_plan", "get_config", "get_change_log"),
    "add_neighbour": ("diff_config_vs_plan", "get_config", "get_change_log", "get_neighbours"),
}
"""Writes of configuration and the reads of which they need one."""

_OBJECT = re.compile(r"[A-Z]{1,2}\d{2,4}(?:-[A-Z]{1,4}\d?)?|[A-Z]{2,3}-?\d{2,5}")
_WORD = re.compile(r"[\w-]+")
_FREE = frozenset({"root_causes", "evidence", "verification", "actions"})
"""Arguments that rules 12 and 13 look at."""


def rule_1(case: Case) -> Iterator[Violation]:
    handled: set[str] = set()
    for at, step in case.done("lock_cell", *REPAIRS):
        name = target(step)
        if name not in handled and (missing := _not_read(case, at, step)):
            blind = len(missing) > 1 and bool(carrying(step))
            yield Violation(
                step.index,
                1,
                "hard" if blind else "soft",
                f"Rule 1: {step.tool} on {name} before {' and '.join(missing)} had been read.",
            )
        handled.add(name)


def _not_read(case: Case, at: int, step: RuleStep) -> list[str]:
    """What should have been read before a write."""
    where = case.places[at]
    missing = []
    if not any(meets(case.places[i], where) for i, _ in case.earlier(at, "list_alarms")):
        missing.append("the alarms of the site")
    seen = case.looked_at(at, where)
    if not seen:
        missing.append("anything about the object or its site")
    elif step.tool in CONFIGURES and not any(s.tool in CONFIGURES[step.tool] for s in seen):
        missing.append("its configuration or the change log")
    if step.tool == "set_hub_port" and not case.earlier(at, "get_topology"):
        missing.append("the topology")
    return missing


def rule_8(case: Case) -> Iterator[Violation]:
    known = _words(case.info.ticket)
    said = sorted(case.info.said)
    for at, step in enumerate(case.steps):
        while said and said[0][0] <= at:
            known |= _words(said.pop(0)[1])
        if step.owner == "agent":
            for name in sorted(_ids(step.arguments)):
                if name not in known:
                    yield Violation(
                        step.index,
                        8,
                        "soft",
                        f"Rule 8: {step.tool} uses {name}, which no result, ticket or message "
                        "had named.",
                    )
                    known.add(name)
        known |= _words_in(step.content)


def _ids(arguments: Any, name: str = "") -> set[str]:
    """Everything in the arguments that has the form of an id."""
    if isinstance(arguments, str):
        bare = arguments.partition("/")[0]
        return {bare} if _OBJECT.fullmatch(bare) else set()
    if isinstance(arguments, dict):
        inner = [_ids(v, k) for k, v in arguments.items() if k not in _FREE]
        return set().union(*inner)
    if isinstance(arguments, (list, tuple)):
        return set().union(*(_ids(v, name) for v in arguments))
    return set()


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def _words_in(content: Any) -> set[str]:
    if isinstance(content, str):
        return _words(content)
    if isinstance(content, dict):
        return set().union(*map(_words_in, content.keys()), *map(_words_in, content.values()))
    if isinstance(content, (list, tuple)):
        return set().union(*map(_words_in, content))
    return set()
