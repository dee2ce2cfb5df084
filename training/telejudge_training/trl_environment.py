"""Our worlds for TRL's GRPOTrainer the way TRL itself plays: `environment_factory`.

    world, judge = open_world("base-station"), open_judge("verifier")
    GRPOTrainer(
        model,
        environment_factory=environment_of(world, kinds_of(tokenizer)),
        reward_funcs=GroupJudge(judge, size=8).rewards,
        train_dataset=Dataset.from_list(rows_of(world, tasks)),
        args=GRPOConfig(num_generations=8, …),
    )

The environment's methods are the world's tools, `reset` returns the ticket, and the reward function
judges each block of `size` environments as one group. TRL generates, by transformers or its own
vLLM, calls the methods and keeps what they answer out of the loss. What differs from our own loops
(trl_rollouts.py, verl): every call counts as a turn of the world's, a case that was closed goes on
until the model says something without a call, and there is no user to talk to, so dual mode needs
the other way.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, cast

from telejudge_agents.runner import episode_seed
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.protocol import World
from telejudge_envs.slots import Kinds
from telejudge_judges.protocol import Judge
from telejudge_training.group_reward import reward_group
from telejudge_training.trl_episode import CalledEpisode, Said
from telejudge_training.trl_rollouts import TASK, OnGroup
from telejudge_training.trl_tools import method_of


def rows_of(world: World, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Rows of a data set: the world's policy, an empty message for the ticket, and the task's id.

    Raises UsageError for a task in dual mode.
    """
    return [{"prompt": _prompt(world, task), TASK: task.id} for task in tasks]


def _prompt(world: World, task: Task) -> list[dict[str, str]]:
    if task.view.mode != "solo":
        raise UsageError(
            f"task {task.id} has a user to talk to, and TRL's environments end when the model "
            "speaks: train with trl_rollouts.WorldRollouts"
        )
    opening = world.open(task).observation
    policy = [{"role": "system", "content": m.text} for m in opening if m.role == "system"]
    return [*policy, {"role": "user", "content": ""}]


class WorldEnvironment:
    """What TRL makes one of for each rollout of a batch, and resets; see `environment_of`.

    It has no public methods but `reset`: TRL makes a tool of every other.
    """

    world: World
    kinds: Kinds
    seed: int
    numbers: itertools.count[int]
    """Episodes so far, of all environments of the class."""

    def __init__(self) -> None:
        self.episode: CalledEpisode | None = None

    def reset(self, **row: Any) -> str:
        """Open the row's task; returns its ticket, which TRL appends to the prompt."""
        task = self.world.task(str(row[TASK]))
        number = next(self.numbers)
        seed = episode_seed(self.seed, task.id, task.view.mode, number)
        self.episode = CalledEpisode(self.world, task, seed, number=number, kinds=self.kinds)
        return self.episode.ticket()

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        if self.episode is None:
            raise UsageError("reset() comes before the first call")
        return self.episode.call(name, arguments)


def environment_of(
    world: World, kinds: Kinds = (), *, split: str = "train", seed: int = 0
) -> type[WorldEnvironment]:
    """A class for `environment_factory`: the tools of the tasks in `split` are its methods.

    `kinds` are those of the policy's tokenizer (`slots.kinds_of`), for tiny models.
    """
    tools = world.open(world.tasks(split)[0]).tools
    methods = {tool.name: method_of(tool, WorldEnvironment._call) for tool in tools}
    return cast(
        "type[WorldEnvironment]",
        type(
            "WorldEnvironment",
            (WorldEnvironment,),
            {
                **methods,
                "__doc__": f"The world {world.name} for TRL.",
                "world": world,
                "kinds": kinds,
                "seed": seed,
                "numbers": itertools.count(),
            },
        ),
    )


class GroupJudge:
    """A judge of ours as a reward function of TRL's. `on_group` sees every group with its truth."""

    def __init__(self, judge: Judge, size: int, on_group: OnGroup | None = None) -> None:
        self.judge, self.size, self.on_group = judge, size, on_group

    async def rewards(
        self, completions: Sequence[Sequence[Said]], environments: Sequence[Any], **_: Any
    ) -> list[float | None]:
        """A reward for each rollout; None where the judge gave none, or fewer than two of a group.

        Groups are judged side by side. Raises UsageError when the batch is not whole groups, and
        whatever the judge raises.
        """
        episodes = [cast("WorldEnvironment", one).episode for one in environments]
        rollouts = [
            episode.rollout(completion)
            for episode, completion in zip(episodes, completions, strict=True)
            if episode is not None
        ]
        blocks = [rollouts[at : at + self.size] for at in range(0, len(rollouts), self.size)]
        if any(len(b) != self.size or len({r.task.id for r in b}) > 1 for b in blocks):
            raise UsageError(
                f"the {len(rollouts)} rollouts of a step are not whole groups of {self.size}: make "
                "size TRL's num_generations, and the local batch a multiple of it"
            )
        scored = await asyncio.gather(*(self._judge(block) for block in blocks))
        return [reward for rewards in scored for reward in rewards]

    async def _judge(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        group = Group(
            id=rollouts[0].trajectory.id,
            task=rollouts[0].task,
            trajectories=tuple(rollout.trajectory for rollout in rollouts),
        )
        scored = await reward_group(self.judge, group)
        if self.on_group is not None:
            self.on_group(group, rollouts, scored)
        if scored.dropped:
            return [None] * len(rollouts)
        return [scored.rewards[rollout.trajectory.id] for rollout in rollouts]
