"""lm-evaluation-harness runs our tasks, and its figures are those worked out by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

pytest.importorskip("lm_eval")
pytest.importorskip("pyzipper")
pytest.importorskip("torch")

from lm_eval_harness import TASKS, made_up_teleqna, tiny_model

from telejudge_envs.teleqna import read_all
from telejudge_envs.teleqna_choice import CATEGORIES, LETTERS, Choice, as_choice, askable, prompt
from telejudge_training.judge_data.problems import our_problems


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_teleqna(tmp_path_factory.mktemp("data") / "TeleQnA.zip")


def evaluated(folder: Path, tasks: Sequence[str], **metadata: Any) -> dict[str, Any]:
    import lm_eval
    from lm_eval.tasks import TaskManager

    evaluate: Any = lm_eval.simple_evaluate  # its decorator hides its parameters
    found = evaluate(
        model="hf",
        model_args=f"pretrained={folder},device=cpu,dtype=float32",
        tasks=list(tasks),
        task_manager=TaskManager(include_path=str(TASKS), include_defaults=False,
                                 metadata=metadata),
        batch_size=4,
        bootstrap_iters=0,
    )  # fmt: skip
    return dict(found)


@cache
def loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def picked(folder: Path, choice: Choice) -> int:
    """Which letter has the highest log-likelihood after the prompt, with transformers alone."""
    import torch

    model, tokenizer = loaded(folder)
    likelihoods = []
    for letter in LETTERS[: len(choice.options)]:
        before = tokenizer(prompt(choice), add_special_tokens=False)["input_ids"]
        after = tokenizer(f" {letter}", add_special_tokens=False)["input_ids"]
        assert len(after) == 2
        with torch.inference_mode():
            logits = model(torch.tensor([before + after])).logits[0].log_softmax(-1)
        places = range(len(before) - 1, len(before) + 1)
        likelihoods.append(sum(float(logits[p, t]) for p, t in zip(places, after, strict=True)))
    return likelihoods.index(max(likelihoods))


@pytest.mark.parametrize("shuffled", [False, True])
def test_teleqna_equals_a_computation_by_hand(folder: Path, packed: Path, shuffled: bool):
    group = "teleqna_shuffled" if shuffled else "teleqna"
    found = evaluated(folder, [group], teleqna=str(packed), seed=5)
    choices = [
        as_choice(question, shuffled_by=5 if shuffled else None)
        for question in askable(read_all(packed))
    ]
    assert len(choices) == 20
    right = {c.id: picked(folder, c) == c.right for c in choices}
    assert 0 < sum(right.values()) < 20  # a model that never differs would show nothing
    for category in CATEGORIES:
        name = f"{group}_{category.lower().replace(' ', '_')}"
        own = {c.id: right[c.id] for c in choices if c.category == category}
        assert {s["doc"]["id"]: s["acc"] == 1 for s in found["samples"][name]} == own
        assert found["results"][name]["acc,none"] == pytest.approx(fmean(own.values()))
    assert found["results"][group]["acc,none"] == pytest.approx(fmean(right.values()))


def test_shuffling_moves_options_by_the_seed_alone(packed: Path):
    questions = askable(read_all(packed))
    plain = [as_choice(q) for q in questions]
    by_seed = {seed: [as_choice(q, shuffled_by=seed) for q in questions] for seed in (1, 2)}
    assert by_seed[1] == [as_choice(q, shuffled_by=1) for q in questions]
    assert by_seed[1] != by_seed[2]
    assert by_seed[1] != plain
    for before, after in zip(plain, by_seed[1], strict=True):
        assert sorted(before.options) == sorted(after.options)
        assert before.options[before.right] == after.options[after.right]


def test_options_that_point_at_others_stay_where_they_are():
    from telejudge_envs.teleqna import Question

    options = ("a", "b", "Both of the above")
    asked = Question(
        number=1, text="?", right="b", wrong=("a", options[2]), category="Lexicon",
        options=options, pointing=(options[2],), flaw="pointing",
    )  # fmt: skip
    assert {as_choice(asked, shuffled_by=seed).options for seed in range(9)} == {options}


def test_a_part_and_a_missing_path(packed: Path, monkeypatch: pytest.MonkeyPatch):
    from lm_eval.tasks import TaskManager

    from telejudge_envs.errors import UsageError

    def documents(**metadata: Any) -> int:
        manager = TaskManager(include_path=str(TASKS), include_defaults=False, metadata=metadata)
        tasks = manager.load(["teleqna"])["tasks"]
        return sum(len(list(task.test_docs() or ())) for task in tasks.values())

    parts = [q.part for q in askable(read_all(packed))]
    assert documents(teleqna=str(packed), part="judge") == parts.count("judge") < 20
    monkeypatch.setenv("TELEJUDGE_TELEQNA", str(packed))
    assert documents() == 20
    monkeypatch.delenv("TELEJUDGE_TELEQNA")
    with pytest.raises(UsageError, match="TELEJUDGE_TELEQNA"):
        documents()


class Calculator:
    """Stands for a model: its replies by the question, in turn."""

    def __init__(self, replies: dict[str, list[str]]) -> None:
        from lm_eval.api.model import LM

        outer = replies

        class Replying(LM):
            def generate_until(self, requests: Any) -> list[str]:
                left = {question: cycle(said) for question, said in outer.items()}
                return [next(next(s for q, s in left.items() if q in r.args[0])) for r in requests]

            def loglikelihood(self, requests: Any) -> Any:
                raise NotImplementedError

            def loglikelihood_rolling(self, requests: Any) -> Any:
                raise NotImplementedError

        self.model = Replying()


def test_telemath_scores_are_those_of_the_replies():
    import lm_eval
    from lm_eval.tasks import TaskManager

    problems = our_problems()
    replies = {p.question: [rf"\boxed{{{p.answer}}}"] * 8 for p in problems}
    replies[problems[0].question] = ["61"] * 3 + ["1", "2", "3", "4", "5"]  # a right plurality
    replies[problems[1].question] = ["no idea"] * 8
    manager = TaskManager(
        include_path=str(TASKS), include_defaults=False, metadata={"telemath": "own"}
    )
    evaluate: Any = lm_eval.simple_evaluate
    found = evaluate(
        model=Calculator(replies).model,
        tasks=["telemath", "telemath_cons8"],
        task_manager=manager,
        bootstrap_iters=0,
    )
    assert found["results"]["telemath"]["pass@1,none"] == pytest.approx(11 / 12)
    cons = found["results"]["telemath_cons8"]
    assert cons["pass@1,all"] == pytest.approx((10 + 3 / 8) / 12)
    assert cons["cons@8,all"] == pytest.approx(11 / 12)


@pytest.mark.slow
def test_the_command_of_lm_eval_finds_the_tasks(folder: Path, packed: Path, tmp_path: Path):
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", "run", "--include_path", str(TASKS), "--model", "hf",
         "--model_args", f"pretrained={folder},dtype=float32", "--device", "cpu",
         "--tasks", "teleqna", "--metadata", json.dumps({"teleqna": str(packed)}),
         "--output_path", str(out)],
        capture_output=True, text=True, timeout=300,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    [results] = out.rglob("results*.json")
    by_hand = fmean(picked(folder, c) == c.right for c in map(as_choice, askable(read_all(packed))))
    told = json.loads(results.read_text())["results"]["teleqna"]["acc,none"]
    assert told == pytest.approx(by_hand)
