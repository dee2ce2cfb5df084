"""Intervals and paired tests: by hand where few groups make it possible, and their rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_eval_harness import group, mark

from telejudge_envs.errors import DataError
from telejudge_eval.judge_eval.compare import compare
from telejudge_eval.judge_eval.records import Result
from telejudge_eval.judge_eval.resample import interval, mcnemar, paired, point


def share(sums):
    return sums[:, 0] / sums[:, 1]


def table(rights, of=1):
    return np.array([[right, of] for right in rights], dtype=float)


def test_what_is_the_same_in_all_groups_is_certain():
    assert interval(table([1, 1, 1]), share, samples=500, seed=0) == (1, 1)
    assert interval(table([2, 2, 2], of=4), share, samples=500, seed=0) == (0.5, 0.5)


def test_one_group_has_no_interval_and_none_no_value():
    assert interval(table([1]), share, samples=500, seed=0) == (None, None)
    assert point(np.zeros((0, 2)), share) is None
    assert point(table([0], of=0), share) is None


def test_the_interval_of_a_share_is_about_that_of_the_normal_distribution():
    """60 of 100 groups: 0.6 plus or minus 1.96 times 0.049."""
    low, high = interval(table([1] * 60 + [0] * 40), share, samples=4000, seed=0)
    assert low == pytest.approx(0.504, abs=0.012)
    assert high == pytest.approx(0.696, abs=0.012)


def test_candidates_of_a_group_do_not_make_it_surer():
    """Ten candidates that stand and fall together are worth one."""
    one = interval(table([1, 0, 1, 0, 1, 1]), share, samples=1000, seed=0)
    ten = interval(table([10, 0, 10, 0, 10, 10], of=10), share, samples=1000, seed=0)
    assert one == ten


def test_a_seed_fixes_everything():
    columns = table([1, 0, 1, 1, 0])
    assert interval(columns, share, samples=300, seed=4) == interval(
        columns, share, samples=300, seed=4
    )


def test_permutation_by_hand():
    """Three groups that only b has right: of 8 ways of swapping, 2 differ as much."""
    worse, better = table([0, 0, 0]), table([1, 1, 1])
    difference = paired(worse, better, share, samples=100, seed=0)
    assert difference == (1, 1, 1, 2 / 8)
    assert paired(better, worse, share, samples=100, seed=0).value == -1
    assert paired(better, better, share, samples=100, seed=0).p == 1


def test_random_permutations_come_near_the_exact_ones():
    a, b = table([0, 1, 0, 0, 1, 0, 0, 1, 0, 0]), table([1, 1, 0, 1, 1, 1, 0, 1, 1, 0])
    exact = paired(a, b, share, samples=1024, seed=0).p
    # four groups differ, all in b's favour: 2 of 2^4 ways
    assert exact == pytest.approx(2 / 16)
    drawn = paired(a, b, share, samples=1023, seed=0).p
    assert drawn == pytest.approx(exact, abs=0.03)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [(0, 0, 1), (3, 3, 1), (0, 5, 2 / 32), (1, 0, 1), (2, 9, 0.0654296875)],
)
def test_mcnemar(only_a, only_b, p):
    """The last as in scipy.stats.binomtest(2, 11)."""
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a) == pytest.approx(p)


rights = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=9)


@given(rights)
def test_exchanging_the_judges_turns_the_difference(pairs):
    a, b = table([x for x, _ in pairs], of=3), table([y for _, y in pairs], of=3)
    one = paired(a, b, share, samples=600, seed=0)
    other = paired(b, a, share, samples=600, seed=0)
    assert None not in (*one, *other)
    assert np.array(one.value) == pytest.approx(-np.array(other.value))
    assert one.p == pytest.approx(other.p)
    assert 0 < float(one.p or 0) <= 1


def result(*groups, judge="a"):
    return Result(judge=judge, judge_version="1", groups=groups)


def test_judges_are_compared_on_the_groups_that_both_judged():
    first = result(
        group(mark(1, 1), mark(0, 1), name="x"),
        group(mark(1, 0), name="y"),
        group(mark(1, 1), name="only-first"),
    )
    second = result(group(mark(1, 1), name="y"), group(mark(1, 1), mark(0, 0), name="x"), judge="b")
    comparison = compare(first, second, samples=100)
    lines = {line.metric: line for line in comparison.lines}
    assert comparison.left_out == 1
    assert (lines["accuracy"].first, lines["accuracy"].second) == (1 / 3, 1)
    assert lines["accuracy"].difference.p == 2 / 4
    (whole,) = comparison.whole_groups
    assert (whole.only_first, whole.only_second, whole.p) == (0, 2, 0.5)


def test_each_source_and_all_of_them():
    first = result(group(mark(1, 0), name="x", source="q"), group(mark(1, 1), name="y", source="r"))
    lines = compare(first, first, samples=100).lines
    assert {line.source for line in lines} == {"all", "q", "r"}
    assert {line.difference.value for line in lines} == {0}


def test_results_that_cannot_be_compared_are_refused():
    one = result(group(mark(1, 1), name="x"))
    with pytest.raises(DataError, match="share no group"):
        compare(one, result(group(mark(1, 1), name="y")))
    with pytest.raises(DataError, match="what is true"):
        compare(one, result(group(mark(0, 1), name="x")))
