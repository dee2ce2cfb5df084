"""A crew with a model in; a better model out: multi-turn GRPO.

    trainer = GrpoTrainer(crew, mix, settings, seed=0, folder=folder)
    trainer.train(on_step=print)

A step draws tasks, rolls each out `group_size` times, has the groups judged (group_reward.py),
and makes one or more clipped updates on the agent's own tokens (policy_loss.py). Groups that are
tied or were dropped carry no gradient and cost no update. Everything random in step n comes from
the run's seed and n, so a run that was killed and resumed ends with the same weights.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from telejudge_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from telejudge_training.crew import Crew
from telejudge_training.curriculum import TaskMix
from telejudge_training.grouping import Round, Scored, judged_group, play_and_judge, step_metrics
from telejudge_training.journal import Journal
from telejudge_training.policy_loss import LossStats, Sample, policy_loss, token_weights
from telejudge_training.seat import Seat, split
from telejudge_training.settings import GrpoSettings, RolloutSettings

BETAS = (0.9, 0.95)
MAX_NORM = 1.0
OnStep = Callable[[int, int, dict[str, Any]], None]
"""Called with the step, the number of steps, and the line that went to metrics.jsonl."""


class GrpoTrainer:
    """One GRPO run. Constructing it takes up the checkpoint in `folder`, if there is one.

    Writes metrics.jsonl, groups.jsonl and checkpoint/state.pt into `folder`. `key` names the run
    in the checkpoint. `on_scored` is given all groups of a step.
    """

    def __init__(
        self,
        crew: Crew,
        mix: TaskMix,
        settings: GrpoSettings,
        *,
        seed: int,
        folder: Path,
        key: str = "",
        rollout: RolloutSettings | None = None,
        on_scored: Callable[[Sequence[Scored]], None] = lambda scored: None,
    ) -> None:
        self._on_scored = on_scored
        self.crew, self.model, self.settings = crew, crew.seat.tools.model, settings
        self.seed, self.folder, self.key = seed, folder, key
        self.bounds, self.mix = rollout or RolloutSettings(), mix
        if settings.kl > 0:
            crew.everywhere(keep_reference, None)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, betas=BETAS, weight_decay=0.0
        )
        self.journals = {
            "metrics": Journal(folder / "metrics.jsonl"),
            "groups": Journal(folder / "groups.jsonl"),
        }
        self.step = 0
        self._resume()

    def train(self, on_step: OnStep | None = None) -> None:
        """Take the remaining steps; a checkpoint is written every so many and after the last."""
        while self.step < self.settings.steps:
            line = self._one_step(self.step + 1)
            self.step += 1
            last = self.step == self.settings.steps
            if last or self.step % self.settings.checkpoint_every == 0:
                self._save()
            if on_step is not None:
                on_step(self.step, self.settings.steps, line)

    # -- one step

    def _one_step(self, step: int) -> dict[str, Any]:
        started = time.perf_counter()
        scored = self._collect(step, random.Random(f"grpo|{self.seed}|{step}"))
        self._on_scored(scored)
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

    def _collect(self, step: int, dice: random.Random) -> list[Scored]:
        """Play and judge groups; draw again, at most `max_resample` times, for those that teach
        nothing. All of them are returned, so that metrics do not favour hard tasks."""
        settings, wanted = self.settings, self.settings.tasks_per_step
        scored: list[Scored] = []
        for attempt in range(settings.max_resample + 1):
            tasks = self.mix.draw(wanted, dice)
            how = Round(
                size=settings.group_size,
                temperature=settings.temperature,
                seed=dice.getrandbits(40),
                label=f"grpo-{step}.{attempt}/",
                bounds=self.bounds,
                scaling=settings.scaling,
            )
            fresh = play_and_judge(self.crew, tasks, how)
            for one in fresh:
                self.mix.saw(one.played.group.task.id, one.success)
            scored += fresh
            wanted = settings.tasks_per_step - sum(one.reward.teaches for one in scored)
            if wanted <= 0:
                break
        return scored

    def _update(self, step: int, scored: list[Scored]) -> dict[str, float]:
        samples = [sample for one in scored for sample in one.samples()]
        samples.sort(key=lambda s: len(s.trace.ids))
        rate = self._rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        totals = LossStats(0, 0.0, 0.0, 0.0)
        loss_sum = norm = 0.0
        for _ in range(self.settings.updates_per_batch if samples else 0):
            loss_sum, norm, totals = self._one_update(samples)
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
        weighted = each_once(samples, token_weights(samples, self.settings))
        parts = split(weighted, self.crew.shares)
        done = self.crew.each(policy_share, [(part, self.settings) for part in parts])
        self.crew.seat.tools.gather()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_NORM).item()
        self.optimizer.step()
        stats = LossStats.total([s for _, share_stats in done for s in share_stats])
        return sum(loss for loss, _ in done), norm, stats

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


def each_once(samples: Sequence[Sample], weights: Sequence[float]) -> list[tuple[Sample, float]]:
    """Samples that are token for token the same, and earned the same, as one with all their weight:
    the gradient is that of all, and a sure model says the same often."""
    first: dict[tuple[tuple[int, ...], float], Sample] = {}
    total: dict[tuple[tuple[int, ...], float], float] = {}
    for sample, weight in zip(samples, weights, strict=True):
        key = (sample.trace.ids, sample.advantage)
        first.setdefault(key, sample)
        total[key] = total.get(key, 0.0) + weight
    return [(sample, total[key]) for key, sample in first.items()]


def policy_share(
    seat: Seat, share: int, request: tuple[list[tuple[Sample, float]], GrpoSettings]
) -> tuple[float, list[LossStats]]:
    """The job of an update: the loss and gradient of one share's weighted samples."""
    weighted, settings = request
    loss_sum, stats = 0.0, []
    for i in range(0, len(weighted), settings.minibatch):
        few = weighted[i : i + settings.minibatch]
        samples, weights = [s for s, _ in few], [w for _, w in few]
        loss, some = policy_loss(seat.tools.model, samples, weights, settings, seat.reference)
        seat.tools.contribute(share, loss)
        loss_sum += loss.item()
        stats.append(some)
    return loss_sum, stats


def keep_reference(seat: Seat, share: int, request: None) -> None:
    """The job that keeps a copy of the model as it is now, for the KL penalty."""
    frozen = copy.deepcopy(seat.tools.model)
    frozen.requires_grad_(False)
    seat.reference = frozen
