"""Rules 2 and 7: the weakest action that can cure first; and none again and again.

| broken | severity |
|---|---|
| 2: a stronger action before a weaker one that could cure was tried | soft |
| 7: a breaker closed a second time, a unit reset again | hard |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from telejudge_envs.base_station.atoms import split
from telejudge_envs.base_station.rules.case import Case
from telejudge_envs.base_station.rules.places import interrupted, target
from telejudge_envs.base_station.rules.record import RuleStep, Violation

Complaint = Callable[[Case, int, RuleStep], str | None]


def rule_2(case: Case) -> Iterator[Violation]:
    for at, step in case.done(*_LADDER):
        why = _LADDER[step.tool](case, at, step)
        if why is not None:
            yield Violation(step.index, 2, "soft", f"Rule 2: {why}.")


def _board(case: Case, at: int, step: RuleStep) -> str | None:
    tried = _same(case, at, step)
    if step.arguments.get("mode") == "hard" and not tried:
        return f"hard reset of {target(step)} before a soft one was tried"
    return _reset(case, at, step)


def _reset(case: Case, at: int, step: RuleStep) -> str | None:
    """A reset where a cell merely hangs, which lock and unlock cures."""
    if step.before.facts["B1"] and target(step).endswith("-BM"):
        return None
    relocked = {target(s) for _, s in case.earlier(at, "unlock_cell")}
    hung = [
        cell
        for cell in interrupted(step)
        if step.before.cells[cell].site == step.before.focus
        and step.before.facts[f"B4.{step.before.cells[cell].sector}"]
        and cell not in relocked
    ]
    if not hung:
        return None
    return f"{step.tool} of {target(step)} before lock and unlock of {hung[0]} was tried"


def _visit(case: Case, at: int, step: RuleStep) -> str | None:
    now = step.before
    onsite = [atom for atom in sorted(now.present) if split(atom)[0].onsite]
    tilts = [f"{now.focus}-T{atom[-1]}" for atom in onsite if atom.startswith("A2.")]
    tried = {target(s) for _, s in case.earlier(at, "calibrate_ret")}
    if len(tilts) < len(onsite) or any(t in now.variants or t in tried for t in tilts):
        return None
    if not tilts or step.arguments.get("site_id") != now.focus:
        return None
    return f"site visit before calibrate_ret of {tilts[0]} was tried, which is not jammed"


def _module(case: Case, at: int, step: RuleStep) -> str | None:
    name, now = target(step), step.before
    kind = step.arguments.get("type")
    tried = {target(s) for _, s in case.earlier(at, "calibrate_ret", "reset_breaker")}
    feed = name.replace("-R", "-FD")
    if kind == "ret" and name not in now.variants | tried:
        return f"{name} replaced before calibrate_ret was tried, and it is not jammed"
    if kind == "rru" and _breaker_open(step) and feed not in tried:
        return f"{name} replaced before its open breaker {feed} was closed once"
    return None


def _breaker_open(step: RuleStep) -> bool:
    site, _, number = target(step).partition("-R")
    return site == step.before.focus and bool(step.before.facts.get(f"P3.{number}"))


def _optics(case: Case, at: int, step: RuleStep) -> str | None:
    name = target(step)
    if any(target(s) == name for _, s in case.earlier(at, "clean_connector")):
        return None
    return f"optical module of {name} replaced before its connector was cleaned"


_LADDER: dict[str, Complaint] = {
    "reset_board": _board,
    "reset_rru": _reset,
    "dispatch_technician": _visit,
    "replace_module": _module,
    "replace_sfp": _optics,
}


def rule_7(case: Case) -> Iterator[Violation]:
    for at, step in case.done("reset_breaker", "reset_board", "reset_rru"):
        before = _same(case, at, step)
        name = target(step)
        if step.tool == "reset_breaker":
            unit = name.replace("-FD", "-R")
            renewed = [i for i, s in case.earlier(at, "replace_module") if target(s) == unit]
            if [s for i, s in before if not renewed or i > renewed[-1]]:
                yield _insists(step, f"breaker {name} was closed again")
        elif before and [*(s.arguments.get("mode") for _, s in before)] != ["soft"]:
            yield _insists(step, f"{name} was reset again")
        elif before and step.arguments.get("mode") != "hard":
            yield _insists(step, f"{name} was reset again in the same way")


def _insists(step: RuleStep, what: str) -> Violation:
    return Violation(step.index, 7, "hard", f"Rule 7: {what} although once had not helped.")


def _same(case: Case, at: int, step: RuleStep) -> list[tuple[int, RuleStep]]:
    """Earlier calls of the tool on the same object."""
    return [(i, s) for i, s in case.earlier(at, step.tool) if target(s) == target(step)]
