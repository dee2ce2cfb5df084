"""Where a trajectory ended, as facts that can be compared between rollouts of one task.

In: a trajectory. Out: facts, path to value, and how it got there, as a bag of writing calls.

    ending_of(trajectory)["device.airplane_mode"]     # 'false'
    writes_of(trajectory)                             # Counter({'toggle_airplane_mode {}': 1})

Facts come from the recorded ledger (net changes: what was changed and changed back is no fact),
from calls that end or hand over a case, from how the episode stopped and, when nothing was called,
from the last text. What differs from run to run without meaning is left out: clocks, ids that a run
made for its own readings and actions, prose.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.steps import steps_of

CLOCKS = frozenset({"clock_min", "at_min", "time", "timestamp", "created_at", "updated_at"})
"""Names of values that only say when."""

PROSE_WORDS = 8
"""Texts of more words are prose: two runs never word it alike."""

_RUNS_OWN = re.compile(r"[a-z]\d+")
"""Ids such as r9 and w4, which count a run's own readings and writes."""

_CLOSED = ("agent_stop", "user_stop")


def ending_of(trajectory: Trajectory, control: Collection[str] = ()) -> dict[str, str]:
    """Facts of the end, by path; `control` names the tools that end or hand over a case."""
    facts: dict[str, str] = {}
    for path, before, after in _net_changes(trajectory):
        facts |= _leaves(path, before, after)
    steps = steps_of(trajectory)
    for step in steps:
        if step.call.name in control and not step.result.error:
            facts[f"call {step.call.name}"] = _spelt(clean(step.call.arguments))
    if not steps:
        facts["said"] = plain_words(_last_text(trajectory))
    facts["stop"] = "closed" if trajectory.stop in _CLOSED else trajectory.stop
    return facts


def writes_of(trajectory: Trajectory) -> Counter[str]:
    """Every call that changed something, with its arguments."""
    return Counter(
        f"{step.call.name} {_spelt(clean(step.call.arguments))}"
        for step in steps_of(trajectory)
        if step.changes
    )


def clean(value: Any) -> Any:
    """A JSON value without what varies from run to run; None when nothing is left."""
    if isinstance(value, dict):
        kept = {k: clean(v) for k, v in sorted(value.items()) if k not in CLOCKS}
        return {k: v for k, v in kept.items() if v not in (None, [], {})} or None
    if isinstance(value, list):
        return sorted((c for v in value if (c := clean(v)) is not None), key=_spelt) or None
    if isinstance(value, str) and (
        len(value.split()) > PROSE_WORDS or _RUNS_OWN.fullmatch(value.strip())
    ):
        return None
    return value


def plain_words(text: str) -> str:
    """A text without case, marks and spacing, so that wordings of one answer compare equal."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _net_changes(trajectory: Trajectory) -> list[tuple[str, Any, Any]]:
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for change in trajectory.changes:
        if change.path.rpartition(".")[2] not in CLOCKS:
            first.setdefault(change.path, change.before)
            last[change.path] = change.after
    return [(path, first[path], after) for path, after in last.items()]


def _leaves(path: str, before: Any, after: Any) -> dict[str, str]:
    """The change of one path; a record (such as a report) counts field by field."""
    old, new = clean(before), clean(after)
    if old == new:
        return {}
    if isinstance(new, dict):
        return {f"{path}.{name}": _spelt(value) for name, value in new.items()}
    return {path: _spelt(new)}


def _last_text(trajectory: Trajectory) -> str:
    said = [m.text for m in trajectory.messages if m.role == "assistant" and m.text.strip()]
    return said[-1] if said else ""


def _spelt(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
