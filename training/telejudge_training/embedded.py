"""The whole embedded pipeline: a recipe, a world, a judge and a seed in; a run directory out.

    summary = train_embedded(main(), world, judge, Path("runs/first"), seed=0, on_event=print)

Stages: demonstrations → tokenizer → model → SFT (`warm/`) → evaluation on the test tasks
(`before.jsonl`) → GRPO (`train/`) → `model/` → evaluation (`after.jsonl`) → `summary.json`,
`curves.png`. Each stage leaves something behind by which a later start knows that it is done, so
a run that was killed goes on where it was and ends with the same model.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.offers import kind_of
from telejudge_envs.protocol import World
from telejudge_judges.protocol import Judge
from telejudge_training.crew import Crew
from telejudge_training.curriculum import TaskMix, select, training_tasks
from telejudge_training.curves import draw_curves
from telejudge_training.evaluate import evaluate
from telejudge_training.events import OnEvent, Progress
from telejudge_training.files import read_json, write_json
from telejudge_training.grpo import GrpoTrainer
from telejudge_training.journal import Journal
from telejudge_training.recipe import EmbeddedRecipe
from telejudge_training.summary import summarise
from telejudge_training.tiny import model as tiny_model
from telejudge_training.warmstart import warm_start

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


def train_embedded(
    recipe: EmbeddedRecipe,
    world: World,
    judge: Judge,
    run_dir: Path,
    seed: int,
    on_event: OnEvent | None = None,
    admission: Mapping[str, Any] | None = None,
    auditor: Judge | None = None,
) -> dict[str, Any]:
    """Run or resume the pipeline in `run_dir`; returns what summary.json holds. A finished run is
    not repeated. `admission` (see admission.py) is stored in run.json. GRPO is paid by `judge`;
    with an `auditor`, his verdicts are those of the evaluations, and stand beside the rewards in
    metrics.jsonl.

    Raises UsageError when the recipe is for another world, or when the directory holds a run of
    another recipe or seed.
    """
    if recipe.world != world.name:
        raise UsageError(
            f"recipe {recipe.name} is for world {recipe.world}, not {world.name}; "
            "choose another recipe, or derive one with with_(world=…)"
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    try:
        return _Pipeline(
            recipe,
            world,
            judge,
            auditor,
            run_dir,
            seed,
            on_event or (lambda event: None),
            admission,
        ).run()
    finally:
        torch.set_num_threads(threads)


class _Pipeline:
    def __init__(
        self,
        recipe: EmbeddedRecipe,
        world: World,
        judge: Judge,
        auditor: Judge | None,
        run_dir: Path,
        seed: int,
        on_event: OnEvent,
        admission: Mapping[str, Any] | None,
    ) -> None:
        self.recipe, self.world, self.judge, self.seed = recipe, world, judge, seed
        self.auditor = auditor
        self.run_dir, self.emit = run_dir, on_event
        self.admissions = [] if admission is None else [dict(admission)]
        fixes = getattr(world, "ticket_fixes", False)
        paid_by = "" if judge.name == "verifier" else f"-{judge.name} {judge.version}"
        self.key = recipe.key(seed) + ("-fixed-tickets" if fixes else "") + paid_by
        self.tasks = training_tasks(world, recipe.train_split, recipe.train_levels)
        self.clock: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        resumed = self._claim()
        if (done := self.run_dir / "summary.json").exists():
            return read_json(done)
        recipe = self.recipe
        with Crew(
            self.world,
            self.judge,
            self.auditor,
            shares=recipe.shares,
            processes=recipe.processes,
            threads=recipe.threads,
        ) as crew:
            return self._stages(crew, resumed)

    def _stages(self, crew: Crew, resumed: bool) -> dict[str, Any]:
        started, used = time.perf_counter(), crew.cpu_seconds()
        model, tokenizer = self._timed("warm_start", self._warm_start, crew)
        crew.equip(model, tokenizer)
        before = self._timed("before", self._evaluated, crew, "before")
        self._timed("grpo", self._train, crew)
        tiny_model.save(model, tokenizer, self.run_dir / "model")
        after = self._timed("after", self._evaluated, crew, "after")
        if self.recipe.grpo.steps:
            draw_curves(self._train_dir / "metrics.jsonl", self.run_dir / "curves.png")
        summary = {
            "world": self.world.name,
            "recipe": self.recipe.name,
            "seed": self.seed,
            "before": before,
            "after": after,
            "parameters": model.num_parameters(),
            "vocabulary": len(tokenizer),
            "seconds": round(time.perf_counter() - started, 2),
            "cpu_seconds": round(crew.cpu_seconds() - used, 2),
            "stage_seconds": self.clock,
            "processes": crew.processes,
            "resumed": resumed,  # then the seconds are those since the resumption
        }
        write_json(self.run_dir / "summary.json", summary)
        return summary

    @property
    def _train_dir(self) -> Path:
        return self.run_dir / "train"

    def _timed(self, stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        result = work(*arguments)
        self.clock[stage] = round(time.perf_counter() - started, 2)
        return result

    def _claim(self) -> bool:
        """Write run.json, or make sure that the one there is of this very run; say which."""
        path = self.run_dir / "run.json"
        if path.exists():
            held = read_json(path)
            if held.get("key") != self.key:
                raise UsageError(
                    f"{self.run_dir} holds a run of recipe {held.get('recipe')}, seed "
                    f"{held.get('seed')}, with other settings; choose another directory"
                )
            admitted = held.get("admissions", [])
            if self.admissions and self.admissions[0] not in admitted:
                write_json(path, {**held, "admissions": [*admitted, *self.admissions]})
            return True
        self.run_dir.mkdir(parents=True, exist_ok=True)
        write_json(
            path,
            {
                "key": self.key,
                "world": self.world.name,
                "recipe": self.recipe.name,
                "seed": self.seed,
                "config": self.recipe.model_dump(),
                "judge": {"name": self.judge.name, "version": self.judge.version},
                "auditor": None
                if self.auditor is None
                else {"name": self.auditor.name, "version": self.auditor.version},
                "admissions": self.admissions,
                "versions": _versions(self.world),
            },
        )
        return False

    # -- the stages

    def _warm_start(self, crew: Crew) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
        folder = self.run_dir / "warm"
        if not folder.exists():
            journal = Journal(self._train_dir / "metrics.jsonl")
            warm_start(
                self.recipe,
                crew,
                self.tasks,
                folder,
                journal,
                seed=self.seed,
                emit=self.emit,
            )
        return tiny_model.load(folder)

    def _evaluated(self, crew: Crew, phase: str) -> dict[str, Any]:
        """Sampled rollouts go to before.jsonl or after.jsonl; greedy ones only to the summary."""
        settings = self.recipe.evaluation
        path = self.run_dir / f"{phase}.jsonl"
        tasks = select(self.world.tasks(settings.split), settings.levels, settings.tasks)
        how = {"seed": self.seed, "phase": phase, "bounds": self.recipe.rollout}
        if path.exists():
            judged = list(store.read(path, JudgedGroup))
        else:
            judged = evaluate(crew, tasks, settings, **how)
            store.write(path, judged)
        greedy = evaluate(crew, tasks, settings, **how, temperature=0.0)
        summary = self._summary(judged)
        summary["temperature"] = settings.temperature
        summary["greedy"] = self._summary(greedy)
        self.emit(Progress(phase, 1, 1, summary))
        return summary

    def _summary(self, judged: Sequence[JudgedGroup]) -> dict[str, Any]:
        bootstrap = self.recipe.evaluation.bootstrap
        return summarise(judged, bootstrap=bootstrap, kind=lambda view: kind_of(self.world, view))

    def _train(self, crew: Crew) -> None:
        recipe = self.recipe
        mix = TaskMix(
            self.world,
            self.tasks,
            recipe.mix,
            adaptive=recipe.adaptive,
            by_level=recipe.by_level,
        )
        trainer = GrpoTrainer(
            crew,
            mix,
            recipe.grpo,
            seed=self.seed,
            folder=self._train_dir,
            key=self.key,
            rollout=recipe.rollout,
        )
        trainer.train(lambda step, steps, line: self.emit(Progress("grpo", step, steps, line)))


def _versions(world: World) -> dict[str, str]:
    found = {name: version(name) for name in ("telejudge", "torch", "transformers")}
    return {"python": platform.python_version(), **found, **getattr(world, "versions", {})}
