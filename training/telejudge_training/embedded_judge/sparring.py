"""Sparring: an agent is trained against the judge as it is, and what it finds out becomes lessons.

    rows = spar(run / "judge-0", "tau2-telecom", settings, run / "sparring-0", seed=0)

A judge that has only seen scripted agents is paid out of its depth within thirty updates: the agent
finds conduct that nobody had shown the judge (fifty calls that repeat each other, to begin with).
So each round trains a small agent by GRPO with the judge's verdicts as its reward, on tasks that
the judge may learn from, and has every rollout labelled by the verifier: the rows that the next
lessons are dealt from. (What DAgger does for imitators: Ross et al. 2011, arXiv:1011.0686.)
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import Verdict
from telejudge_envs.registry import open_world
from telejudge_judges.embedded.judge import EmbeddedJudge
from telejudge_judges.verifier import Verifier
from telejudge_training.crew import Crew
from telejudge_training.curriculum import TaskMix, training_tasks
from telejudge_training.embedded_judge.settings import SparringSettings
from telejudge_training.events import OnEvent, Progress
from telejudge_training.group_reward import GroupReward
from telejudge_training.grouping import Scored
from telejudge_training.grpo import GrpoTrainer
from telejudge_training.journal import Journal
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.mixing import LICENCES
from telejudge_training.judge_data.reserve import task_plans
from telejudge_training.judge_data.rows import CandidateTruth, GroupRow, Provenance
from telejudge_training.recipe import EmbeddedRecipe, load_recipe
from telejudge_training.tiny import model as tiny_model
from telejudge_training.warmstart import warm_start

FILE = "groups.jsonl"


def spar(
    judge: Path,
    world: str,
    settings: SparringSettings,
    folder: Path,
    *,
    seed: int,
    number: int,
    emit: OnEvent = lambda event: None,
) -> list[GroupRow]:
    """The groups of round `number` (from 0), which `folder` keeps; a finished round is only read,
    one that was killed is done again. The warm start is shared by all rounds: `folder`'s sister."""
    path = folder / FILE
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)
        rows = _fought(judge, world, settings, folder, seed, number, emit)
        draft = path.with_suffix(".draft")
        write_rows(draft, rows, GroupRow)
        draft.rename(path)
    return list(read_rows(path, GroupRow))


def _fought(
    judge: Path,
    world_name: str,
    settings: SparringSettings,
    folder: Path,
    seed: int,
    number: int,
    emit: OnEvent,
) -> list[GroupRow]:
    world = open_world(world_name)
    recipe = load_recipe(settings.agent, world_name).with_(grpo={"steps": settings.steps})
    known = {plan.task_id for plan in task_plans(world_name, seed) if plan.split == "train"}
    tasks = training_tasks(world, recipe.train_split, recipe.train_levels)
    tasks = tuple(task for task in tasks if task.id in known)
    harvest: list[GroupRow] = []

    def keep(scored: Sequence[Scored]) -> None:
        told = f"sparring round={number} seed={seed}"
        harvest.extend(row for one in scored if (row := _row(one, told)) is not None)

    with Crew(
        world,
        EmbeddedJudge(judge),
        Verifier(open_world),
        shares=recipe.shares,
        processes=recipe.processes,
        threads=recipe.threads,
    ) as crew:
        model, tokenizer = _sparrer(recipe, crew, tasks, folder, seed, emit)
        crew.equip(model, tokenizer)
        trainer = GrpoTrainer(
            crew,
            TaskMix(world, tasks, recipe.mix, adaptive=recipe.adaptive, by_level=recipe.by_level),
            recipe.grpo,
            seed=seed + number,
            folder=folder / "train",
            rollout=recipe.rollout,
            on_scored=keep,
        )
        trainer.train(lambda step, steps, line: emit(Progress("grpo", step, steps, line)))
    return harvest


def _sparrer(recipe: EmbeddedRecipe, crew: Crew, tasks, folder: Path, seed: int, emit: OnEvent):
    """The agent as it begins every round."""
    warm = folder.parent / f"{recipe.world}-warm"
    if not warm.exists():
        journal = Journal(folder.parent / f"{recipe.world}-warm.jsonl")
        warm_start(recipe, crew, tasks, warm, journal, seed=seed, emit=emit)
    return tiny_model.load(warm)


def _row(scored: Scored, made_by: str) -> GroupRow | None:
    """A group with the auditor's verdicts as its truths; None: he scored nobody."""
    group, audit = scored.played.group, scored.audit
    assert isinstance(audit, GroupReward), "the crew has an auditor"
    truths = {
        verdict.trajectory_id: truth
        for verdict in audit.verdict.verdicts
        if (truth := _truth(verdict)) is not None
    }
    if not truths:
        return None
    shown = tuple(_bare(one) for one in group.trajectories if one.id in truths)
    world = group.task.world
    return GroupRow(
        id=f"{made_by}|{group.id}",
        split="train",
        form="policy",
        group=Group(id=group.id, task=group.task, trajectories=shown),
        truths=truths,
        provenance=Provenance(source=world, licence=LICENCES[world], made_by=made_by),
    )


def _truth(verdict: Verdict) -> CandidateTruth | None:
    if verdict.answer is None or verdict.reward is None:
        return None
    return CandidateTruth(
        answer=verdict.answer,
        tools=verdict.tools,
        reward=verdict.reward,
        defects=verdict.defects,
        origin="policy",
    )


def _bare(trajectory: Trajectory) -> Trajectory:
    """Without the policy's 30,000 characters and the sampled tokens, which no judge reads."""
    messages = tuple(one for one in trajectory.messages if one.role != "system")
    return trajectory.model_copy(update={"messages": messages, "trace": None})
