"""The embedded judge's objectives: each learns what it is made to learn, and what it leans on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from embedded_judge_harness import parts_of, sample_pool  # noqa: E402

from telejudge_envs.errors import UsageError  # noqa: E402
from telejudge_envs.nouns.trajectory import Group  # noqa: E402
from telejudge_judges.embedded.folder import Parts, encoder, load, save, version_of  # noqa: E402
from telejudge_judges.embedded.judge import EmbeddedJudge  # noqa: E402
from telejudge_judges.embedded.reading import read_case  # noqa: E402
from telejudge_judges.embedded.sheet import sheet_of  # noqa: E402
from telejudge_judges.embedded.spec import CLEAR  # noqa: E402
from telejudge_judges.embedded.writing import first_draft  # noqa: E402
from telejudge_training.embedded_judge.checking import checked  # noqa: E402
from telejudge_training.embedded_judge.dealing import unequal, with_answers  # noqa: E402
from telejudge_training.embedded_judge.grpo import advantages, dice_of, reward  # noqa: E402
from telejudge_training.embedded_judge.learning import Learner  # noqa: E402
from telejudge_training.embedded_judge.lessons import truths_of  # noqa: E402
from telejudge_training.embedded_judge.objective import Work  # noqa: E402
from telejudge_training.embedded_judge.objectives import begun, objective_of  # noqa: E402
from telejudge_training.embedded_judge.pools import LabelledPool  # noqa: E402
from telejudge_training.embedded_judge.run import train_embedded_judge  # noqa: E402
from telejudge_training.embedded_judge.sampling import (  # noqa: E402
    choices,
    log_probabilities,
    sample,
)
from telejudge_training.embedded_judge.settings import (  # noqa: E402
    EmbeddedJudgeRecipe,
    laptop,
    smoke,
)

POOLS = [sample_pool(number) for number in range(4)]
DEV = [sample_pool(9)]


def recipe_of(objective: str, **learning: float) -> EmbeddedJudgeRecipe:
    settings = {"steps": 120, "candidates": 16, "warmup": 10, "check": 60, "learning_rate": 5e-3}
    changes = {**settings, "objective": objective, **learning}
    return smoke().with_(learning=changes, sparring={"rounds": 0})


def learned(folder: Path, recipe: EmbeddedJudgeRecipe, start: Parts | None = None) -> Parts:
    torch.set_num_threads(1)
    parts = begun(recipe, POOLS, 0, start)
    objective = objective_of(Work(parts, POOLS, recipe.learning, 3, start))
    learner = Learner(
        parts,
        POOLS,
        recipe.learning,
        seed=3,
        folder=folder,
        key="k",
        checked=lambda now: checked(objective.fitted(now, DEV), DEV),
        loss=objective.loss,
    )
    learner.learn()
    return objective.fitted(parts, DEV)


def judged(folder: Path, parts: Parts) -> dict:
    save(parts, folder)
    pool = DEV[0]
    group = Group(id="g", task=pool.view, trajectories=tuple(x.trajectory for x in pool.members))
    return {v.trajectory_id: v for v in EmbeddedJudge(folder).judge_now(group).verdicts}


@pytest.fixture(scope="module")
def begun_judge(tmp_path_factory) -> Path:
    """A listwise judge that has learned half of it."""
    folder = tmp_path_factory.mktemp("listwise")
    save(learned(folder / "train", recipe_of("listwise", steps=60)), folder / "judge")
    return folder / "judge"


@pytest.mark.parametrize("objective", ["pointwise", "pairs"])
def test_judges_that_write_learn_answers_and_defects(tmp_path, objective):
    parts = learned(tmp_path, recipe_of(objective))
    assert parts.spec.shape.candidates == (1 if objective == "pointwise" else 2)
    assert checked(parts, DEV) == {"accuracy": 1.0, "defects_f1": 1.0}


@pytest.mark.parametrize("objective", ["bt", "rrhf"])
def test_judges_that_score_learn_the_order_and_where_right_begins(tmp_path, objective):
    parts = learned(tmp_path / "train", recipe_of(objective))
    threshold = parts.spec.threshold
    assert threshold is not None
    assert threshold.accuracy == 1.0
    verdicts = judged(tmp_path / "judge", parts)
    truth = {one.trajectory.id: one.truth for one in DEV[0].members}
    assert {name: v.answer for name, v in verdicts.items()} == {
        name: true.answer for name, true in truth.items()
    }
    assert not any(v.defects for v in verdicts.values())
    chances = [v.tools for v in verdicts.values() if v.answer]
    assert all(chance > 0.5 for chance in chances)
    # The threshold decides, not the sign of the margin.
    raised = threshold.model_copy(update={"threshold": 1e6})
    strict = parts._replace(spec=parts.spec.model_copy(update={"threshold": raised}))
    assert {v.answer for v in judged(tmp_path / "strict", strict).values()} == {0}


def test_a_judge_that_writes_is_kept_as_it_always_was(tmp_path, begun_judge):
    assert "threshold" not in json.loads((begun_judge / "judge.json").read_text())
    save(load(begun_judge), tmp_path)
    assert version_of(tmp_path) == version_of(begun_judge)
    plain = laptop()
    assert plain.with_(name="another").key(0, "") == plain.key(0, "")
    assert plain.with_(learning={"objective": "bt"}).key(0, "") != plain.key(0, "")
    assert plain.with_(learning={"samples": 5}).key(0, "") != plain.key(0, "")


def test_grpo_earns_more_than_the_judge_it_began_with(tmp_path, begun_judge):
    def earned(parts: Parts) -> float:
        dealt = DEV[0].members
        sheet = sheet_for(parts, DEV[0])
        drafts = sample(parts.network, [sheet] * 64, dice_of(5, 0))
        return sum(reward(sheet, dealt, draft, parts.spec) for draft in drafts) / 64

    before = earned(load(begun_judge))
    recipe = recipe_of("grpo", learning_rate=1e-3, candidates=64, samples=8)
    after = earned(learned(tmp_path, recipe, load(begun_judge)))
    assert after > before + 0.1


def test_a_student_learns_from_its_teacher_alone(tmp_path):
    teacher = learned(tmp_path / "teacher", recipe_of("listwise", steps=150, check=150))
    smaller = recipe_of("opd").with_(shape={"hidden": 24, "intermediate": 48})

    def apart(parts: Parts) -> float:
        work = Work(parts, DEV, smaller.learning, 8, teacher)
        return float(objective_of(work).loss(smaller.learning.steps)[0].detach())

    before = apart(begun(smaller, POOLS, 0, teacher))
    student = learned(tmp_path / "student", smaller, teacher)
    assert student.network.head.in_features == 24
    assert apart(student) < before / 2


def test_a_kill_changes_nothing_of_sampled_training(tmp_path, begun_judge):
    recipe = recipe_of("grpo", steps=6, check=2)
    whole = learned(tmp_path / "whole", recipe, load(begun_judge))
    parts = load(begun_judge)
    objective = objective_of(Work(parts, POOLS, recipe.learning, 3, parts))
    killed = Learner(
        parts,
        POOLS,
        recipe.learning,
        seed=3,
        folder=tmp_path / "parts",
        key="k",
        checked=lambda now: checked(now, DEV),
        loss=objective.loss,
    )
    for step in range(3):  # the checkpoint is of step 2; an update more is lost
        killed._update(step)
        if step == 1:
            killed._check(2)
    again = learned(tmp_path / "parts", recipe, load(begun_judge))
    expected, found = whole.network.state_dict(), again.network.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_start_is_given_where_it_is_needed_and_nowhere_else(begun_judge, tmp_path):
    start = load(begun_judge)
    for objective in ("grpo", "opd"):
        with pytest.raises(UsageError, match="needs a judge to start from"):
            begun(recipe_of(objective), POOLS, 0, None)
        with pytest.raises(UsageError, match="needs a judge to start from"):
            train_embedded_judge(recipe_of(objective), tmp_path, 0)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="sparring teaches"):
        begun(recipe_of("bt").with_(sparring={"rounds": 1}), POOLS, 0, None)
    with pytest.raises(UsageError, match="starts from nothing"):
        begun(recipe_of("bt"), POOLS, 0, start)
    scorer = learned(tmp_path, recipe_of("bt", steps=2))
    with pytest.raises(UsageError, match="only scores"):
        begun(recipe_of("opd"), POOLS, 0, scorer)
    other = [LabelledPool(p.view.model_copy(update={"world": "moon"}), p.members) for p in POOLS]
    with pytest.raises(UsageError, match="does not know moon"):
        begun(recipe_of("grpo"), other, 0, start)


# -- what they lean on


def sheet_for(parts: Parts, pool: LabelledPool):
    case = read_case(pool.view, [x.trajectory for x in pool.members], ())
    return sheet_of(case, parts.spec, encoder(parts.tokenizer))


def test_samples_are_as_frequent_as_the_network_finds_them_likely():
    parts = parts_of(POOLS, smoke())
    sheet = sheet_for(parts, DEV[0])
    drafts = sample(parts.network.eval(), [sheet] * 3000, dice_of(0, 0))
    first = sheet.spots[0]
    told = choices([sheet], [first_draft(sheet, parts.spec)], parts.spec)
    with torch.no_grad():
        likely = log_probabilities(parts.network, told)[0].exp()
    for label in (CLEAR, 1, 2):
        drawn = sum((draft[first] or (CLEAR,))[0] == label for draft in drafts) / len(drafts)
        assert drawn == pytest.approx(float(likely[label]), abs=0.035)
    assert len({tuple(draft.values()) for draft in drafts}) > 100


def test_what_was_written_is_a_permitted_choice_and_has_its_likelihood():
    parts = parts_of(POOLS, smoke())
    sheet = sheet_for(parts, DEV[0])
    drafts = sample(parts.network.eval(), [sheet] * 8, dice_of(1, 0))
    told = choices([sheet] * 8, drafts, parts.spec)
    written = told.allowed.gather(1, told.label[:, None])
    assert written.all()
    total = log_probabilities(parts.network, told).exp().sum(1)
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)
    assert len(told.label) == sum(
        len(d) + (d[0] < parts.spec.wrong)
        for x in drafts
        for d in [*(labels or (CLEAR,) for labels in x.values())]
    ) - sum(labels == () for x in drafts for labels in x.values())


def test_rewards_count_verdicts_and_true_defects():
    parts = parts_of(POOLS, smoke())
    dealt, sheet = DEV[0].members, sheet_for(parts, DEV[0])
    truth = truths_of(sheet, dealt, parts.spec)
    spec = parts.spec
    defects = sum(len(labels) for s, labels in truth.items() if s.step != sheet.answer)
    assert reward(sheet, dealt, truth, spec) == pytest.approx(1 + 0.1 * defects)
    silent = {s: labels if s.step == sheet.answer else () for s, labels in truth.items()}
    assert reward(sheet, dealt, silent, spec) == pytest.approx(1.0)
    everything = tuple(range(1, spec.wrong))
    shouting = {s: labels if s.step == sheet.answer else everything for s, labels in truth.items()}
    assert reward(sheet, dealt, shouting, spec) < 1.0
    spread = advantages([1.0, 0.0, 0.5, 0.5], 2)
    assert spread[0] > 0 > spread[1]
    assert spread[2:].tolist() == [0.0, 0.0]


def test_deals_have_what_is_compared():
    import random

    pool = sample_pool()
    for seed in range(20):
        first, second, *rest = unequal(pool, 4, random.Random(seed))
        assert first.truth.reward != second.truth.reward
        assert len(rest) == 2
    right = LabelledPool(pool.view, [x for x in pool.members if x.truth.answer])
    assert with_answers([right, pool]) == [pool]
    work = Work(parts_of(POOLS, smoke()), [right], recipe_of("pairs").learning, 0)
    with pytest.raises(UsageError, match="no task has"):
        objective_of(work)
