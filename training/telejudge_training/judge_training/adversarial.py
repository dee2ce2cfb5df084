"""Adversarial co-training: the judge learns to tell an expert's episodes from the agent's, the
agent learns to please the judge, by turns. An experiment, as a module to run:

    python -m telejudge_training.judge_training.adversarial --rounds 4 --run-dir runs/adversarial

Each round (after AIRL, Fu et al. 2018, arXiv:1710.11248, but with a discriminator of whole episodes
and no correction for the policy's own probabilities):

1. expert and agent play the same tasks; each two episodes of a task are a pair (rivals.py)
2. a reward head goes on learning from all pairs so far (bradley_terry.py), and its threshold is
   fitted between the two
3. the agent takes some steps of GRPO with that head as its judge; no verifier has a say

The verifier only measures. `--judge frozen` stops training the head after the first round, and
`--judge verifier` rewards by the truth at equal episodes, for comparison. Nobody tells the head
what a fault is: it learns whatever gives the agent away, and once nothing does, its rewards are
noise. A round that is there as a whole is not repeated.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from telejudge_envs import store
from telejudge_envs.errors import TelejudgeError
from telejudge_envs.registry import open_world
from telejudge_judges.protocol import Judge
from telejudge_judges.scalar import ScalarJudge
from telejudge_judges.verifier import Verifier
from telejudge_training.crew import Crew
from telejudge_training.curriculum import TaskMix, select, training_tasks
from telejudge_training.evaluate import evaluate
from telejudge_training.files import read_json, write_json
from telejudge_training.grpo import GrpoTrainer
from telejudge_training.journal import Journal
from telejudge_training.judge_data.rows import PairRow
from telejudge_training.judge_training.recipes import load_recipe
from telejudge_training.judge_training.rivals import rival_pairs
from telejudge_training.judge_training.run import Sources, train_judge
from telejudge_training.judge_training.settings import JudgeRecipe
from telejudge_training.recipe import load_recipe as load_agent_recipe
from telejudge_training.settings import EvaluationSettings, Settings, ShapeSettings
from telejudge_training.summary import summarise
from telejudge_training.tiny import model as tiny_model
from telejudge_training.warmstart import warm_start


class AdversarialSettings(Settings):
    """What an experiment does. GRPO's episodes: rounds x steps x tasks a step x group size."""

    agent: str = "main"
    """A recipe of the embedded trainer: its world, warm start, tasks and rollouts."""
    judge: Literal["adversarial", "frozen", "verifier"] = "adversarial"
    rounds: int = 4
    steps: int = 10
    """Of GRPO in a round."""
    pairs: int = 96
    """Tasks drawn in a round for expert and agent to play."""
    head_updates: int = 60
    head_rate: float = 1e-3
    evidence: int = 2000
    """Tokens of an episode's text by the renderer's estimate; a tiny vocabulary makes two to three
    times as many of it, which must fit the head's positions."""
    shape: ShapeSettings = ShapeSettings(hidden=64, intermediate=192, max_positions=6144)
    test_tasks: int = 40

    def head_recipe(self) -> JudgeRecipe:
        """How the head is trained in a round."""
        loop = {
            "max_steps": self.head_updates,
            "epochs": self.head_updates,
            "batch": 4,
            "checks": 4,
            "learning_rate": self.head_rate,
            "max_tokens": self.shape.max_positions,
            "dev_share": 0.2,
        }
        return load_recipe("bt", "smoke").with_(name="discriminator", loop=loop)


def co_train(settings: AdversarialSettings, run_dir: Path, *, seed: int) -> dict[str, Any]:
    """Run or go on; returns, and writes to summary.json, success on test tasks before and after
    each round with what the head sorted rightly in it."""
    return _CoTraining(settings, run_dir, seed).run()


class _CoTraining:
    def __init__(self, settings: AdversarialSettings, run_dir: Path, seed: int) -> None:
        self.settings, self.run_dir, self.seed = settings, run_dir, seed
        self.recipe = load_agent_recipe(settings.agent)
        self.world = open_world(self.recipe.world)
        self.tasks = training_tasks(self.world, self.recipe.train_split, self.recipe.train_levels)

    def run(self) -> dict[str, Any]:
        agent = self.run_dir / "warm"
        if not agent.exists():
            self._warm_start(agent)
        rounds = [self._once(self.run_dir / "before.json", lambda: self._measured(agent))]
        for number in range(1, self.settings.rounds + 1):
            before, agent = agent, self._round(number) / "agent"
            rounds.append(
                self._once(
                    self._round(number) / "round.json",
                    lambda n=number, old=before, new=agent: self._play_round(n, old, new),
                )
            )
        summary = {"settings": self.settings.model_dump(), "seed": self.seed, "rounds": rounds}
        write_json(self.run_dir / "summary.json", summary)
        return summary

    def _play_round(self, number: int, before: Path, after: Path) -> dict[str, Any]:
        judge, told = self._judge(number, before)
        self._improve(number, before, after, judge)
        return {**told, **self._measured(after)}

    def _once(self, file: Path, work: Any) -> dict[str, Any]:
        """What `file` holds, after having it written if it is not there."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, work())
        return read_json(file)

    def _round(self, number: int) -> Path:
        return self.run_dir / f"round-{number}"

    def _number(self, number: int) -> int:
        """The seed of a round."""
        return self.seed * 1009 + number

    def _mix(self, *, adaptive: bool) -> TaskMix:
        recipe = self.recipe
        return TaskMix(
            self.world, self.tasks, recipe.mix, adaptive=adaptive, by_level=recipe.by_level
        )

    def _crew(self, judge: Judge | None = None) -> Crew:
        return Crew(self.world, judge or Verifier(open_world), shares=self.recipe.shares)

    # -- the judge's turn

    def _judge(self, number: int, agent: Path) -> tuple[Judge, dict[str, Any]]:
        """The round's judge, and what is told of it in round.json."""
        if self.settings.judge == "verifier":
            return Verifier(open_world), {}
        if self.settings.judge == "frozen" and number > 1:
            return self._scalar(self._round(1)), {}
        folder = self._round(number)
        if number == 1:
            self._new_head(agent, folder / "new")
        store.write(folder / "pairs.jsonl", self._pairs(number, agent))
        model = folder / "new" if number == 1 else self._round(number - 1) / "head" / "model"
        sources = Sources(rows=folder / "pairs.jsonl", model=model)
        summary = train_judge(
            self.settings.head_recipe(), sources, folder / "head", self._number(number)
        )
        names = ("best_dev_loss", "threshold_accuracy", "left_out")
        return self._scalar(folder), {"head": {n: summary[n] for n in names}}

    def _scalar(self, folder: Path) -> Judge:
        return ScalarJudge(folder / "head" / "model", budget_tokens=self.settings.evidence)

    def _new_head(self, agent: Path, folder: Path) -> None:
        """A fresh model over the agent's own tokenizer, with room for whole episodes."""
        _, tokenizer = tiny_model.load(agent)
        tokenizer.model_max_length = self.settings.shape.max_positions
        fresh = tiny_model.new_model(tokenizer, self.settings.shape, seed=self.seed)
        tiny_model.save(fresh, tokenizer, folder)

    def _pairs(self, number: int, agent: Path) -> Sequence[PairRow]:
        """Those of all rounds before, and new ones."""
        dice = random.Random(f"adversarial|{self.seed}|{number}")
        fresh = rival_pairs(
            self.recipe,
            self.world,
            self._mix(adaptive=False).draw(self.settings.pairs, dice),
            agent=agent,
            seed=self._number(number),
            label=f"round-{number}",
            evidence=self.settings.evidence,
        )
        if number == 1:
            return fresh
        return [*store.read(self._round(number - 1) / "pairs.jsonl", PairRow), *fresh]

    # -- the agent's turn

    def _warm_start(self, folder: Path) -> None:
        journal = Journal(self.run_dir / "warm.jsonl")
        with self._crew() as crew:
            warm_start(
                self.recipe,
                crew,
                self.tasks,
                folder,
                journal,
                seed=self.seed,
                emit=lambda event: None,
            )

    def _improve(self, number: int, before: Path, after: Path, judge: Judge) -> None:
        """Some steps of GRPO on the round's judge."""
        model, tokenizer = tiny_model.load(before)
        with self._crew(judge) as crew:
            crew.equip(model, tokenizer)
            GrpoTrainer(
                crew,
                self._mix(adaptive=False),
                self.recipe.grpo.model_copy(update={"steps": self.settings.steps}),
                seed=self._number(number),
                folder=self._round(number) / "grpo",
                key=f"adversarial-{self._number(number)}",
                rollout=self.recipe.rollout,
            ).train()
        tiny_model.save(model, tokenizer, after)

    def _measured(self, agent: Path) -> dict[str, Any]:
        """The agent's success on test tasks by the world's own check, with its interval."""
        wanted = self.recipe.evaluation
        tasks = select(self.world.tasks(wanted.split), wanted.levels, self.settings.test_tasks)
        how = EvaluationSettings(rollouts=4, temperature=self.recipe.grpo.temperature)
        with self._crew() as crew:
            crew.equip(*tiny_model.load(agent))
            judged = evaluate(
                crew, tasks, how, seed=self.seed, phase="after", bounds=self.recipe.rollout
            )
        summary = summarise(judged, bootstrap=how.bootstrap)
        return {name: summary[name] for name in ("success", "tools", "calls")}


def main() -> None:
    """Run an experiment and print a line for each round."""
    defaults = AdversarialSettings()
    parser = argparse.ArgumentParser(description="Adversarial co-training of judge and agent.")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--agent", default=defaults.agent, help="a recipe of `telejudge train`")
    parser.add_argument("--judge", choices=("adversarial", "frozen", "verifier"))
    for name in ("rounds", "steps", "pairs", "head_updates", "test_tasks"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    given = {k: v for k, v in vars(parser.parse_args()).items() if v is not None}
    run_dir, seed = given.pop("run_dir"), given.pop("seed")
    try:
        summary = co_train(AdversarialSettings.model_validate(given), run_dir, seed=seed)
    except TelejudgeError as error:
        parser.error(str(error))
    for number, line in enumerate(summary["rounds"]):
        success, head = line["success"], line.get("head")
        print(
            f"round {number}: success {success['mean']:.3f} "
            f"[{success['low']:.3f}, {success['high']:.3f}]"
            + (f", head sorts {head['threshold_accuracy']:.1%} rightly" if head else "")
        )


if __name__ == "__main__":
    main()
