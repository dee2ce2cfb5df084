"""The reward's ranges do not overlap, and one more defect lowers it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.nouns.verdict import Defect, Severity
from telejudge_judges.fuse import UNEARNED, fuse

tools = st.floats(min_value=1e-300, max_value=1.0)


def defect(severity: Severity, kind: str = "anything") -> Defect:
    return Defect(step=0, kind=kind, severity=severity, reason="because")


def test_the_documented_corners() -> None:
    assert fuse(1, 1.0) == 1.0
    assert fuse(0, 1.0) == pytest.approx(0.3)
    assert fuse(1, 1.0, [defect("hard")]) == pytest.approx(0.1)
    assert fuse(1, 1.0, [defect("soft"), defect("safety"), defect("hard")]) == 0.0


@given(tools, tools, tools)
def test_solved_beats_failed_beats_hard_beats_safety(a: float, b: float, c: float) -> None:
    solved, failed = fuse(1, a, [defect("soft")]), fuse(0, b, [defect("soft")])
    hard = max(fuse(0, c, [defect("hard")]), fuse(1, c, [defect("hard")]))
    assert solved > failed > 0.1 >= hard > fuse(1, a, [defect("safety")]) or b < 1e-9


@given(st.sampled_from([0, 1]), tools)
def test_a_success_by_luck_is_worth_no_more_than_a_hard_defect(answer: int, score: float) -> None:
    lucky = [defect("soft", kind) for kind in UNEARNED]
    assert fuse(1 if answer else 0, score, lucky) == fuse(1, score, [defect("hard")])


@given(st.sampled_from([0, 1]), st.floats(0.01, 1.0), st.floats(0.01, 0.99))
def test_lower_tools_lower_the_reward(answer: int, score: float, factor: float) -> None:
    label = 1 if answer else 0
    for found in ([], [defect("soft")], [defect("hard")]):
        assert fuse(label, score * factor, found) < fuse(label, score, found)
