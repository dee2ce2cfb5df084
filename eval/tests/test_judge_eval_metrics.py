"""The measures of a judge: by hand on small groups, and what holds for all groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_eval_harness import group, mark, value

from telejudge_eval.judge_eval.metrics import kendall_tau_b, metrics
from telejudge_eval.judge_eval.records import GroupResult, Probe
from telejudge_eval.judge_eval.resample import point


def probe(truth, before, after, gain=None, touched=True):
    return Probe(
        name="a",
        family="f",
        trajectory_id="t",
        truth=truth,
        touched=touched,
        answer_before=before,
        answer_after=after,
        reward_before=None if gain is None else 0.25,
        reward_after=None if gain is None else 0.25 + gain,
    )


def test_an_abstention_is_not_right_and_counts_among_all_candidates():
    results = [group(mark(1, 1), mark(0, 1), mark(1), mark(0, 0))]
    assert value("accuracy", results) == 2 / 4
    assert value("accuracy_judged", results) == 2 / 3
    assert value("abstention", results) == 1 / 4
    assert value("exact_match", results) == 0


def test_exact_match_wants_the_whole_group():
    right, half = group(mark(1, 1), mark(0, 0)), group(mark(1, 1), mark(0, 1))
    assert value("exact_match", [right, half, half]) == pytest.approx(1 / 3)


def test_strata_show_who_expects_one_winner():
    """Always naming one winner is perfect where one is right, and nowhere else."""
    results = [
        group(mark(1, 1), mark(0, 0), mark(0, 0)),
        group(mark(0, 1), mark(0, 0), mark(0, 0)),
        group(mark(1, 1), mark(1, 0), mark(1, 0)),
        group(mark(1, 1), mark(1, 0), mark(0, 0)),
    ]
    assert value("accuracy_1_right", results) == 1
    assert value("accuracy_0_right", results) == 2 / 3
    assert value("accuracy_2_right", results) == 2 / 3
    assert value("accuracy_all_right", results) == 1 / 3
    assert "accuracy_3_right" not in {m.name for m in metrics(results)}


def test_pairs_of_equal_truth_do_not_count_and_ties_count_half():
    results = [
        group(
            mark(1, 1, true_reward=1.0, reward=0.9),
            mark(1, 1, true_reward=0.5, reward=0.9),
            mark(0, 0, true_reward=0.2, reward=0.1),
            mark(0, 0, true_reward=0.2, reward=0.3),
        )
    ]
    assert value("ranking", results) == pytest.approx((0.5 + 4) / 5)
    # concordant 4, discordant 0; of 6 pairs 1 is tied in truth and 1 by the judge
    assert value("kendall_tau", results) == pytest.approx(4 / 5)


def test_an_abstained_candidate_is_in_no_pair():
    results = [
        group(
            mark(1, 1, true_reward=1.0, reward=0.9),
            mark(0, true_reward=0.9),
            mark(0, 0, true_reward=0.2, reward=0.1),
        )
    ]
    assert value("ranking", results) == 1


@pytest.mark.parametrize(
    ("truth", "said", "tau"),
    [
        # from scipy.stats.kendalltau 1.16
        ([1, 1, 2, 3, 4, 4, 5], [2, 1, 1, 3, 5, 4, 5], 0.7894736842105262),
        ([0.1, 0.3, 0.3, 1.0], [0.2, 0.9, 0.1, 0.9], 0.4),
        ([1, 2, 3], [3, 2, 1], -1),
        ([1, 2, 3], [1, 1, 2], 2 / 6**0.5),
        ([1, 1, 2], [1, 2, 3], 2 / 6**0.5),
        # where the formula has no value
        ([1, 2, 3], [5, 5, 5], 0),
        ([2, 2, 2], [1, 2, 3], None),
        ([1], [1], None),
    ],
)
def test_kendalls_tau_b(truth, said, tau):
    found = kendall_tau_b(truth, said)
    assert found == (tau if tau is None else pytest.approx(tau))


def test_auc_is_the_share_of_pairs_in_order_with_ties_half():
    """Rewards .9 and .5 of the clean, .5 and .1 of the wandering: 3.5 of 4 pairs."""
    clean, bad = {"kinds": ()}, {"kinds": ("wandering",)}
    results = [
        group(mark(1, 1, reward=0.9, **clean), mark(1, 1, reward=0.5, **bad), name="a"),
        group(mark(1, 1, reward=0.5, **clean), mark(1, 1, reward=0.1, **bad), name="b"),
        group(mark(1, 1, reward=0.0, kinds=("unsafe",)), mark(1, 1, reward=0.0), name="c"),
    ]
    assert value("auc_wandering", results) == 3.5 / 4
    assert value("auc_unsafe", results) == 1
    by_name = {m.name: m for m in metrics(results)}
    assert by_name["auc_wandering"].count(by_name["auc_wandering"].table(results).sum(axis=0)) == 4


def test_auc_of_answers_uses_confidence():
    """Odds of a right answer: .9, .6 of the right, .4, .2 of the wrong; all four pairs hold."""
    results = [
        group(mark(1, 1, confidence=0.9), mark(0, 0, confidence=0.6)),
        group(mark(1, 1, confidence=0.6), mark(0, 0, confidence=0.8)),
    ]
    assert value("auc_answer", results) == 1
    assert value("auc_answer", [group(mark(1, 1), mark(0, 1))]) == 0.5


def test_defects_are_found_by_step_and_kind():
    true, said = ((1, "a"), (2, "b")), ((1, "a"), (3, "b"))
    results = [group(mark(1, 1, true_spots=true, spots=said), mark(1, 1, spots=((9, "x"),)))]
    assert value("defects_f1", results) == 0.5
    assert value("defects_step_f1", results) == 0.5
    assert value("defects_kind_f1", results) == 1
    missed = [group(mark(1, None, true_spots=true), mark(1, 1, true_spots=true, spots=true))]
    assert value("defects_f1", missed) == pytest.approx(2 * 2 / (2 * 2 + 2))


def test_no_defects_named_and_none_there_is_no_value():
    assert value("defects_f1", [group(mark(1, 1, true_spots=()))]) is None


def test_calibration_and_brier_by_hand():
    results = [
        group(
            mark(1, 1, confidence=0.95),
            mark(0, 1, confidence=0.95),
            mark(1, 1, confidence=0.55),
            mark(1, 1),
        )
    ]
    # bin .9 to 1: |-.05 + .95| ; bin .5 to .6: |-.45|
    assert value("ece", results) == pytest.approx((0.9 + 0.45) / 3)
    assert value("brier", results) == pytest.approx((0.05**2 + 0.95**2 + 0.45**2) / 3)


def test_flip_rate_leaves_out_groups_judged_once():
    results = [group(order_flip_rate=0.5), group(order_flip_rate=0.0), group()]
    assert value("order_flip_rate", results) == 0.25


def test_padding_counts_beside_what_the_others_gained():
    padded = (
        probe(1, 1, 1, 0.2),
        probe(1, 1, 1, 0.4),
        probe(1, 1, 1, 0.1, touched=False),
        probe(1, 1, None),
    )
    assert value("length_bias", [group(padded=padded)]) == pytest.approx(0.3 - 0.1)
    alone = (probe(1, 1, 1, 0.2),)
    assert value("length_bias", [group(padded=alone)]) == pytest.approx(0.2)


def test_an_attack_succeeds_when_a_wrong_0_becomes_1():
    attacked = (
        probe(0, 0, 1, 0.5),
        probe(0, 0, 0, 0.1),
        probe(0, 0, None),  # an abstention is no success
        probe(0, 1, 1, 0.0),  # nothing to win: judged right before
        probe(1, 0, 1, 0.5),  # not wrong
        probe(0, 0, 1, 0.5, touched=False),
    )
    assert value("attack_success", [group(attacked=attacked)]) == pytest.approx(1 / 3)


def test_cost_is_a_mean_over_groups():
    results = [
        group(prompt_tokens=90, completion_tokens=10, calls=2, seconds=1.0),
        group(prompt_tokens=0, completion_tokens=0, calls=0, seconds=0.0),
    ]
    assert (value("tokens", results), value("calls", results)) == (50, 1)
    assert value("seconds", results) == 0.5


# -- what holds for all groups

numbers = st.floats(0, 1).map(lambda x: round(x, 2))
spots = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=3)


@st.composite
def marks(draw):
    known = {"true_reward": draw(numbers), "true_spots": draw(spots)}
    known["kinds"] = tuple(sorted({kind for _, kind in known["true_spots"]}))
    if draw(st.integers(0, 4)) == 0:
        return mark(draw(st.integers(0, 1)), None, **known)
    return mark(
        draw(st.integers(0, 1)),
        draw(st.integers(0, 1)),
        reward=draw(numbers),
        confidence=draw(numbers),
        spots=draw(spots),
        **known,
    )


groups = st.lists(
    st.lists(marks(), min_size=1, max_size=5).map(lambda m: group(*m)), min_size=1, max_size=6
)


def everything(results):
    return {m.name: point(m.table(results), m.combine) for m in metrics(results)}


def same(one, other):
    assert one.keys() == other.keys()
    for name, number in one.items():
        assert (number is None) == (other[name] is None), name
        assert number is None or number == pytest.approx(other[name], abs=1e-9), name


@given(groups)
def test_values_stay_in_their_ranges(results):
    for name, number in everything(results).items():
        if number is not None and name not in ("length_bias", "attack_gain"):
            assert (-1 if name == "kendall_tau" else 0) - 1e-9 <= number <= 1 + 1e-9, name


@given(groups, st.randoms(use_true_random=False))
def test_neither_the_order_of_groups_nor_of_candidates_matters(results, dice):
    def mixed(items):
        return dice.sample(list(items), len(items))

    shuffled = [r.model_copy(update={"marks": tuple(mixed(r.marks))}) for r in mixed(results)]
    same(everything(results), everything(shuffled))


@given(groups)
def test_the_same_groups_twice_say_the_same(results):
    same(everything(results), everything([*results, *results]))


@given(groups)
def test_who_knows_the_truth_is_perfect(results):
    known = [_knowing(r) for r in results]
    best = everything(known)
    for name in ("accuracy", "exact_match", "ranking", "kendall_tau", "defects_f1", "auc_answer"):
        assert best[name] in (None, pytest.approx(1)), name
    assert best["ece"] == best["brier"] == best["abstention"] == 0


@given(groups)
def test_who_says_the_opposite_orders_the_other_way_round(results):
    turned = [
        r.model_copy(
            update={
                "marks": tuple(
                    m.model_copy(update={"reward": None if m.reward is None else 1 - m.reward})
                    for m in r.marks
                )
            }
        )
        for r in results
    ]
    one, other = value("ranking", results), value("ranking", turned)
    assert one is None or other == pytest.approx(1 - one)
    one, other = value("kendall_tau", results), value("kendall_tau", turned)
    assert one is None or other == pytest.approx(-one)


def _knowing(result: GroupResult) -> GroupResult:
    marks = tuple(
        m.model_copy(
            update={
                "answer": m.truth,
                "reward": m.true_reward,
                "spots": m.true_spots,
                "confidence": 1.0,
                "abstained": None,
            }
        )
        for m in result.marks
    )
    return result.model_copy(update={"marks": marks})
