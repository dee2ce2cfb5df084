"""Every number of the embedded judge's training.

    recipe = EmbeddedJudgeRecipe(name="mine").with_(learning={"steps": 500})

Importing this costs pydantic only, so that the command line can show the settings.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from telejudge_envs.errors import UsageError
from telejudge_judges.embedded.spec import Placing, Shape
from telejudge_training.judge_data.trajectories import Plan
from telejudge_training.settings import Recipe, Settings, TokenizerSettings

Objective = Literal["listwise", "pointwise", "pairs", "bt", "rrhf", "grpo", "opd"]
"""What is learned (objectives.py says how)."""

Strewn = Literal["head", "call"]

STARTED = frozenset({"grpo", "opd"})
"""Objectives that need a judge which is there already."""


class LearningSettings(Settings):
    objective: Objective = "listwise"
    samples: int = Field(default=4, ge=2)
    """Texts of one sheet that `grpo` compares."""
    steps: int = Field(default=2400, ge=1)
    """Updates."""
    candidates: int = Field(default=32, ge=1)
    """Candidates an update, in groups of one size; for `grpo` those of all samples together."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """At its highest; it falls linearly to `floor` of it."""
    floor: float = Field(default=0.03, ge=0, le=1)
    warmup: int = Field(default=60, ge=0)
    """Updates until the learning rate is at its highest."""
    weight_decay: float = Field(default=0.01, ge=0)
    max_norm: float = Field(default=1.0, gt=0)
    alone: float = Field(default=0.25, ge=0, le=1)
    """Share of the training in which groups are of one or two: what is wrong with a call is learned
    first, whom the others contradict after it."""
    answer: float = Field(default=3.0, gt=0)
    """Weight of right or wrong against that of a call without a defect."""
    defect: float = Field(default=2.0, gt=0)
    """Weight of a defect: ten calls are clear for one that is not."""
    hint: float = Field(default=0.5, ge=0)
    """Weight of guessing a call's label where it is read, before the rest is known; nothing of it
    is used later, but what is learned there is."""
    noise: float = Field(default=0.1, ge=0, le=1)
    """Share of the candidates one of whose calls has stray tokens among its arguments: words that
    say nothing of what was done are to change nothing."""
    strewn: Strewn = "head"
    """Where: a few after the head of the call, or anywhere in it and up to as many as are read of a
    call, so that they also push out what comes after them."""
    threads: int = Field(default=2, ge=1)
    """Torch's threads. Another number adds in another order: other last digits."""
    check: int = Field(default=400, ge=1)
    """Updates from one checkpoint, and one look at the dev groups, to the next."""


class SparringSettings(Settings):
    """Rounds in which an agent is trained against the judge, and the judge on what it did
    (sparring.py)."""

    rounds: int = Field(default=0, ge=0)
    worlds: tuple[str, ...] = ("tau2-telecom",)
    agent: str | None = None
    """The recipe by which the agent is trained (recipe.py); None: the world's own."""
    steps: int = Field(default=40, ge=1)
    """GRPO steps of a round."""
    updates: int = Field(default=800, ge=1)
    """Updates of the judge after a round, on the groups of all rounds beside the others."""
    learning_rate: float = Field(default=1e-3, gt=0)
    noise: float | None = Field(default=None, ge=0, le=1)
    strewn: Strewn | None = None
    """In place of those of `learning`, once calls can be told apart."""
    share: float = Field(default=0.4, gt=0, lt=1)
    """Of the lessons, dealt from the rounds' groups."""
    even: Literal["tasks", "groups"] = "tasks"
    """What of a round is dealt equally often: its tasks, or its groups, so that tasks which agents
    play more often are dealt more often."""


class EmbeddedJudgeRecipe(Recipe):
    """All that `train_embedded_judge` does besides its seed."""

    groups: Plan = Plan(train=1600, dev=60, test=0, faults=0)
    """The groups that are played and learned from (judge_data/trajectories.py)."""
    tokenizer: TokenizerSettings = TokenizerSettings(
        bpe_tokens=400, max_phrases=2500, min_count=4, long_call=100
    )
    shape: Shape = Shape()
    placing: Placing = "content"
    """Of the judge that is made. While it learns and spars it is by content, so that what an agent
    tries in arguments moves it from place to place, and the judge sees it in many."""
    learning: LearningSettings = LearningSettings()
    sparring: SparringSettings = SparringSettings()

    def check_start(self, given: bool) -> None:
        """Raises UsageError for a judge to start from that the objective needs and is not given, or
        the other way round, and for rounds of sparring that it cannot have."""
        name = self.learning.objective
        if given != (name in STARTED):
            raise UsageError(
                f"`{name}` starts from nothing; only {' and '.join(sorted(STARTED))} start from "
                "a judge"
                if given
                else f"`{name}` needs a judge to start from: give its folder"
            )
        if self.sparring.rounds and name != "listwise":
            raise UsageError(
                f"sparring teaches `listwise`; with `{name}` set sparring.rounds=0, or take the "
                "recipe laptop"
            )

    def key(self, seed: int, data: str) -> str:
        """Names a run: the same for the same settings, seed and data, whatever its name."""
        text = f"{self.model_dump_json(exclude={'name'})}|{seed}|{data}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def laptop() -> EmbeddedJudgeRecipe:
    """Two CPU cores; no sparring: for comparing ways of learning, not for paying agents."""
    return EmbeddedJudgeRecipe(name="laptop")


def tau2_telecom() -> EmbeddedJudgeRecipe:
    """How the shipped judge of tau2-telecom was made. An agent spars with it for nearly as many
    steps as `telejudge run` takes: what is found out late has to be seen as well. It reads more
    calls than an episode may have turns, so that nobody escapes it by going on, a call at a time.
    """
    return EmbeddedJudgeRecipe(name="tau2-telecom").with_(
        groups={"worlds": ("tau2-telecom",), "train": 2000},
        shape={"own": 2, "layers": 2, "steps": 64},
        placing="conduct",
        learning={"steps": 1400, "floor": 0.3, "check": 350},
        sparring={
            "rounds": 4,
            "steps": 60,
            "updates": 800,
            "noise": 0.5,
            "strewn": "call",
            "share": 0.6,
            "even": "groups",
        },
    )


def base_station() -> EmbeddedJudgeRecipe:
    """How the shipped judge of base-station was made: from more groups of that world alone. Its
    tasks differ more, and a network for both worlds learned them worse. It reads a call
    for every turn that an episode may have."""
    return EmbeddedJudgeRecipe(name="base-station").with_(
        groups={"worlds": ("base-station",), "train": 6000},
        shape={"steps": 80},
        placing="conduct",
        learning={"steps": 5000, "noise": 0.2, "check": 1000},
        sparring={
            "rounds": 2,
            "worlds": ("base-station",),
            "updates": 1200,
            "noise": 0.5,
            "strewn": "call",
        },
    )


def smoke() -> EmbeddedJudgeRecipe:
    """A minute's worth: everything runs, nothing is learned worth the name."""
    return EmbeddedJudgeRecipe(name="smoke").with_(
        groups={"train": 24, "dev": 6, "kinds": 3, "experts": 3},
        tokenizer={"max_phrases": 300},
        shape={"hidden": 32, "layers": 1, "heads": 2, "intermediate": 64},
        learning={"steps": 40, "candidates": 8, "warmup": 4, "check": 20, "threads": 1},
        sparring={"rounds": 1, "agent": "smoke", "steps": 1, "updates": 4},
    )


PRESETS = {
    "tau2-telecom": tau2_telecom,
    "base-station": base_station,
    "laptop": laptop,
    "smoke": smoke,
}
