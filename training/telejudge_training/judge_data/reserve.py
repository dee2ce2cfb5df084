"""Which tasks a judge may learn from, and what is kept for testing it: tasks, kinds, faults.

    for plan in task_plans("tau2-telecom", seed=0):
        plan.task_id, plan.split, plan.reserved

Tasks keep the split that their world gave them; a world's `ood` tasks show faults, pairs of faults
or a topology that no other split shows, and are reserved for that. tau2-Telecom has none, so a
share of its fault combinations is drawn; a combination is in one split, whoever the customer is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from telejudge_envs.errors import UsageError
from telejudge_envs.registry import open_world
from telejudge_judges.corruption.stages import stage_of
from telejudge_judges.opaque import digest
from telejudge_training.judge_data.rows import Split

RESERVED_KINDS: dict[str, tuple[str, ...]] = {
    "base-station": ("alarm_cheat", "hallucinated_id", "over_impact"),
    "tau2-telecom": ("hallucinated_id", "policy_violation"),
}
"""Kinds of corruption that no judge is trained on: one about how a call is made, the others about
what it does. None of them shows as the defect of a kind that is trained on."""

TEST_SHARE, DEV_SHARE = 15, 10
"""Percent of tau2's fault combinations."""

_COMBINATION = re.compile(r"\[([^\]]*)\](.*?)(\[PERSONA:[^\]]*\])?")


class TaskPlan(NamedTuple):
    """`reserved` tells what of the task no training split shows."""

    task_id: str
    split: Split
    reserved: tuple[str, ...] = ()


def task_plans(world: str, seed: int) -> list[TaskPlan]:
    """All tasks of a world in shuffled order. Raises UsageError for a world without splits."""
    stage_of(world)
    plans = list(_tau2_plans(seed) if world == "tau2-telecom" else _own_splits(world))
    random.Random(f"{seed}|tasks|{world}").shuffle(plans)
    return plans


def detected_kinds(world: str, kinds: Collection[str]) -> frozenset[str]:
    """The defects in which kinds of corruption show. Raises UsageError for an unknown kind, or one
    that cannot be told from a kind that is not among them."""
    stage = stage_of(world)
    unknown = sorted(set(kinds) - set(stage.detected_as))
    if unknown:
        known = ", ".join(sorted(stage.edits))
        raise UsageError(f"no corruption of {world} is called {unknown[0]}; choose {known}")
    found = frozenset(stage.detected_as[kind] for kind in kinds)
    shared = [k for k in stage.edits if k not in kinds and stage.detected_as[k] in found]
    if shared:
        raise UsageError(f"{shared[0]} shows as the same defect as a reserved kind; reserve it too")
    return found


def _own_splits(world: str) -> Iterator[TaskPlan]:
    here = open_world(world)
    splits: dict[str, Split] = {"train": "train", "dev": "dev", "test": "test"}
    for name, split in splits.items():
        yield from (TaskPlan(task.id, split) for task in here.tasks(name))
    for task in here.tasks("ood"):
        faults = "+".join(sorted(_codes(task.hidden)))
        yield TaskPlan(task.id, "test", (f"faults:{faults}",))


def _codes(hidden: dict) -> Iterable[str]:
    return {atom[:2] for atom in hidden.get("spec", {}).get("atoms", ())}


def combination(task_id: str) -> str:
    """tau2's kind of issue and its faults, from the id of a task, without the persona."""
    found = _COMBINATION.fullmatch(task_id)
    return f"{found[1]}:{'+'.join(sorted(found[2].split('|')))}" if found else task_id


def _tau2_plans(seed: int) -> Iterator[TaskPlan]:
    here = open_world("tau2-telecom")
    tested = {combination(task.id) for task in here.tasks("test")}
    yield from (TaskPlan(task.id, "test") for task in here.tasks("test"))
    for name in ("train", "extra"):
        for task in here.tasks(name):
            faults = combination(task.id)
            point = int(digest("faults", str(seed), faults)[:8], 16) % 100
            if faults in tested:
                continue
            if point < TEST_SHARE:
                yield TaskPlan(task.id, "test", (f"faults:{faults}",))
            else:
                yield TaskPlan(task.id, "dev" if point < TEST_SHARE + DEV_SHARE else "train")
