from __future__ import annotations

import random
from collections import Counter

import pytest

from telejudge_envs.errors import UsageError
from telejudge_training.curriculum import FLOOR, TaskMix, select, training_tasks

SHARES = {"mms": 4, "data": 2, "service": 2}


def test_no_test_task_is_ever_trained_on(bench):
    train = {task.id for task in training_tasks(bench.world, "extra")}
    test = {task.id for task in bench.world.tasks("test")}
    base = {task.id for task in bench.world.tasks("base")}
    assert len(train) == 2171
    assert len(test) == 40
    assert not train & (test | base)


@pytest.mark.parametrize("split", ["test", "base", "full"])
def test_splits_with_test_tasks_are_refused(bench, split):
    with pytest.raises(UsageError, match="test tasks"):
        training_tasks(bench.world, split)


def test_kinds_come_from_the_public_ticket(bench):
    counted = Counter(bench.world.kind(task.view) for task in training_tasks(bench.world, "extra"))
    assert counted == {"mms": 1935, "data": 218, "service": 18}
    for task in bench.world.tasks("test"):
        assert bench.world.kind(task.view) == task.id[1:].split("_")[0].replace("mobile", "data")


def test_the_mix_has_the_shares_that_were_asked_for(bench):
    mix = TaskMix(bench.world, training_tasks(bench.world, "extra"), SHARES)
    dice = random.Random(0)
    drawn = [t for _ in range(250) for t in mix.draw(8, dice)]
    counted = Counter(bench.world.kind(task.view) for task in drawn)
    for kind, share in SHARES.items():
        assert counted[kind] / len(drawn) == pytest.approx(share / 8, abs=0.03)


def test_a_draw_repeats_a_task_only_when_its_kind_runs_out(bench):
    mix = TaskMix(bench.world, training_tasks(bench.world, "extra"), {"service": 1})
    ids = [task.id for task in mix.draw(18, random.Random(1))]
    assert len(set(ids)) == 18
    assert len(mix.draw(30, random.Random(1))) == 30


def test_solved_tasks_are_drawn_less_but_still_drawn(bench):
    mix = TaskMix(bench.world, training_tasks(bench.world, "extra"), {"service": 1}, adaptive=True)
    easy = sorted(task.id for task in training_tasks(bench.world, "extra") if "service" in task.id)[
        :9
    ]
    for _ in range(30):
        for task_id in easy:
            mix.saw(task_id, 1.0)
    dice = random.Random(2)
    counted = Counter(mix.draw(1, dice)[0].id for _ in range(3000))
    share = sum(counted[task_id] for task_id in easy) / 3000
    assert share == pytest.approx(FLOOR / (FLOOR + FLOOR + 0.5), abs=0.04)
    assert all(counted[task_id] > 0 for task_id in easy)


def test_long_procedures_are_drawn_in_proportion(bench):
    mix = TaskMix(bench.world, training_tasks(bench.world, "extra"), {"service": 1}, by_level=True)
    dice = random.Random(3)
    drawn = [mix.draw(1, dice)[0] for _ in range(4000)]
    levels = [
        task.view.level for task in training_tasks(bench.world, "extra") if "service" in task.id
    ]
    paying = sum("overdue" in task.id and task.view.level > 1 for task in drawn) / len(drawn)
    assert paying == pytest.approx((4 + 6) / sum(levels), abs=0.03)


def test_a_mix_without_tasks_is_refused(bench):
    with pytest.raises(UsageError, match="no tasks of the kinds"):
        TaskMix(bench.world, training_tasks(bench.world, "extra"), {"antenna": 1})


def test_tasks_are_chosen_by_level_and_thinned_evenly(bench):
    tasks = bench.world.tasks("test")
    low = select(tasks, levels=(1, 2))
    assert low
    assert {task.view.level for task in low} <= {1, 2}
    few = select(tasks, limit=10)
    assert [tasks.index(task) for task in few] == list(range(0, 40, 4))
    assert select(tasks, limit=100) == tuple(tasks)
    with pytest.raises(UsageError, match="no task of the levels"):
        training_tasks(bench.world, "extra", (99,))
