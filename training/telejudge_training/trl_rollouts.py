"""Our worlds for TRL's GRPOTrainer: a rollout function and a reward function over whole groups.

    rollouts = WorldRollouts(world, judge, budget=Budget(2048, 4096, 512))
    GRPOTrainer(model, reward_funcs=rollouts.rewards, rollout_func=rollouts,
                train_dataset=Dataset.from_list(rollouts.rows(tasks)), args=…)

TRL hands over the prompts of a step, each `num_generations` times in a row; every block is a group:
it is played by the trainer's own model, judged as a whole, and what the judge abstained on has no
reward (None), which TRL leaves out of mean and spread. Ids are never made from text that the model
wrote, and `env_mask` keeps what the world said out of the loss. No vLLM: the trainer's model
generates, so this is for one device; verl is for more (docs/verl.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from telejudge_agents.batching import BatchedModel, Sampling
from telejudge_agents.play import Planned, play
from telejudge_agents.runner import episode_seed
from telejudge_agents.tokens import ChatCodec
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.offers import scripted_user
from telejudge_envs.protocol import World
from telejudge_envs.slots import kinds_of
from telejudge_judges.protocol import Judge
from telejudge_training.group_reward import GroupReward, reward_group
from telejudge_training.speech import Budget, Messages, Said, Tape, TokenAgent, TokenAgents, Tools

TASK = "task_id"
"""The key of a prompt's message that names its task."""

OnGroup = Callable[[Group, Sequence[Rollout], GroupReward], None]


class LocalVoice:
    """A Voice of a model in this process."""

    def __init__(self, engine: BatchedModel, codec: ChatCodec, seed: int) -> None:
        self._engine, self._codec, self._seed = engine, codec, seed
        self._turns = 0

    async def open(self, tape: Tape, said: Messages, tools: Tools) -> None:
        tape.ids = self._codec.opening(said, tools)

    async def say(self, tape: Tape, most: int) -> Said:
        self._turns += 1
        seed = self._seed * 1009 + self._turns
        reply = await self._engine.complete(tape.ids, seed=seed, most=most)
        tape.ids = [*tape.ids, *reply.ids]
        tape.mask = [*tape.mask, *[1] * len(reply.ids)]
        tape.logprobs = [*(tape.logprobs or ()), *reply.logprobs]
        return Said(reply.ids, ended=reply.ids[-1] in self._codec.end_ids)

    async def hear(self, tape: Tape, before: Messages, new: Messages, tools: Tools) -> None:
        heard = self._codec.continuation(tape.ids, before[-1], new, tools)
        tape.ids = [*tape.ids, *heard]
        tape.mask = [*tape.mask, *[0] * len(heard)]
        tape.logprobs = [*(tape.logprobs or ()), *[0.0] * len(heard)]

    async def read(self, ids: Sequence[int], tools: Tools, first_call: int) -> Message:
        return self._codec.read(ids, first_call=first_call)


@dataclass
class WorldRollouts:
    """TRL's `rollout_func`. `on_group` sees every group with its truth, for a record."""

    world: World
    judge: Judge
    budget: Budget
    seed: int = 0
    max_batch: int = 32
    on_group: OnGroup | None = None
    _calls: int = 0
    _tasks: dict[str, Task] = field(default_factory=dict)

    def rows(self, tasks: Sequence[Task]) -> list[dict[str, Any]]:
        """Rows of a data set for TRL: a conversational prompt that names its task."""
        self._tasks |= {task.id: task for task in tasks}
        return [
            {"prompt": [{"role": "user", "content": task.view.ticket, TASK: task.id}]}
            for task in tasks
        ]

    def __call__(self, prompts: list[Any], trainer: Any) -> dict[str, list[Any]]:
        """Play, judge, and return what TRL asks for, with the rewards beside it.

        Raises UsageError when the prompts are not whole groups.
        """
        self._calls += 1
        training = trainer.model.training
        size = trainer.num_generations if training else trainer.num_generations_eval
        tasks = [self._tasks[prompt[-1][TASK]] for prompt in prompts]
        blocks = [tasks[at : at + size] for at in range(0, len(tasks), size)]
        if any(len({task.id for task in block}) > 1 or len(block) != size for block in blocks):
            raise UsageError(
                f"the {len(tasks)} prompts of a step are not whole groups of {size}: make "
                "per_device_train_batch_size times gradient_accumulation_steps a multiple of it"
            )
        played, rewards = asyncio.run(self._step(tasks, size, trainer))
        end = trainer.processing_class.eos_token_id
        tapes = [_not_empty(agent.tape, end) for agent in played]
        return {
            "prompt_ids": [tape.prompt for tape in tapes],
            "completion_ids": [tape.response for tape in tapes],
            "logprobs": [tape.logprobs for tape in tapes],
            "env_mask": [tape.mask for tape in tapes],
            "reward": rewards,
        }

    def rewards(self, prompts: Any, reward: list[float | None], **_: Any) -> list[float | None]:
        """TRL's reward function: what the judge gave, None where it gave nothing."""
        return reward

    async def _step(
        self, tasks: Sequence[Task], size: int, trainer: Any
    ) -> tuple[list[TokenAgent], list[float | None]]:
        tokenizer = trainer.processing_class
        codec = ChatCodec(tokenizer)
        engine = BatchedModel(
            trainer.accelerator.unwrap_model(trainer.model),
            end_ids=sorted(codec.end_ids),
            pad_id=tokenizer.pad_token_id,
            sampling=Sampling(temperature=trainer.temperature, max_new_tokens=self.budget.turn),
            max_batch=self.max_batch,
        )

        def agents(seed: int) -> TokenAgents:
            voice = LocalVoice(engine, codec, seed)
            return TokenAgents("policy", voice, self.budget, kinds_of(tokenizer))

        ended = await asyncio.gather(
            *(self._play(task, n, n % size, agents) for n, task in enumerate(tasks))
        )
        rollouts = [rollout for _, rollout in ended]
        rewards = [
            reward
            for at in range(0, len(rollouts), size)
            for reward in await self._judge(rollouts[at : at + size])
        ]
        return [agent for agent, _ in ended], rewards

    async def _play(
        self, task: Task, number: int, member: int, agents_of: Callable[[int], TokenAgents]
    ) -> tuple[TokenAgent, Rollout]:
        mode = task.view.mode
        seed = episode_seed(self.seed, f"{self._calls}/{number}/{task.id}", mode, member)
        agents = agents_of(seed)
        user = scripted_user(self.world, task, seed) if mode == "dual" else None
        planned = Planned(f"{self._calls}-{number}/{task.id}#{member}", task, member, seed)
        rollout = await play(self.world, planned, agents, user=user)
        if agents.last is None:
            raise UsageError(f"task {task.id} could not be opened: {rollout.trajectory.failure}")
        return agents.last, rollout

    async def _judge(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        first = rollouts[0]
        group = Group(
            id=first.trajectory.id.partition("#")[0],
            task=first.task,
            trajectories=tuple(rollout.trajectory for rollout in rollouts),
        )
        scored = await reward_group(self.judge, group)
        if self.on_group is not None:
            self.on_group(group, rollouts, scored)
        return [scored.rewards[rollout.trajectory.id] for rollout in rollouts]


def _not_empty(tape: Tape, end: int) -> Tape:
    """TRL wants a completion of at least one token, even where the model never spoke."""
    if tape.mask:
        return tape
    return Tape(ids=[*(tape.ids or [end]), end], mask=[0], logprobs=[0.0])
