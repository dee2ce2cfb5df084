"""Whether a task is sound: everything that a task must promise, tried out on it.

In: a Spec. Out: for every check, None or what was wrong.

    validate(spec)                         -> {"faults": None, "gold": None, …}
    for report in validate_all(specs, processes=2): …

| check | promise |
|---|---|
| faults | exactly the faults of the spec are there at the start, and the goal is not reached |
| gold | the gold plan solves the task |
| rules | and breaks no rule of the policy on its way |
| needed | leaving out any one repair or hand-over leaves the task unsolved |
| traps | what a hasty engineer does instead does not help, or breaks a rule |
| replay | the same calls give the same bytes twice |
| oracle | what gold reads is enough to know every fault with a probability of 0.9 |
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.atoms import atoms, present
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.oracle.labels import Labeller
from telejudge_envs.base_station.oracle.oracle import SURE, Oracle
from telejudge_envs.base_station.remedies.case import Call
from telejudge_envs.base_station.remedies.remedy import remedy
from telejudge_envs.base_station.retrace import (
    Traced,
    oracle_steps,
    retrace,
    rule_steps,
    task_info,
)
from telejudge_envs.base_station.rules.check import violations
from telejudge_envs.base_station.spec import Spec, build
from telejudge_envs.base_station.tasks import as_task
from telejudge_envs.base_station.toolkit import tools_of
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.workers import pool

CHECKS = ("faults", "gold", "rules", "needed", "traps", "replay", "oracle")
CHUNK = 8


@dataclass(frozen=True)
class Report:
    """The checks of one task; `failed` maps those that did not hold to what was wrong."""

    task_id: str
    level: int
    split: str
    failed: dict[str, str]


def validate(spec: Spec) -> Report:
    """All checks. Takes some tens of milliseconds."""
    found = {name: check for name, check in zip(CHECKS, _checks(spec), strict=True) if check}
    return Report(spec.id, spec.level, spec.split, found)


def validate_all(specs: Sequence[Spec], processes: int = 2) -> Iterator[Report]:
    """Reports as they come, spread over processes."""
    if processes <= 1:
        yield from map(validate, specs)
        return
    with pool(processes) as helpers:
        yield from helpers.imap_unordered(validate, specs, CHUNK)


def as_json(reports: Iterable[Report]) -> dict[str, Any]:
    """Counts by check and, by task, what was wrong; the same whatever the order of the reports."""
    sorted_ = sorted(reports, key=lambda report: report.task_id)
    failures = Counter(check for report in sorted_ for check in report.failed)
    return {
        "tasks": len(sorted_),
        "levels": dict(sorted(Counter(str(report.level) for report in sorted_).items())),
        "splits": dict(sorted(Counter(report.split for report in sorted_).items())),
        "checks": {
            check: {"passed": len(sorted_) - failures[check], "failed": failures[check]}
            for check in CHECKS
        },
        "failed": {report.task_id: report.failed for report in sorted_ if report.failed},
    }


def fresh(spec: Spec) -> BaseStationEpisode:
    """A solo episode on the task of a spec."""
    return BaseStationEpisode(as_task(spec, "solo"), spec, build(spec), spec.seed, None)


def _checks(spec: Spec) -> Iterator[str | None]:
    yield _faults(spec)
    played = Gold(fresh(spec)).play()
    outcome = played.outcome()
    wrong = [c.name for c in outcome.checks if not c.passed]
    yield f"{', '.join(wrong)} (stopped: {played.stop})" if outcome.answer == 0 else None
    again = fresh(spec)
    steps = retrace(again, played.observation)
    broken = violations(rule_steps(steps), task_info(again.task.view, played.observation))
    errors = [s for s in steps if s.result.error and "BUSY" not in s.result.content]
    yield broken[0].reason if broken else (errors[0].result.content if errors else None)
    yield _needed(spec)
    yield _traps(spec)
    yield _replay(spec, played, steps)
    yield _oracle(spec, steps)


def _faults(spec: Spec) -> str | None:
    episode = fresh(spec)
    db = episode.db
    there = [a for a in atoms(len(db.sites[db.focus].cells)) if present(db, db.focus, a)]
    if set(there) != set(spec.atoms):
        return f"faults at the start: {there}"
    return "the goal is reached at the start" if episode.satisfied() else None


def _needed(spec: Spec) -> str | None:
    """A repair that another one brings about by the way would be none."""
    for atom in spec.atoms:
        played = Gold(fresh(spec), without=atom).play()
        if played.satisfied():
            return f"solved without repairing {atom}"
    return None


def _traps(spec: Spec) -> str | None:
    for atom in spec.atoms:
        episode = fresh(spec)
        calls = remedy(episode.db, spec, atom).trap
        if not calls:
            continue
        messages = _hasty(episode, calls)
        if not present(episode.db, episode.db.focus, atom) and not violations(
            rule_steps(retrace(fresh(spec), messages)), task_info(episode.task.view, messages)
        ):
            return f"the trap of {atom} repairs it without breaking a rule"
    return None


def _hasty(episode: BaseStationEpisode, calls: Sequence[Call]) -> tuple[Message, ...]:
    """The calls, with somebody sent there first where they are done on site."""
    db = episode.db
    wants_visit = any(name in tools_of(FieldKit) for name, _ in calls)
    spares = [s.id for s in db.spares]
    sent: list[Call] = [
        (
            "dispatch_technician",
            {
                "site_id": db.focus,
                "technician_id": db.technicians[0].id,
                "task": "have a look",
                "parts": spares,
            },
        ),
        ("travel_to_site", {"site_id": db.focus}),
    ]
    every: list[Call] = [*(sent if wants_visit else []), *calls]
    for number, (name, arguments) in enumerate(every):
        if episode.stop is None:
            call = ToolCall(id=f"hasty_{number}", name=name, arguments=arguments)
            episode.step(Message(role="assistant", tool_calls=(call,)))
    return episode.observation


def _replay(spec: Spec, played: BaseStationEpisode, steps: Sequence[Traced]) -> str | None:
    again = fresh(spec)
    other = retrace(again, played.observation)
    first, second = _digest(played, steps), _digest(again, other)
    return None if first == second else "two replays differ"


def _digest(episode: BaseStationEpisode, steps: Sequence[Traced]) -> str:
    text = episode.db.model_dump_json() + "".join(step.result.content for step in steps)
    return hashlib.sha256(text.encode()).hexdigest()


def _oracle(spec: Spec, steps: Sequence[Traced]) -> str | None:
    oracle = Oracle(build(spec))
    labeller = Labeller(oracle)
    for step in oracle_steps(steps):
        labeller.label(step)
    known = oracle.posterior(now=False)
    weak = {a: round(known[a], 2) for a in spec.atoms if known[a] < SURE}
    return f"gold's readings leave {weak}" if weak else None
