"""`telejudge data trajectories`: groups of trajectories of known truth, for training and tests.

In: a Plan. Out: GroupRows of both worlds in one file; an interrupted run goes on where it was.

    write_groups(Plan(worlds=("base-station",), train=500), out, processes=2)

The slow part, playing, is kept task by task in `<out>.work.jsonl`, which is removed at the end;
dealing groups from it is quick and always done anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Noun
from telejudge_judges.corruption.stages import stage_of
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import write_rows
from telejudge_training.judge_data.mixing import Mix, Mixer
from telejudge_training.judge_data.pools import Pools, Recipe, make_pools, recorded_pools
from telejudge_training.judge_data.reserve import RESERVED_KINDS, detected_kinds, task_plans
from telejudge_training.judge_data.rows import Card, GroupRow, Split
from telejudge_training.judge_data.work import Work

OnPools = Callable[[int, int], None]
"""Called with recipes done and recipes in all."""


class Plan(Noun):
    """What to make. `train`, `dev`, `test` and `faults` count groups of each world: those of the
    training and dev tasks, of unseen tasks, and of unseen tasks with reserved faults."""

    worlds: tuple[str, ...] = ("base-station", "tau2-telecom")
    train: int = 1000
    dev: int = 100
    test: int = 200
    faults: int = 100
    sizes: tuple[int, ...] = (2, 3, 4, 5)
    per_task: int = 3
    natural: float = 0.3
    kinds: int = 6
    """Kinds of corruption tried on a task."""
    experts: int = 6
    """Rollouts of the expert on a task."""
    level: float = 1.0
    """How careless the expert is."""
    reserve: tuple[str, ...] = ()
    """Kinds of corruption kept for tests; none given: those of reserve.py."""
    seed: int = 0

    def reserved(self, world: str) -> tuple[str, ...]:
        own = tuple(kind for kind in self.reserve if kind in stage_of(world).edits)
        return own or RESERVED_KINDS.get(world, ())


def write_groups(
    plan: Plan,
    out: Path,
    *,
    recorded: Path | None = None,
    recorded_split: Split = "test",
    processes: int = 1,
    on_pools: OnPools = lambda done, total: None,
    force: bool = False,
) -> Card:
    """Make the groups and their card; a file that this very plan has made is left as it is."""
    settings = plan.model_dump(exclude={"seed"})
    settings |= {"recorded_split": recorded_split} if recorded else {}
    told = {name: _listed(value) for name, value in settings.items()}
    making = Making("trajectories", plan.seed, told, options=[("rollouts", recorded)])
    done = making.done(out)
    if done is not None and not force:
        return done
    wanted = [recipe for world in plan.worlds for recipe in recipes(plan, world)]
    work = Work(out, Pools, lambda pools: pools.key)
    made = _played(wanted, work, processes, on_pools)
    rows = write_rows(out, _dealt(plan, made, recorded, recorded_split, making), GroupRow)
    card = making.finish(out, GroupRow, rows)
    work.clear()
    return card


def numbers(text: str) -> tuple[int, ...]:
    """Sizes from "2,3,4". Raises UsageError for anything else, and for a group of one."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 2:
        raise UsageError(f"sizes must be numbers from 2 on, such as 2,3,4; got {text!r}")
    return found


def recipes(plan: Plan, world: str) -> Iterator[Recipe]:
    """As many tasks of each part as its groups need. Kinds rotate, so that all are tried equally
    often; those that are reserved are tried on test tasks only, and always there."""
    reserved = plan.reserved(world)
    detected_kinds(world, reserved)
    usual = [kind for kind in stage_of(world).edits if kind not in reserved]
    counts = {"train": plan.train, "dev": plan.dev, "test": plan.test, "faults": plan.faults}
    tasks = {part: -(-count // plan.per_task) for part, count in counts.items()}
    order: list[str] = []
    dice = random.Random(f"{plan.seed}|kinds|{world}")
    for one in task_plans(world, plan.seed):
        part = "faults" if one.reserved else one.split
        if not tasks.get(part):
            continue
        tasks[part] -= 1
        while len(order) < plan.kinds:
            order += dice.sample(usual, len(usual))
        kinds, order = dict.fromkeys(order[: plan.kinds]), order[plan.kinds :]
        kept = reserved if one.split == "test" else ()
        yield Recipe(
            world=world,
            task_id=one.task_id,
            split=one.split,
            reserved=one.reserved,
            kinds=(*kinds, *kept),
            experts=plan.experts,
            level=plan.level,
            seed=plan.seed,
        )


def _played(
    wanted: list[Recipe], work: Work[Pools], processes: int, on_pools: OnPools
) -> dict[str, Pools]:
    """Pools by recipe, read from the work file or made and kept there."""
    with work:
        missing = [recipe for recipe in wanted if recipe.key not in work.known]
        done = len(wanted) - len(missing)
        on_pools(done, len(wanted))
        for number, pools in enumerate(make_pools(missing, processes), start=done + 1):
            work.add(pools)
            on_pools(number, len(wanted))
    return {recipe.key: work.known[recipe.key] for recipe in wanted}


def _dealt(
    plan: Plan, made: dict[str, Pools], recorded: Path | None, split: Split, making: Making
) -> Iterator[GroupRow]:
    """Balanced within each world and split, so that a test is as balanced as the training."""
    mixers: dict[tuple[str, str, bool], Mixer] = {}
    pools = [pool for pools in made.values() for pool in pools.pools]
    if recorded is not None:
        pools += recorded_pools(recorded, split)
    for pool in pools:
        world = pool.task.world
        key = (world, pool.split, bool(pool.reserved))
        if key not in mixers:
            kinds = plan.reserved(world)
            mix = Mix(
                sizes=plan.sizes,
                per_task=plan.per_task,
                natural=plan.natural,
                reserved=frozenset(kinds),
                hidden=detected_kinds(world, kinds),
                seed=plan.seed,
            )
            mixers[key] = Mixer(mix, making)
        yield from mixers[key].deal(pool)


def _listed(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, Iterable) else value
