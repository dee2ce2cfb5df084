"""The alignment of rollouts: nothing lost, nothing moved, equal calls together."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from telejudge_eval.report.align import align

COLUMNS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=9), max_size=6)


def longest_common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            same = best[i][j] + 1 if x == y else 0
            best[i + 1][j + 1] = max(best[i][j + 1], best[i + 1][j], same)
    return best[-1][-1]


@given(COLUMNS)
def test_every_step_appears_once_in_its_order_and_column(columns: list[list[str]]) -> None:
    rows = align(columns)
    for column, steps in enumerate(columns):
        assert [row[column] for row in rows if column in row] == list(range(len(steps)))
    assert all(row for row in rows)


@given(
    st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12)
)
def test_two_rollouts_share_as_many_rows_as_possible(a: list[str], b: list[str]) -> None:
    rows = align([a, b])
    together = sum(len(row) == 2 and a[row[0]] == b[row[1]] for row in rows)
    assert together >= longest_common_subsequence(a, b)


@given(st.lists(st.sampled_from("abc"), max_size=9), st.integers(1, 6))
def test_equal_rollouts_align_without_a_gap(steps: list[str], count: int) -> None:
    assert align([steps] * count) == [dict.fromkeys(range(count), i) for i in range(len(steps))]


@given(COLUMNS)
def test_the_table_is_never_longer_than_all_rollouts_together(columns: list[list[str]]) -> None:
    rows = align(columns)
    assert len(rows) >= max((len(steps) for steps in columns), default=0)
    assert len(rows) <= sum(len(steps) for steps in columns)


def test_different_calls_at_the_same_point_share_a_row() -> None:
    assert align(["abd", "acd"]) == [{0: 0, 1: 0}, {0: 1, 1: 1}, {0: 2, 1: 2}]


def test_an_insertion_opens_a_row_of_its_own() -> None:
    assert align(["ab", "axb", "ab"]) == [{0: 0, 1: 0, 2: 0}, {1: 1}, {0: 1, 1: 2, 2: 1}]
