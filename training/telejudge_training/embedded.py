"""The whole embedded pipeline: a recipe, a world, a judge and a seed in; a run directory out.

    summary = train_embedded(main(), world, judge, Path("runs/first"), seed=0, on_event=print)

Stages: demonstrations → tokenizer → model → SFT (`warm/`) → evaluation on the test tasks
(`before.jsonl`) → GRPO (`train/`) → `model/` → evaluation (`after.jsonl`) → `summary.json`,
`curves.png`. Each stage leaves something behind by which a later start knows that it is done, so
a run that was killed goes on where it was and ends with the same model.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telejudge_agents.scripted.expert import Flaws, expert
from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.protocol import World
from telejudge_judges.protocol import Judge
from telejudge_training.curriculum import TaskMix, training_tasks
from telejudge_training.curves import draw_curves
from telejudge_training.demonstrations import Demonstration, demonstrate
from telejudge_training.evaluate import evaluate
from telejudge_training.grpo import GrpoTrainer
from telejudge_training.journal import Journal
from telejudge_training.recipe import EmbeddedRecipe
from telejudge_training.sft import encode, train_sft
from telejudge_training.summary import summarise
from telejudge_training.tiny import model as tiny_model
from telejudge_training.tiny.rollout import Roller
from telejudge_training.tiny.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Progress:
    """What a live display shows: `phase` is demonstrations, sft, before, grpo or after.

    `metrics` is the line that went to metrics.jsonl, or the summary of an evaluation.
    """

    phase: str
    step: int
    total: int
    metrics: dict[str, Any]


OnEvent = Callable[[Progress], None]


def train_embedded(
    recipe: EmbeddedRecipe,
    world: World,
    judge: Judge,
    run_dir: Path,
    seed: int,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Run or resume the pipeline in `run_dir`; returns what summary.json holds.

    Raises UsageError when the directory holds a run of another recipe or seed.
    """
    return _Pipeline(recipe, world, judge, run_dir, seed, on_event or (lambda event: None)).run()


class _Pipeline:
    def __init__(
        self,
        recipe: EmbeddedRecipe,
        world: World,
        judge: Judge,
        run_dir: Path,
        seed: int,
        on_event: OnEvent,
    ) -> None:
        self.recipe, self.world, self.judge, self.seed = recipe, world, judge, seed
        self.run_dir, self.emit = run_dir, on_event
        self.key = recipe.key(seed)
        tasks = training_tasks(world, recipe.train_split)
        self.mix = TaskMix(tasks, recipe.mix, adaptive=recipe.adaptive)
        self.clock: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        started, used = time.perf_counter(), time.process_time()
        self._claim()
        model, tokenizer = self._timed("warm_start", self._warm_start)
        before = self._timed("before", self._evaluated, model, tokenizer, "before")
        self._timed("grpo", self._train, model, tokenizer)
        tiny_model.save(model, tokenizer, self.run_dir / "model")
        after = self._timed("after", self._evaluated, model, tokenizer, "after")
        if self.recipe.grpo.steps:
            draw_curves(self._train_dir / "metrics.jsonl", self.run_dir / "curves.png")
        summary = {
            "recipe": self.recipe.name,
            "seed": self.seed,
            "before": before,
            "after": after,
            "parameters": model.num_parameters(),
            "vocabulary": len(tokenizer),
            "seconds": round(time.perf_counter() - started, 2),
            "cpu_seconds": round(time.process_time() - used, 2),
            "stage_seconds": self.clock,
        }
        _write_json(self.run_dir / "summary.json", summary)
        return summary

    @property
    def _train_dir(self) -> Path:
        return self.run_dir / "train"

    def _timed(self, stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        result = work(*arguments)
        self.clock[stage] = round(time.perf_counter() - started, 2)
        return result

    def _claim(self) -> None:
        """Write run.json, or make sure that the one there is of this very run."""
        path = self.run_dir / "run.json"
        if path.exists():
            held = json.loads(path.read_text(encoding="utf-8"))
            if held.get("key") != self.key:
                raise UsageError(
                    f"{self.run_dir} holds a run of recipe {held.get('recipe')}, seed "
                    f"{held.get('seed')}, with other settings; choose another directory"
                )
            return
        self.run_dir.mkdir(parents=True, exist_ok=True)
        _write_json(
            path,
            {
                "key": self.key,
                "recipe": self.recipe.name,
                "seed": self.seed,
                "config": self.recipe.model_dump(),
                "judge": {"name": self.judge.name, "version": self.judge.version},
                "versions": _versions(self.world),
            },
        )

    # -- the stages

    def _warm_start(self) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
        folder = self.run_dir / "warm"
        if not folder.exists():
            self._make_warm(folder)
        return tiny_model.load(folder)

    def _make_warm(self, folder: Path) -> None:
        """Demonstrations, tokenizer, model, SFT; the folder appears only when all is done."""
        recipe = self.recipe
        demos = self._demonstrations()
        conversations = [demo.messages for demo in demos]
        tokenizer = train_tokenizer(conversations, **recipe.tokenizer.model_dump())
        model = tiny_model.new_model(tokenizer, recipe.shape, seed=self.seed)
        if recipe.warm_start == "sft":
            journal = Journal(self._train_dir / "metrics.jsonl")
            journal.rewind(0)

            def on_step(step: int, steps: int, metrics: dict[str, float]) -> None:
                line = {"step": step, "phase": "sft", **metrics}
                journal.append(line)
                self.emit(Progress("sft", step, steps, line))

            examples = [encode(tokenizer, conversation) for conversation in conversations]
            train_sft(model, examples, recipe.sft, seed=self.seed, on_step=on_step)
        draft = folder.with_name(".warm.draft")
        shutil.rmtree(draft, ignore_errors=True)
        tiny_model.save(model, tokenizer, draft)
        solved = sum(demo.solved for demo in demos) / len(demos)
        _write_json(draft / "demonstrations.json", {"count": len(demos), "solved": solved})
        draft.rename(folder)

    def _demonstrations(self) -> list[Demonstration]:
        settings = self.recipe.demonstrations
        tasks = self.mix.draw(settings.count, random.Random(f"demonstrations|{self.seed}"))
        return demonstrate(
            self.world,
            expert(Flaws(level=settings.mistakes)),
            tasks,
            seed=self.seed,
            on_demo=lambda i, n: self.emit(Progress("demonstrations", i, n, {})),
        )

    def _evaluated(
        self, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, phase: str
    ) -> dict[str, Any]:
        """Sampled rollouts go to before.jsonl or after.jsonl; greedy ones only to the summary."""
        settings = self.recipe.evaluation
        path = self.run_dir / f"{phase}.jsonl"
        tasks = self.world.tasks(settings.split)
        bounds = self.recipe.rollout.model_dump()
        roller = Roller(model, tokenizer, self.world, name=f"tiny-{phase}", **bounds)
        if path.exists():
            judged = list(store.read(path, JudgedGroup))
        else:
            judged = evaluate(roller, self.judge, tasks, settings, seed=self.seed, phase=phase)
            store.write(path, judged)
        greedy = evaluate(
            roller, self.judge, tasks, settings, seed=self.seed, phase=phase, temperature=0.0
        )
        summary = summarise(judged, bootstrap=settings.bootstrap)
        summary["temperature"] = settings.temperature
        summary["greedy"] = summarise(greedy, bootstrap=settings.bootstrap)
        self.emit(Progress(phase, 1, 1, summary))
        return summary

    def _train(self, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
        trainer = GrpoTrainer(
            model,
            tokenizer,
            self.world,
            self.judge,
            self.mix,
            self.recipe.grpo,
            seed=self.seed,
            folder=self._train_dir,
            key=self.key,
            rollout=self.recipe.rollout,
        )
        trainer.train(lambda step, steps, line: self.emit(Progress("grpo", step, steps, line)))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(draft, path)


def _versions(world: World) -> dict[str, str]:
    found = {name: version(name) for name in ("telejudge", "torch", "transformers")}
    return {"python": platform.python_version(), **found, **getattr(world, "versions", {})}
