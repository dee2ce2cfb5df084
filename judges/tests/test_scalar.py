"""The scalar judge with a tiny reward head that is made here, with random weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_harness import answers, run

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Failure, Outcome, Rollout
from telejudge_judges import scalar_threshold
from telejudge_judges.briefing import Briefing
from telejudge_judges.evidence import prepare
from telejudge_judges.fuse import fuse
from telejudge_judges.registry import open_judge
from telejudge_judges.scalar import Reader, RewardHead, ScalarJudge, scalar_text
from telejudge_judges.scalar_threshold import FILE, Threshold, fit
from telejudge_judges.settings import make_settings
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES, sample_group, sample_trajectory

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make_head(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """(positions, logits, threshold) -> a folder; one token a byte, one small layer."""

    def make(
        positions: int = 3000, logits: int = 1, threshold: float | None = 0.0, seed: int = 0
    ) -> Path:
        import torch
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

        folder = tmp_path_factory.mktemp("head")
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        vocab = {letter: i + 1 for i, letter in enumerate(letters)}
        tokenizer = Tokenizer(models.BPE(vocab={"[PAD]": 0, **vocab}, merges=[]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="[PAD]", model_max_length=positions
        ).save_pretrained(folder)
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=300, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=positions,
            initializer_range=1.0,
        )  # fmt: skip
        config.num_labels = logits
        BertForSequenceClassification(config).save_pretrained(folder)
        if threshold is not None:
            (folder / FILE).write_text(Threshold(threshold=threshold).model_dump_json())
        return folder

    return make


@pytest.fixture(scope="module")
def head(make_head: Make) -> Path:
    return make_head()


def scores(folder: Path) -> dict[str, float]:
    reader = Reader(RewardHead(folder))
    found = {t.id: reader.score(sample_group(), t, Briefing()) for t in SAMPLES}
    return {name: score for name, score in found.items() if not isinstance(score, str)}


def test_the_logit_the_threshold_and_nothing_else_decide(head: Path) -> None:
    said = scores(head)
    assert len(set(said.values())) == 5, "the head must tell the samples apart"
    middle = sorted(said.values())[2]
    (head / FILE).write_text(Threshold(threshold=middle, scale=2.0).model_dump_json())
    verdict = run(ScalarJudge(head))
    for one in verdict.verdicts:
        score = said[one.trajectory_id]
        assert one.answer is not None
        assert one.answer == int(score > middle)
        assert one.reward == fuse(one.answer, one.tools or 0)
        assert one.confidence is not None
        assert one.confidence >= 0.5
    assert [tier[0] for tier in verdict.ranking] == sorted(said, key=lambda n: -said[n])
    assert sum(v.answer or 0 for v in verdict.verdicts) == 2
    assert run(ScalarJudge(head)).verdicts == verdict.verdicts, "the same twice"


def test_a_score_depends_on_its_own_trajectory_alone(head: Path) -> None:
    among = {v.trajectory_id: v.tools for v in run(ScalarJudge(head)).verdicts}
    (alone,) = run(ScalarJudge(head), sample_group(SAMPLES[2])).verdicts
    assert alone.tools == among[SAMPLES[2].id]


def test_the_text_holds_no_random_names(head: Path) -> None:
    def text(*rollouts: Any) -> str:
        group = sample_group(*rollouts)
        return scalar_text(prepare(group, rollouts[:1]), (), 5000)

    assert text(SAMPLES[0]) == text(SAMPLES[0], SAMPLES[1])
    assert "<data candidate>" in text(SAMPLES[0])
    assert SAMPLE_TASK.id not in text(SAMPLES[0])


def test_the_version_follows_weights_and_threshold(make_head: Make) -> None:
    one, other = make_head(seed=1), make_head(seed=2)
    versions = [ScalarJudge(one).version, ScalarJudge(other).version]
    (one / FILE).write_text(Threshold(threshold=0.7).model_dump_json())
    versions.append(ScalarJudge(one).version)
    assert len(set(versions)) == 3


def test_nothing_is_cut_off(make_head: Make) -> None:
    long = sample_trajectory("t-long", *["look_with_a_long_name"] * 60, "done")
    group = sample_group(SAMPLES[1], long)
    found = answers(run(ScalarJudge(make_head(positions=900)), group))
    assert found["t-long"] == "over_budget"
    assert found["t-looked"] in (0, 1)


def test_failures_of_others_are_not_scored(head: Path) -> None:
    dead = sample_trajectory(
        "t-dead", "look", stop="failed", failure=Failure(owner="endpoint", cause="timeout")
    )
    assert answers(run(ScalarJudge(head), sample_group(dead))) == {"t-dead": "endpoint: timeout"}


def test_a_head_that_says_no_number_is_abstained(make_head: Make) -> None:
    import torch

    judge = ScalarJudge(make_head())
    with torch.no_grad():
        judge.head._model.classifier.bias.fill_(float("nan"))
    assert set(answers(run(judge)).values()) == {"not_finite"}


def test_what_is_no_reward_head_explains_itself(make_head: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fit it on a dev split"):
        ScalarJudge(make_head(threshold=None))
    with pytest.raises(UsageError, match="has 2 logits"):
        ScalarJudge(make_head(logits=2))
    (tmp_path / FILE).write_text('{"threshold": 0}')
    with pytest.raises(UsageError, match=r"no config\.json"):
        ScalarJudge(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="cannot be loaded"):
        ScalarJudge(tmp_path)
    (tmp_path / FILE).write_text('{"threshold": "high"}')
    with pytest.raises(UsageError, match="is no threshold"):
        ScalarJudge(tmp_path)


def test_it_is_opened_by_name(head: Path) -> None:
    judge = open_judge("scalar", make_settings({"folder": str(head)}))
    assert all(v.abstained is None for v in run(judge).verdicts)


# -- the threshold


def test_the_command_fits_on_rollouts(
    make_head: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder, dev = make_head(threshold=None), tmp_path / "dev.jsonl"
    ranked = sorted(scores(folder).items(), key=lambda pair: pair[1])
    right = {name for name, _ in ranked[3:]}
    rollouts = [
        Rollout(
            task=SAMPLE_TASK,
            trajectory=one,
            outcome=Outcome(answer=1 if one.id in right else 0, world_reward=0),
        )
        for one in SAMPLES
    ]
    store.write(dev, rollouts)
    monkeypatch.setattr(sys, "argv", ["scalar_threshold", str(folder), str(dev)])
    scalar_threshold.main()
    assert "100.0% of 5 trajectories" in capsys.readouterr().out
    found = Threshold.load(folder / FILE)
    assert ranked[2][1] < found.threshold < ranked[3][1]
    assert json.loads((folder / FILE).read_text())["fitted_on"] == "dev.jsonl"
    said = answers(run(ScalarJudge(folder)))
    assert {name for name, answer in said.items() if answer} == right
    store.write(dev, [r.model_copy(update={"outcome": None}) for r in rollouts])
    with pytest.raises(SystemExit):
        scalar_threshold.main()
    assert "both labels" in capsys.readouterr().err


LABELLED = st.lists(
    st.tuples(st.integers(-8, 8).map(lambda n: n / 4), st.sampled_from([0, 1])),
    min_size=2,
    max_size=12,
).filter(lambda rows: {label for _, label in rows} == {0, 1})


@given(rows=LABELLED)
@settings(max_examples=60)
def test_no_other_threshold_is_righter(rows: list[tuple[float, int]]) -> None:
    found = fit([s for s, _ in rows], [label for _, label in rows])

    def right(threshold: float) -> float:
        return sum((score > threshold) == bool(label) for score, label in rows) / len(rows)

    tried = {edge + step for edge, _ in rows for step in (-0.125, 0.0, 0.125)}
    assert found.accuracy == right(found.threshold) == max(map(right, tried))
    assert found.threshold not in {score for score, _ in rows}


def test_the_chance_is_half_at_the_threshold_and_steeper_when_labels_are_clear() -> None:
    clear = fit([-2, -1, 1, 2], [0, 0, 1, 1])
    vague = fit([-2, 1, -1, 2], [0, 0, 1, 1])
    assert clear.threshold == 0
    assert clear.chance(0) == 0.5
    assert clear.chance(1) > vague.chance(vague.threshold + 1)
    assert (clear.chance(1e9), clear.chance(-1e9)) == (1.0, 0.0)
    for wrong in (([1.0], [1]), ([1.0, float("nan")], [0, 1])):
        with pytest.raises(UsageError):
            fit(*wrong)
