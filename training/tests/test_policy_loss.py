from __future__ import annotations

import copy

import pytest
import torch

from telejudge_envs.nouns.trajectory import TokenTrace
from telejudge_training.grpo import each_once
from telejudge_training.policy_loss import Sample, policy_loss, token_weights
from telejudge_training.settings import GrpoSettings
from telejudge_training.tiny.rollout import Play, Roller


@pytest.fixture(scope="module")
def samples(bench):
    roller = Roller(bench.model, bench.tokenizer, bench.world)
    task = bench.world.tasks("extra")[5]
    rollouts = roller.run([Play(task, n, n) for n in range(4)], temperature=1.0, seed=0)
    advantages = (1.0, -0.5, 0.25, -0.75)
    traces = [r.trajectory.trace for r in rollouts]
    return [Sample(t, a) for t, a in zip(traces, advantages, strict=True) if t is not None]


def test_the_loss_is_what_a_plain_computation_gives(bench, samples):
    settings = GrpoSettings(clip_low=0.1, clip_high=0.3, kl=0.05)
    model, reference = moved(bench.model, 0.02), bench.model
    loss, stats = policy_loss(model, samples, token_weights(samples, settings), settings, reference)
    expected, tokens = torch.zeros(()), 0
    for sample in samples:
        now, anchor = logprobs(model, sample), logprobs(reference, sample)
        for t, own in enumerate(sample.trace.mask):
            if not own:
                continue
            ratio = (now[t] - sample.trace.logprobs[t]).exp()
            gain = min(ratio * sample.advantage, ratio.clamp(0.9, 1.3) * sample.advantage)
            gap = anchor[t].detach() - now[t]
            expected = expected - gain + 0.05 * (gap.exp() - gap - 1)
            tokens += 1
    assert stats.tokens == tokens
    assert loss.item() == pytest.approx(expected.item() / tokens, rel=1e-4)
    assert stats.clipped > 0
    assert stats.kl > 0


def test_failures_can_weigh_less_than_successes(bench, samples):
    model, weights = moved(bench.model, 0.02), token_weights(samples, GrpoSettings())
    lighter = [Sample(s.trace, s.advantage * (0.2 if s.advantage < 0 else 1)) for s in samples]
    loss, _ = policy_loss(model, samples, weights, GrpoSettings(negative=0.2))
    expected, _ = policy_loss(model, lighter, weights, GrpoSettings())
    unweighted, _ = policy_loss(model, samples, weights, GrpoSettings())
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert loss.item() != pytest.approx(unweighted.item(), rel=1e-3)


def test_only_the_agents_tokens_are_learned(bench, samples):
    """Whatever is recorded on the world's tokens, the gradient stays the same."""
    settings = GrpoSettings()
    spoilt = [
        Sample(
            TokenTrace(
                ids=s.trace.ids,
                mask=s.trace.mask,
                logprobs=tuple(
                    p if m else -7.0 for p, m in zip(s.trace.logprobs, s.trace.mask, strict=True)
                ),
            ),
            s.advantage,
        )
        for s in samples
    ]
    one, other = gradient(bench.model, samples, settings), gradient(bench.model, spoilt, settings)
    assert one.equal(other)
    assert one.abs().sum() > 0


def test_minibatches_add_up_to_the_whole(bench, samples):
    settings = GrpoSettings()
    weights = token_weights(samples, settings)
    whole = policy_loss(bench.model, samples, weights, settings)[0]
    parts = [
        policy_loss(bench.model, samples[i : i + 1], weights[i : i + 1], settings)[0]
        for i in range(len(samples))
    ]
    assert whole.item() == pytest.approx(sum(p.item() for p in parts), rel=1e-4)


def test_what_was_said_twice_is_computed_once_with_its_whole_weight(bench, samples):
    settings = GrpoSettings()
    twice = [samples[0], samples[1], samples[0], Sample(samples[0].trace, -0.5)]
    weights = [0.1, 0.2, 0.3, 0.4]
    fewer = each_once(twice, weights)
    assert [weight for _, weight in fewer] == pytest.approx([0.4, 0.2, 0.4])
    whole = policy_loss(bench.model, twice, weights, settings)[0]
    merged = policy_loss(bench.model, [s for s, _ in fewer], [w for _, w in fewer], settings)[0]
    assert merged.item() == pytest.approx(whole.item(), rel=1e-4)


def test_without_a_move_nothing_is_clipped_and_there_is_no_divergence(bench, samples):
    settings = GrpoSettings(kl=0.1)
    weights = token_weights(samples, settings)
    _, stats = policy_loss(bench.model, samples, weights, settings, bench.model)
    assert stats.clipped == 0
    assert stats.kl == pytest.approx(0, abs=1e-4)


def test_averages_of_the_three_kinds(samples):
    lengths = [s.length for s in samples]
    for kind, wanted in {
        "token_mean": [1 / sum(lengths)] * 4,
        "sequence_mean": [1 / (4 * n) for n in lengths],
        "dr_grpo": [1 / (4 * 50)] * 4,
    }.items():
        settings = GrpoSettings.model_validate({"loss": kind, "nominal_tokens": 50})
        assert token_weights(samples, settings) == pytest.approx(wanted)


def test_a_step_along_the_gradient_favours_the_better(bench, samples):
    settings = GrpoSettings()
    model = copy.deepcopy(bench.model)
    policy_loss(model, samples, token_weights(samples, settings), settings)[0].backward()
    torch.optim.SGD(model.parameters(), lr=0.5).step()

    def favour(m):
        return sum(
            s.advantage * logprobs(m, s)[torch.tensor(s.trace.mask, dtype=torch.bool)].sum().item()
            for s in samples
        )

    assert favour(model) > favour(bench.model)


def logprobs(model, sample):
    """Of every token given those before it; the first has none (0)."""
    ids = torch.tensor([sample.trace.ids])
    spread = torch.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
    return torch.cat([torch.zeros(1), spread.gather(1, ids[0, 1:, None]).squeeze(1)])


def gradient(model, samples, settings):
    model = copy.deepcopy(model)
    policy_loss(model, samples, token_weights(samples, settings), settings)[0].backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def moved(model, by):
    model = copy.deepcopy(model)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(by * torch.randn_like(weight))
    return model
