"""A model, a world and a judge in; a better model out: multi-turn GRPO.

    trainer = GrpoTrainer(model, tokenizer, world, judge, mix, settings, seed=0, folder=folder)
    trainer.train(on_step=print)

A step draws tasks, rolls each out `group_size` times, has the groups judged (group_reward.py),
and makes one or more clipped updates on the agent's own tokens (policy_loss.py). Groups that are
tied or were dropped carry no gradient and cost no update. Everything random in step n comes from
the run's seed and n, so a run that was killed and resumed ends with the same weights.
"""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from telejudge_envs.protocol import World
from telejudge_judges.protocol import Judge
from telejudge_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from telejudge_training.curriculum import TaskMix
from telejudge_training.group_reward import GroupReward, reward_group
from telejudge_training.grouping import Played, Scored, judged_group, play_groups, step_metrics
from telejudge_training.journal import Journal
from telejudge_training.policy_loss import LossStats, Sample, policy_loss, token_weights
from telejudge_training.settings import GrpoSettings, RolloutSettings
from telejudge_training.tiny.rollout import Roller

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

BETAS = (0.9, 0.95)
MAX_NORM = 1.0
OnStep = Callable[[int, int, dict[str, Any]], None]
"""Called with the step, the number of steps, and the line that went to metrics.jsonl."""


class GrpoTrainer:
    """One GRPO run. Constructing it takes up the checkpoint in `folder`, if there is one.

    Writes metrics.jsonl, groups.jsonl and checkpoint/state.pt into `folder`. `key` names the run
    in the checkpoint.
    """

    def __init__(
        self,
        model: LlamaForCausalLM,
        tokenizer: PreTrainedTokenizerFast,
        world: World,
        judge: Judge,
        mix: TaskMix,
        settings: GrpoSettings,
        *,
        seed: int,
        folder: Path,
        key: str = "",
        rollout: RolloutSettings | None = None,
    ) -> None:
        self.model, self.settings = model, settings
        self.seed, self.folder, self.key = seed, folder, key
        bounds = rollout or RolloutSettings()
        self.roller = Roller(
            model,
            tokenizer,
            world,
            max_tokens=bounds.max_tokens,
            max_turn_tokens=bounds.max_turn_tokens,
        )
        self.judge, self.mix = judge, mix
        self.reference = _frozen_copy(model) if settings.kl > 0 else None
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, betas=BETAS, weight_decay=0.0
        )
        self.journals = {
            "metrics": Journal(folder / "metrics.jsonl"),
            "groups": Journal(folder / "groups.jsonl"),
        }
        self.step = 0
        self._resume()

    def train(self, on_step: OnStep | None = None) -> None:
        """Take the remaining steps; a checkpoint is written every so many and after the last."""
        with asyncio.Runner() as runner:
            while self.step < self.settings.steps:
                line = self._one_step(self.step + 1, runner)
                self.step += 1
                last = self.step == self.settings.steps
                if last or self.step % self.settings.checkpoint_every == 0:
                    self._save()
                if on_step is not None:
                    on_step(self.step, self.settings.steps, line)

    # -- one step

    def _one_step(self, step: int, runner: asyncio.Runner) -> dict[str, Any]:
        started = time.perf_counter()
        scored = self._collect(step, random.Random(f"grpo|{self.seed}|{step}"), runner)
        rolled = time.perf_counter()
        update = self._update(step, [one for one in scored if one.reward.teaches])
        line: dict[str, Any] = {
            "step": step,
            "phase": "grpo",
            **step_metrics(scored),
            **update,
            "seconds": round(time.perf_counter() - started, 4),
            "rollout_seconds": round(rolled - started, 4),
        }
        self.journals["metrics"].append(line)
        if step == 1 or step % self.settings.sample_every == 0:
            sample = next((one for one in scored if one.reward.teaches), scored[0])
            self.journals["groups"].append_line(
                judged_group(sample, phase="train", step=step).model_dump_json()
            )
        return line

    def _collect(self, step: int, dice: random.Random, runner: asyncio.Runner) -> list[Scored]:
        """Play and judge groups; draw again, at most `max_resample` times, for those that teach
        nothing. All of them are returned, so that metrics do not favour hard tasks."""
        settings, wanted = self.settings, self.settings.tasks_per_step
        scored: list[Scored] = []
        for attempt in range(settings.max_resample + 1):
            tasks = self.mix.draw(wanted, dice)
            groups = play_groups(
                self.roller,
                tasks,
                settings.group_size,
                temperature=settings.temperature,
                seed=dice.getrandbits(40),
                label=f"grpo-{step}.{attempt}/",
            )
            fresh = runner.run(self._judge(groups))
            for one in fresh:
                self.mix.saw(one.played.group.task.id, one.success)
            scored += fresh
            wanted = settings.tasks_per_step - sum(one.reward.teaches for one in scored)
            if wanted <= 0:
                break
        return scored

    async def _judge(self, groups: list[Played]) -> list[Scored]:
        rewards: list[GroupReward] = await asyncio.gather(
            *(reward_group(self.judge, g.group, self.settings.scaling) for g in groups)
        )
        return [Scored(g, reward) for g, reward in zip(groups, rewards, strict=True)]

    def _update(self, step: int, scored: list[Scored]) -> dict[str, float]:
        samples = [sample for one in scored for sample in one.samples()]
        samples.sort(key=lambda s: len(s.trace.ids))
        rate = self._rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        totals = LossStats(0, 0.0, 0.0, 0.0)
        loss_sum = norm = 0.0
        self.model.train()
        for _ in range(self.settings.updates_per_batch if samples else 0):
            loss_sum, norm, totals = self._one_update(samples)
        self.model.eval()
        tokens = max(totals.tokens, 1)
        return {
            "loss": loss_sum,
            "kl": totals.kl / tokens,
            "clip_frac": totals.clipped / tokens,
            "entropy": totals.entropy / tokens,
            "grad_norm": norm,
            "learning_rate": rate,
            "trained_tokens": totals.tokens,
        }

    def _one_update(self, samples: list[Sample]) -> tuple[float, float, LossStats]:
        weights = token_weights(samples, self.settings)
        self.optimizer.zero_grad()
        loss_sum, parts = 0.0, []
        for i in range(0, len(samples), self.settings.minibatch):
            end = i + self.settings.minibatch
            loss, stats = policy_loss(
                self.model, samples[i:end], weights[i:end], self.settings, self.reference
            )
            loss.backward()
            loss_sum += loss.item()
            parts.append(stats)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_NORM).item()
        self.optimizer.step()
        return loss_sum, norm, LossStats.total(parts)

    def _rate(self, step: int) -> float:
        s = self.settings
        decay = 1.0 - (1.0 - s.final_rate) * (step - 1) / max(s.steps - 1, 1)
        return s.learning_rate * decay * min(1.0, step / max(s.warmup_steps, 1))

    # -- going on after a kill

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint" / "state.pt"

    def _save(self) -> None:
        save_checkpoint(
            self._checkpoint,
            Checkpoint(
                key=self.key,
                step=self.step,
                model=self.model.state_dict(),
                optimizer=self.optimizer.state_dict(),
                journals={name: journal.offset for name, journal in self.journals.items()},
                solved=dict(self.mix.solved),
            ),
        )

    def _resume(self) -> None:
        found = load_checkpoint(self._checkpoint, self.key)
        if found is None:
            self._save()  # so that a kill before the first regular one leaves no stray log lines
            return
        self.model.load_state_dict(found.model)
        self.optimizer.load_state_dict(found.optimizer)
        self.step = found.step
        self.mix.solved = dict(found.solved)
        for name, journal in self.journals.items():
            journal.rewind(found.journals[name])


def _frozen_copy(model: LlamaForCausalLM) -> LlamaForCausalLM:
    frozen = copy.deepcopy(model)
    frozen.requires_grad_(False)
    return frozen.eval()
