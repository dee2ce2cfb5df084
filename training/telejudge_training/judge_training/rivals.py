"""An expert and an agent on the same tasks: pairs of their episodes, for a judge to tell apart.

    rows = rival_pairs(recipe, world, tasks, agent=run / "warm", seed=3, label="r1", evidence=2000)

The texts are those that a scalar judge without briefings reads within `evidence` tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import cast_of
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_judges.evidence import prepare
from telejudge_judges.scalar import scalar_text
from telejudge_judges.verifier import Verifier
from telejudge_training.crew import Crew
from telejudge_training.grouping import Round, play_and_judge
from telejudge_training.judge_data.rows import PairRow, Provenance
from telejudge_training.recipe import EmbeddedRecipe
from telejudge_training.tiny import model as tiny_model


def rival_pairs(
    recipe: EmbeddedRecipe,
    world: World,
    tasks: Sequence[Task],
    *,
    agent: Path,
    seed: int,
    label: str,
    evidence: int,
) -> list[PairRow]:
    """For each different task an episode of the careful expert, chosen, and one of the model in
    `agent`, rejected. Chosen means done by the expert, not right."""
    once = list({task.id: task for task in tasks}.values())
    careful = cast_of(world.name).imperfect(level=0.0)
    experts = run(world, once, careful, seed=seed)
    how = Round(
        size=1,
        temperature=recipe.grpo.temperature,
        seed=seed,
        label=f"{label}/",
        bounds=recipe.rollout,
    )
    with Crew(world, Verifier(open_world), shares=recipe.shares) as crew:
        crew.equip(*tiny_model.load(agent))
        agents = [one.played.rollouts[0] for one in play_and_judge(crew, once, how)]
    return [_pair(*both, label, evidence) for both in zip(experts, agents, strict=True)]


def _pair(expert: Rollout, agent: Rollout, label: str, evidence: int) -> PairRow:
    return PairRow(
        id=f"{label}/{expert.task.id}",
        group_id=expert.task.id,
        task_id=expert.task.id,
        world=expert.trajectory.world,
        split="train",
        prompt="",
        chosen=_text(expert, evidence),
        rejected=_text(agent, evidence),
        chosen_id=expert.trajectory.id,
        rejected_id=agent.trajectory.id,
        chosen_answer=1,
        rejected_answer=0,
        margin=1.0,
        provenance=Provenance(
            source=expert.trajectory.world, licence="Apache-2.0", made_by="rivals"
        ),
    )


def _text(rollout: Rollout, evidence: int) -> str:
    group = Group(id="pair", task=rollout.task, trajectories=(rollout.trajectory,))
    return scalar_text(prepare(group, [rollout.trajectory], policy=""), (), evidence)
