"""What the rounds of sparring add to the lessons: every round, in the share that was asked for."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from embedded_judge_harness import labelled, sample_pool
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.errors import UsageError
from telejudge_judges.testing import SAMPLE_TASK
from telejudge_training.embedded_judge.pools import LabelledPool
from telejudge_training.embedded_judge.rounds import by_groups, mixed
from telejudge_training.embedded_judge.settings import tau2_telecom


@given(
    scripted=st.integers(1, 60), fought=st.integers(1, 300), share=st.sampled_from((0.2, 0.4, 0.6))
)
def test_no_round_is_left_out_however_many_there_were(scripted, fought, share):
    """The rounds' pools once outnumbered their share, and the last rounds taught nothing."""
    pools = [sample_pool(n) for n in range(scripted + fought)]
    ours, harvest = pools[:scripted], pools[scripted:]
    dealt = Counter(pool.view.id for pool in mixed(ours, harvest, share))
    assert dealt.keys() == {pool.view.id for pool in pools}
    of_harvest = sum(dealt[pool.view.id] for pool in harvest)
    assert of_harvest == pytest.approx(share * dealt.total(), abs=1)
    for side in (ours, harvest):
        counts = [dealt[pool.view.id] for pool in side]
        assert max(counts) - min(counts) <= 1


def test_without_a_round_there_are_the_scripted_pools_alone():
    assert mixed([sample_pool()], [], 0.5) == [sample_pool()]


@pytest.mark.parametrize(("candidates", "groups"), [(1, 1), (8, 1), (9, 2), (80, 10)])
def test_a_task_that_was_played_more_is_dealt_more(candidates, groups):
    pool = LabelledPool(
        SAMPLE_TASK, [labelled(f"{n}", "look", right=False) for n in range(candidates)]
    )
    assert by_groups([pool]) == [pool] * groups


def test_only_known_ways_of_dealing():
    with pytest.raises(UsageError, match="even"):
        tau2_telecom().with_(sparring={"even": "candidates"})
