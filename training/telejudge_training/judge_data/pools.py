"""All candidates of one task, with what is true of them: the stuff that groups are dealt from.

In: a recipe (a task and what to make on it). Out: a Pool, the same for the same recipe.

    for pool in make_pools(recipes, processes=2):
        pool.members[0].trajectory, pool.members[0].truth

Correct and corrupted trajectories come from the corruption engine, imperfect ones from the scripted
expert, whose defects are those that the verifier finds; recorded ones are scored by it too.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import store
from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Rollout, Trajectory, Usage
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_envs.workers import pool
from telejudge_judges.corruption.engine import Job, corrupt
from telejudge_judges.corruption.records import Labelled
from telejudge_judges.detectors.catalogue import tools_score
from telejudge_judges.fuse import fuse
from telejudge_judges.opaque import digest
from telejudge_judges.verifier import Verifier
from telejudge_training.judge_data.rows import CandidateTruth, Split

WAVE = 64


class Recipe(Noun):
    """What to make on a task. `kinds` of corruption are tried once each; `experts` is the number of
    the expert's own rollouts, by an expert as careless as `level` says (1: as in `rollout`)."""

    world: str
    task_id: str
    split: Split
    reserved: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    experts: int = 0
    level: float = 1.0
    seed: int = 0

    @property
    def key(self) -> str:
        return digest(self.model_dump_json())[:16]


class Member(Noun):
    """A candidate and its truth."""

    trajectory: Trajectory
    truth: CandidateTruth


class Pool(Noun):
    """Candidates of one task in one mode. `key` is the recipe's, or that of a recorded group."""

    key: str
    task: TaskView
    split: Split
    reserved: tuple[str, ...] = ()
    members: tuple[Member, ...]


class Pools(Noun):
    """The pools of one recipe: one for each mode in which something came of it."""

    key: str
    pools: tuple[Pool, ...]


def make_pools(recipes: Iterable[Recipe], processes: int = 1) -> Generator[Pools, None, None]:
    """In the order of the recipes, spread over processes."""
    if processes <= 1:
        yield from map(pools_of, recipes)
        return
    drawn = iter(recipes)
    with pool(processes) as workers:
        while wave := list(itertools.islice(drawn, WAVE)):
            yield from workers.imap(pools_of, wave, chunksize=1)


def _timeless(trajectory: Trajectory) -> dict[str, Usage]:
    both = {"usage": trajectory.usage, "user_usage": trajectory.user_usage}
    return {
        name: usage.model_copy(update={"seconds": 0.0})
        for name, usage in both.items()
        if usage is not None
    }


def pools_of(recipe: Recipe) -> Pools:
    """What came of a recipe; a task whose base cannot be made gives what its expert did."""
    members: dict[str, dict[str, Member]] = {}
    tasks: dict[str, TaskView] = {}
    for rollout, truth in itertools.chain(_corrupted(recipe), _experts(recipe)):
        tasks[rollout.task.mode] = rollout.task
        here = members.setdefault(rollout.task.mode, {})
        # Shuffles of short plans coincide: each way to handle the case is one candidate.
        said = [m.model_dump_json(exclude={"reasoning"}) for m in rollout.trajectory.messages]
        # How long it took is nobody's business here, and would be other bytes every time.
        timeless = rollout.trajectory.model_copy(update=_timeless(rollout.trajectory))
        here.setdefault(digest(*said), Member(trajectory=timeless, truth=truth))
    return Pools(
        key=recipe.key,
        pools=tuple(
            Pool(
                key=f"{recipe.key}-{mode}",
                task=tasks[mode],
                split=recipe.split,
                reserved=recipe.reserved,
                members=tuple(found.values()),
            )
            for mode, found in members.items()
        ),
    )


def recorded_pools(path: Path, split: Split) -> Iterator[Pool]:
    """Pools of recorded rollouts, one for each task and mode; who cannot be scored is left out."""
    for group in groups_of(store.read(path, Rollout)):
        members = tuple(_scored(group, "recorded"))
        if members:
            yield Pool(key=group.id, task=group.task, split=split, members=members)


def _corrupted(recipe: Recipe) -> Iterator[tuple[Rollout, CandidateTruth]]:
    if not recipe.kinds:
        return
    base = None
    if recipe.world == "tau2-telecom":  # its gold is no careful work; its engineer's is
        here = _world(recipe.world)
        task = here.task(recipe.task_id)
        (base,) = run(here, [task], scripted("engineer", here), seed=recipe.seed)
    job = Job(
        recipe.world,
        recipe.task_id,
        number=recipe.seed + 1,
        seed=recipe.seed,
        rollout=base,
        kinds=recipe.kinds,
    )
    for labelled in corrupt(job).kept:
        yield labelled.rollout, _labelled(labelled)


def _labelled(one: Labelled) -> CandidateTruth:
    outcome = one.rollout.outcome
    assert outcome is not None, "the corruption engine plays what it keeps"
    tools = tools_score(one.defects)
    origin = "corruption" if one.kind else "gold" if one.edit == "base" else "alternative"
    return CandidateTruth(
        answer=outcome.answer,
        tools=tools,
        reward=fuse(outcome.answer, tools, one.defects),
        defects=one.defects,
        kind=one.kind,
        origin=origin,
    )


def _experts(recipe: Recipe) -> Iterator[tuple[Rollout, CandidateTruth]]:
    if not recipe.experts:
        return
    here = _world(recipe.world)
    name = "expert" if recipe.level == 1 else f"expert:{recipe.level:g}"
    task = here.task(recipe.task_id)
    played = run(here, [task], scripted(name, here), rollouts=recipe.experts, seed=recipe.seed)
    by_id = {rollout.trajectory.id: rollout for rollout in played}
    for group in groups_of(played):
        for member in _scored(group, "expert"):
            yield by_id[member.trajectory.id], member.truth


def _scored(group: Group, origin: str) -> Iterator[Member]:
    """The members whom the verifier can score."""
    verdict = Verifier(_world).judge_now(group)
    for trajectory, said in zip(group.trajectories, verdict.verdicts, strict=True):
        if said.answer is not None and said.reward is not None:
            truth = CandidateTruth(
                answer=said.answer,
                tools=said.tools,
                reward=said.reward,
                defects=said.defects,
                origin=origin,
            )
            yield Member(trajectory=trajectory, truth=truth)


_WORLDS: dict[str, World] = {}


def _world(name: str) -> World:
    """One for each process: worlds load their tasks once."""
    if name not in _WORLDS:
        _WORLDS[name] = open_world(name)
    return _WORLDS[name]
