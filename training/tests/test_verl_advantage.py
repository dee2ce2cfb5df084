"""The advantage estimator that verl calls, against the function that the other trainers call."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from telejudge_training.group_reward import advantages_of
from telejudge_training.verl_backend.advantage import group_advantage, group_rank_advantage

REWARDS = [0.9, 0.1, 0.4, 0.5, 0.7, 0.7, 0.2, 1.0]
UIDS = np.array(["a"] * 4 + ["b"] * 2 + ["c"] * 2, dtype=object)


def tensors(masked: tuple[int, ...] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    """Rewards on the last token; every second token is the agent's."""
    mask = torch.zeros(8, 6)
    mask[:, ::2] = 1
    rewards = torch.zeros(8, 6, dtype=torch.float64)
    rewards[:, -1] = torch.tensor(REWARDS, dtype=torch.float64)
    for row in masked:
        mask[row] = 0
    return rewards, mask


def test_it_is_the_same_number_as_in_the_other_trainers():
    rewards, mask = tensors()
    advantages, returns = group_advantage(rewards, mask, UIDS)
    expected = advantages_of({str(i): REWARDS[i] for i in range(4)}, "std")
    for row in range(4):
        assert advantages[row, 0].item() == pytest.approx(expected[str(row)], rel=1e-6)
        assert set(advantages[row, 1::2].tolist()) == {0.0}, "nothing on what the world said"
    assert torch.equal(advantages, returns)


def test_a_masked_member_gets_0_and_does_not_count_for_the_others():
    rewards, mask = tensors(masked=(1,))
    advantages, _ = group_advantage(rewards, mask, UIDS)
    expected = advantages_of({i: REWARDS[int(i)] for i in ("0", "2", "3")}, "std")
    assert set(advantages[1].tolist()) == {0.0}
    assert advantages[0, 0].item() == pytest.approx(expected["0"], rel=1e-6)


def test_one_that_is_left_alone_and_a_tie_teach_nothing():
    rewards, mask = tensors(masked=(7,))
    advantages, _ = group_advantage(rewards, mask, UIDS)
    assert not advantages[4:].any()


def test_the_configuration_chooses_the_scaling():
    rewards, mask = tensors()
    centred, _ = group_advantage(rewards, mask, UIDS, {"norm_adv_by_std_in_grpo": False})
    assert centred[0, 0].item() == pytest.approx(0.9 - 0.475, rel=1e-6)
    ranked, _ = group_rank_advantage(rewards, mask, UIDS)
    order = sorted(range(4), key=lambda row: ranked[row, 0].item())
    assert order == [1, 2, 3, 0]
    assert ranked[:4, 0].sum().item() == pytest.approx(0, abs=1e-6)
