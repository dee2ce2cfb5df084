"""Training of the embedded judge: lessons say what is true, a kill changes nothing, it learns."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from embedded_judge_harness import BAD, labelled, parts_of, sample_pool  # noqa: E402

from telejudge_envs.errors import UsageError  # noqa: E402
from telejudge_envs.nouns.trajectory import Group  # noqa: E402
from telejudge_judges.embedded.folder import encoder, version_of  # noqa: E402
from telejudge_judges.embedded.judge import EmbeddedJudge  # noqa: E402
from telejudge_judges.embedded.reading import read_case  # noqa: E402
from telejudge_judges.embedded.sheet import Cell, Role, Spot, sheet_of  # noqa: E402
from telejudge_judges.testing import SAMPLE_TASK  # noqa: E402
from telejudge_training.embedded_judge.learning import Learner, rate  # noqa: E402
from telejudge_training.embedded_judge.lessons import lesson_of, truths_of  # noqa: E402
from telejudge_training.embedded_judge.pools import LabelledPool, pools_of  # noqa: E402
from telejudge_training.embedded_judge.run import train_embedded_judge  # noqa: E402
from telejudge_training.embedded_judge.settings import smoke  # noqa: E402
from telejudge_training.embedded_judge.strewing import Strewer  # noqa: E402
from telejudge_training.judge_data.rows import (  # noqa: E402
    GroupRow,
    Provenance,
)


def test_lessons_hold_the_truth_and_nothing_else():
    pool, recipe = sample_pool(), smoke()
    parts = parts_of([pool], recipe)
    encode, spec = encoder(parts.tokenizer), parts.spec
    dealt = pool.deal(4, random.Random(1))
    sheet = sheet_of(read_case(pool.view, [x.trajectory for x in dealt], ()), spec, encode)
    truth = truths_of(sheet, dealt, spec)
    for number, one in enumerate(dealt):
        steps = {d.step for d in one.truth.defects or ()}
        for spot in (spot for spot in sheet.spots if spot.candidate == number):
            if spot.step == sheet.answer:
                assert truth[spot] == ((spec.right if one.truth.answer else spec.wrong),)
            else:
                assert bool(truth[spot]) == (
                    (None if spot.step == sheet.end else spot.step) in steps
                )
    lesson = lesson_of(pool.view, dealt, spec, encode, recipe.learning)
    written = [cell.value for cell in lesson.cells[len(sheet.read) :] if cell.role == Role.LABEL]
    assert written == [label for spot in sheet.spots for label in truth[spot]]


def test_defects_of_calls_that_are_not_there_are_of_the_whole():
    late = labelled("a", "look", right=False, defects=(BAD.model_copy(update={"step": 40}),))
    pool = LabelledPool(SAMPLE_TASK, [late])
    parts = parts_of([sample_pool()], smoke())
    sheet = sheet_of(
        read_case(pool.view, [late.trajectory], ()), parts.spec, encoder(parts.tokenizer)
    )
    assert truths_of(sheet, [late], parts.spec)[Spot(0, sheet.end)]


@pytest.mark.parametrize("strewn", ["head", "call"])
def test_stray_tokens_change_calls_only_and_no_results(strewn):
    pool, recipe = sample_pool(), smoke()
    parts = parts_of([pool], recipe)
    encode = encoder(parts.tokenizer)
    (newline,) = encode("\n")
    plain = lesson_of(pool.view, pool.members, parts.spec, encode, recipe.learning).cells

    def told(noise: float, seed: int) -> list[Cell]:
        settings = recipe.learning.model_copy(update={"noise": noise, "strewn": strewn})
        cells = list(plain)
        Strewer(parts, settings)(cells, random.Random(seed))
        return cells

    assert told(0.0, 0) == plain
    for seed in range(20):
        changed = [(a, b) for a, b in zip(plain, told(1.0, seed), strict=True) if a != b]
        assert [a.role for a, _ in changed] == [Role.STEP] * len(pool.members)
        for a, b in changed:
            result = a.piece[a.piece.index(newline) :]
            assert b.piece[-len(result) :] == result
            assert len(b.piece) - len(result) <= max(parts.spec.shape.call, len(a.piece) + 24)


def test_pools_leave_out_what_cannot_be_learned_from():
    good, long = labelled("a", "look", right=True), labelled("b", *["look"] * 9, right=True)
    unknown = labelled("c", "look", right=True)
    dead = labelled("d", "look", right=False)
    truths = {
        "a": good.truth,
        "b": long.truth,
        "c": unknown.truth.model_copy(update={"defects": None}),
        "d": dead.truth,
    }
    failed = dead.trajectory.model_copy(update={"stop": "deadline"})
    members = (good.trajectory, long.trajectory, unknown.trajectory, failed)
    rows = [
        GroupRow(
            id=split,
            split=split,
            form="mixed",
            group=Group(id=split, task=SAMPLE_TASK, trajectories=members),
            truths=truths,
            provenance=Provenance(source="s", licence="MIT", made_by="m"),
        )
        for split in ("train", "test")
    ]
    (pool,) = pools_of(rows, "train", most_calls=8)
    assert [one.trajectory.id for one in pool.members] == ["a"]


def test_the_rate_goes_up_and_down():
    settings = smoke().learning
    rates = [rate(step, settings) for step in range(settings.steps)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert min(rates) >= settings.floor


def learner(folder, recipe, steps=None) -> Learner:
    torch.set_num_threads(1)
    pools = [sample_pool(n) for n in range(4)]
    learning = recipe.learning
    made = Learner(
        parts_of(pools, recipe),
        pools,
        learning,
        seed=3,
        folder=folder,
        key="k",
        checked=lambda parts: {"accuracy": 1.0},
    )
    if steps is not None:  # as if it had been killed after its second checkpoint
        made.settings = learning.model_copy(update={"steps": steps})
    return made


def test_after_a_kill_the_same_judge_comes_out(tmp_path):
    recipe = smoke().with_(learning={"steps": 12, "check": 4, "warmup": 2})
    whole = learner(tmp_path / "whole", recipe)
    whole.learn()
    first = learner(tmp_path / "parts", recipe)
    first._resume()
    for step in range(6):  # the checkpoint is of step 4; two updates more are lost
        first._update(step)
        if step == 3:
            first._check(4)
    second = learner(tmp_path / "parts", recipe)
    second.learn()
    expected, found = whole.parts.network.state_dict(), second.parts.network.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_it_learns_what_can_be_learned(tmp_path):
    recipe = smoke().with_(
        learning={"steps": 150, "candidates": 16, "warmup": 10, "check": 150, "learning_rate": 5e-3}
    )
    made = learner(tmp_path, recipe)
    made.learn()
    from telejudge_training.embedded_judge.checking import checked

    found = checked(made.parts, [sample_pool(9)])
    assert found == {"accuracy": 1.0, "defects_f1": 1.0}


@pytest.mark.slow
def test_one_command_makes_a_judge_that_judges(tmp_path):
    recipe = smoke().with_(groups={"worlds": ("tau2-telecom",)})
    summary = train_embedded_judge(recipe, tmp_path / "run", 0)
    assert summary["candidates"]["train"] > 20
    made = tmp_path / "run" / "judge"
    before = version_of(made)
    again = train_embedded_judge(recipe, tmp_path / "run", 0)
    assert again == summary
    assert version_of(made) == before
    judge = EmbeddedJudge(made)
    assert judge.parts.keys() == {"tau2-telecom"}
    assert (tmp_path / "run" / "curves.png").stat().st_size > 1000
    with pytest.raises(UsageError, match="holds another run"):
        train_embedded_judge(recipe, tmp_path / "run", 1)
    with pytest.raises(UsageError, match="there is no file"):
        train_embedded_judge(recipe, tmp_path / "other", 0, groups=tmp_path / "no.jsonl")
