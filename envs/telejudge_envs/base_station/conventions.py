"""The base-station world in the terms of telejudge_envs.conventions: paths, ranks, tools.

Watched paths are the bits of physics.py, not the fields of the state: `fault.P3.2` (1: the fault is
there), `seen.alarm.LOSS_OF_SIGNAL` (what a read would tell), `told.<call>` for reads that tell of
no bit, and `symptom.sweep`, shown by the read that completes a sweep of the whole site.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from telejudge_envs.base_station.episode import complaint, effect_of
from telejudge_envs.base_station.physics import facts_of
from telejudge_envs.base_station.retrace import Traced
from telejudge_envs.base_station.spec import Spec, build, team_for
from telejudge_envs.conventions import SYMPTOM, State
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Effect, ToolCall
from telejudge_envs.nouns.trajectory import Change, Step

SWEPT = f"{SYMPTOM}sweep"
FAULT = "fault."
SEEN = "seen."
TOLD = "told."


class BaseStationConventions:
    """Answers for one retraced trajectory. The world's rules and oracle judge writes (see
    inspect.py), so that the tables of other worlds are empty here."""

    symptom = SWEPT
    blockers: tuple[str, ...] = ()
    id_arguments: frozenset[str] = frozenset()

    def __init__(self, spec: Spec, mode: Mode, steps: Iterable[Traced], focus: str) -> None:
        traced = list(steps)
        self._mode: Mode = mode
        self._focus = focus
        self._others = {a for a in spec.atoms if team_for(spec, a) is not None}
        self._shown = {step.index: step.shows for step in traced}
        self._swept = sweeps(traced, focus)
        # Of an episode without a call nothing was traced, but its faults were there all the same.
        facts = traced[0].before.facts if traced else facts_of(build(spec), focus)
        bits: Mapping[str, int] = traced[0].bits_before if traced else {}
        self.start: dict[str, Any] = {
            **{f"{FAULT}{name}": bit for name, bit in facts.items() if name[0].isupper()},
            **{f"{SEEN}{name}": bit for name, bit in bits.items()},
        }

    def effect(self, tool: str) -> Effect | None:
        return effect_of(tool)

    def complaint(self, call: ToolCall) -> str | None:
        return complaint(call, self._mode)

    def rank(self, path: str, value: Any) -> int | None:
        """A fault of another team is nobody's to repair here, so it has no rank."""
        if not path.startswith(FAULT) or path.removeprefix(FAULT) in self._others:
            return None
        return 0 if value else 1

    def derived(self, path: str) -> bool:
        return not path.startswith(FAULT)

    def foreign(self, path: str) -> bool:
        """Another site's equipment. Its bits are not watched, so raw ledger paths tell."""
        return path.startswith("sites.") and path.split(".")[1] != self._focus

    def charge(self, change: Change) -> bool:
        return False

    def shows(self, step: Step, state: State) -> Iterable[str]:
        names = self._shown[step.index]
        yield from (f"{SEEN}{name}" for name in names)
        if not names and step.call.name != "submit_resolution_report":
            key = json.dumps(step.call.arguments, sort_keys=True, default=str)
            yield f"{TOLD}{step.call.name}{key}"
        if step.index in self._swept:
            yield SWEPT

    def needed(self, call: ToolCall, state: State, start: State) -> bool:
        return True

    def checks(self, call: ToolCall, state: State) -> tuple[frozenset[str], ...]:
        return ()

    def confirms(self, call: ToolCall, state: State) -> frozenset[str]:
        return frozenset()

    def violation(self, call: ToolCall, before: State, after: State, start: State) -> str | None:
        return None


def sweeps(steps: Iterable[Traced], focus: str) -> set[int]:
    """The reads that complete a sweep: alarms of the site, and KPIs of the site or all its cells,
    since the last write."""
    found: set[int] = set()
    alarms = False
    cells: set[str] = set()
    for step in steps:
        if step.result.error:
            continue
        if step.effect != "read":
            alarms, cells = False, set()
            continue
        scope = str(step.call.arguments.get("scope_id", step.call.arguments.get("object_id", "")))
        if step.call.name == "list_alarms" and scope in (focus, step.before.hub):
            alarms = True
        elif step.call.name == "get_kpi":
            own = {c for c, now in step.before.cells.items() if now.site == focus}
            cells |= own if scope == focus else {scope} & own
        else:
            continue
        if alarms and cells >= {c for c, now in step.before.cells.items() if now.site == focus}:
            found.add(step.index)
    return found


def fact_changes(step: Traced) -> tuple[Change, ...]:
    """The bits that a call flipped, as ledger entries beside the raw ones."""
    call_id = step.call.id
    flipped = [
        Change(path=f"{FAULT}{name}", before=bit, after=step.after.facts[name], call_id=call_id)
        for name, bit in step.before.facts.items()
        if name[0].isupper() and step.after.facts[name] != bit
    ]
    flipped += [
        Change(path=f"{SEEN}{name}", before=bit, after=step.bits[name], call_id=call_id)
        for name, bit in step.bits_before.items()
        if step.bits[name] != bit
    ]
    return (*step.changes, *flipped)
