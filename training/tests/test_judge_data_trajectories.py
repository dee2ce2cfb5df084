"""Groups of trajectories: their truths hold, tests hold what training never shows, runs resume."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from judge_data_harness import SMALL, group_file, groups

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.nouns.verdict import Defect
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier
from telejudge_training.judge_data import pools as pool_file
from telejudge_training.judge_data import trajectories
from telejudge_training.judge_data.cards import Making, read_card
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.mixing import Mix, Mixer
from telejudge_training.judge_data.pools import Member, Pool, Recipe, recorded_pools
from telejudge_training.judge_data.reserve import (
    RESERVED_KINDS,
    combination,
    detected_kinds,
    task_plans,
)
from telejudge_training.judge_data.rows import CandidateTruth, GroupRow


def test_every_truth_is_what_the_verifier_finds():
    verifier = Verifier(open_world)
    for row in groups():
        verdict = verifier.judge_now(row.group)
        for one in verdict.verdicts:
            truth = row.truths[one.trajectory_id]
            assert (one.answer, one.reward) == (truth.answer, pytest.approx(truth.reward))
            assert {(d.step, d.kind) for d in one.defects} == {
                (d.step, d.kind) for d in truth.defects or ()
            }


def test_training_shows_nothing_that_is_reserved():
    for row in groups():
        world = row.group.task.world
        hidden = detected_kinds(world, RESERVED_KINDS[world])
        kinds = {t.kind for t in row.truths.values()}
        defects = {d.kind for t in row.truths.values() for d in t.defects or ()}
        if row.split != "test":
            assert not row.reserved
            assert kinds.isdisjoint(RESERVED_KINDS[world])
            assert defects.isdisjoint(hidden)
        marked = {r.removeprefix("kind:") for r in row.reserved if r.startswith("kind:")}
        assert marked == {k for k in kinds if k in RESERVED_KINDS[world]}
    tested = Counter(r.partition(":")[0] for row in groups() for r in row.reserved)
    assert tested["kind"] >= 2
    assert tested["faults"] >= 4


def test_a_task_and_a_combination_of_faults_are_in_one_split():
    for world in ("base-station", "tau2-telecom"):
        splits: dict[str, set[str]] = {}
        for plan in task_plans(world, seed=0):
            task = combination(plan.task_id) if world == "tau2-telecom" else plan.task_id
            splits.setdefault(task, set()).add(f"{plan.split} {bool(plan.reserved)}")
        assert all(len(found) == 1 for found in splits.values())
        assert {s for found in splits.values() for s in found} == {
            "train False", "dev False", "test False", "test True",
        }  # fmt: skip


def test_the_combination_leaves_the_persona_out():
    one = "[mms_issue]bad_wifi_calling|airplane_mode_on[PERSONA:Hard]"
    assert combination(one) == "mms_issue:airplane_mode_on+bad_wifi_calling"
    assert combination(one) == combination(one.replace("Hard", "None"))


def test_a_reserved_kind_that_cannot_be_told_from_another_is_refused():
    with pytest.raises(UsageError, match="shows as the same defect"):
        detected_kinds("tau2-telecom", ["wrong_tool"])
    with pytest.raises(UsageError, match="no corruption"):
        detected_kinds("tau2-telecom", ["bad_hair"])


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(tmp_path, monkeypatch):
    out = tmp_path / "groups.jsonl"

    def stop_at_three(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trajectories.write_groups(SMALL, out, on_pools=stop_at_three)
    assert not out.exists()
    made = []
    real = pool_file.pools_of
    monkeypatch.setattr(pool_file, "pools_of", lambda recipe: made.append(recipe) or real(recipe))
    seen = []
    trajectories.write_groups(SMALL, out, on_pools=lambda done, total: seen.append((done, total)))
    assert seen[0][0] == 3
    assert len(made) == seen[0][1] - 3
    assert out.read_bytes() == group_file().read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "groups.jsonl", "groups.jsonl.card.json", "groups.jsonl.card.md",
    ]  # fmt: skip
    made.clear()
    card = trajectories.write_groups(SMALL, out)
    assert not made
    assert card == read_card(out)


def test_the_number_of_processes_changes_nothing(tmp_path):
    plan = SMALL.model_copy(update={"worlds": ("tau2-telecom",), "test": 0, "faults": 0})
    out = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    trajectories.write_groups(plan, out[0], processes=1)
    trajectories.write_groups(plan, out[1], processes=2)
    assert out[0].read_bytes() == out[1].read_bytes()


def test_recorded_rollouts_make_groups_of_their_own(tmp_path):
    world = open_world("tau2-telecom")
    played = run(world, world.tasks("small")[:2], scripted("expert", world), rollouts=3)
    store.write(tmp_path / "r.jsonl", played)
    plan = trajectories.Plan(worlds=(), seed=1)
    out = tmp_path / "g.jsonl"
    trajectories.write_groups(plan, out, recorded=tmp_path / "r.jsonl", recorded_split="dev")
    rows = list(read_rows(out, GroupRow))
    assert {row.form for row in rows} == {"recorded"}
    assert {row.split for row in rows} == {"dev"}
    answers = {r.trajectory.id: r.outcome.answer for r in played if r.outcome}
    for row in rows:
        assert {n: t.answer for n, t in row.truths.items()} == {n: answers[n] for n in row.truths}
    assert len(list(recorded_pools(tmp_path / "r.jsonl", "dev"))) == 2


def test_a_pool_of_the_expert_alone_is_scored():
    task = open_world("tau2-telecom").tasks("small")[0]
    recipe = Recipe(world="tau2-telecom", task_id=task.id, split="train", experts=3)
    (pool,) = pool_file.pools_of(recipe).pools
    assert {m.truth.origin for m in pool.members} == {"expert"}
    assert all(m.truth.tools is not None for m in pool.members)


# -- dealing, on pools made up


@dataclass
class Deck:
    """Pools of members with known sorts; ids are unique."""

    made: int = 0
    making: Making = field(default_factory=lambda: Making("t", 0, {}))

    def member(self, answer: int, kind: str | None, origin: str = "corruption") -> Member:
        self.made += 1
        one = Trajectory(
            id=f"t{self.made}", task_id="task", world="base-station", agent="a", mode="solo",
            messages=(), stop="agent_stop",
        )  # fmt: skip
        defects = () if kind is None else (
            Defect(step=0, kind=kind, severity="soft", reason="so it is"),
        )  # fmt: skip
        truth = CandidateTruth(
            answer=1 if answer else 0, tools=0.5, reward=0.5, defects=defects, kind=kind,
            origin=origin,
        )  # fmt: skip
        return Member(trajectory=one, truth=truth)

    def pool(self, number: int, split: str = "train") -> Pool:
        kinds = ("redundant", "wandering", "unsafe", "injection")
        members = [self.member(1, None, "gold"), self.member(1, None, "alternative")]
        members += [self.member(1, kind) for kind in kinds]
        members += [self.member(0, kind) for kind in kinds]
        members += [self.member(n % 2, None, "expert") for n in range(6)]
        members.append(self.member(0, "alarm_cheat"))
        task = TaskView(id="task", world="base-station", split="train", level=1, ticket="?")
        return Pool.model_validate(
            {"key": f"p{number}", "task": task, "split": split, "members": members}
        )


def dealt(mix: Mix, split: str = "train", count: int = 200) -> list[GroupRow]:
    deck = Deck()
    mixer = Mixer(mix, deck.making)
    return [row for n in range(count) for row in mixer.deal(deck.pool(n, split))]


MIX = Mix(
    reserved=frozenset({"alarm_cheat"}), hidden=frozenset({"alarm_cheat"}), per_task=2, natural=0.25
)


def test_groups_are_balanced_by_the_number_of_right_candidates():
    shapes = Counter(
        (len(row.truths), sum(t.answer for t in row.truths.values()))
        for row in dealt(MIX)
        if row.form == "mixed"
    )
    for size in MIX.sizes:
        counts = [shapes[size, right] for right in range(size + 1)]
        assert max(counts) - min(counts) <= 0.35 * max(counts)


def test_groups_are_balanced_by_kind():
    kinds = Counter(t.kind for row in dealt(MIX) for t in row.truths.values() if t.kind is not None)
    assert set(kinds) == {"redundant", "wandering", "unsafe", "injection"}
    assert max(kinds.values()) - min(kinds.values()) <= 0.2 * max(kinds.values())


def test_the_share_of_natural_groups_is_kept_and_they_hold_the_expert_alone():
    rows = dealt(MIX)
    natural = [row for row in rows if row.form == "natural"]
    assert len(natural) / len(rows) == pytest.approx(0.25, abs=0.02)
    assert {t.origin for row in natural for t in row.truths.values()} == {"expert"}
    assert not any(r.form == "natural" for r in dealt(MIX.model_copy(update={"natural": 0.0})))


def test_a_candidate_is_in_one_group_and_reserved_kinds_in_tests_only():
    rows = dealt(MIX)
    names = [name for row in rows for name in row.truths]
    assert len(names) == len(set(names))
    assert not any(row.reserved for row in rows)
    tests = dealt(MIX, split="test")
    marked = [row for row in tests if row.reserved == ("kind:alarm_cheat",)]
    assert len(marked) >= 100
    for row in tests:
        cheats = any(t.kind == "alarm_cheat" for t in row.truths.values())
        assert cheats == bool(row.reserved)
