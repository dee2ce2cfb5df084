from __future__ import annotations

from typing import Any

import pytest
import torch

from telejudge_agents.batching import Sampling
from telejudge_agents.local import LocalAgents
from telejudge_agents.runner import run
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Rollout, TokenTrace
from telejudge_training.tiny.fastllama import FastLlama
from telejudge_training.tiny.model import save
from telejudge_training.tiny.rollout import Play, Roller
from telejudge_training.tiny.tokenizer import parse_reply, render_reply

SMALL_ROOM = 24
"""A cache that must grow more than once."""


@pytest.fixture(scope="module")
def played(bench):
    """Rollouts long and many enough that rows finish at different times and the cache grows."""
    plays = [Play(task, n, n) for task in bench.world.tasks("test")[::5] for n in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("telejudge_training.tiny.fastllama.ROOM", SMALL_ROOM)
        roller = Roller(bench.model, bench.tokenizer, bench.world)
        return roller.run(plays, temperature=1.0, seed=3)


def test_logprobs_are_those_of_a_fresh_forward_pass(bench, played):
    assert max(len(r.trajectory.trace.ids) for r in played) > 2 * SMALL_ROOM
    for rollout in played:
        trace = rollout.trajectory.trace
        ids = torch.tensor([trace.ids])
        with torch.no_grad():
            logits = bench.model(input_ids=ids).logits[0, :-1]
        fresh = torch.log_softmax(logits, -1).gather(1, ids[0, 1:, None]).squeeze(1)
        own = torch.tensor(trace.mask[1:], dtype=torch.bool)
        recorded = torch.tensor(trace.logprobs[1:])
        assert (fresh - recorded)[own].abs().max() <= 1e-4
        assert recorded[~own].abs().sum() == 0


def test_the_mask_marks_exactly_what_the_agent_said(bench, played):
    for rollout in played:
        trace = rollout.trajectory.trace
        turns = agent_turns(trace)
        messages = [m for m in rollout.trajectory.messages if m.role == "assistant"]
        assert len(turns) == len(messages)
        for n, (turn, message) in enumerate(zip(turns, messages, strict=True), start=1):
            text = bench.tokenizer.decode(turn).removesuffix("<|im_end|>")
            assert same_words(parse_reply(text, f"call_{n}"), message)


def test_what_the_world_said_is_in_the_trace_word_for_word(bench, played):
    for rollout in played:
        shown = bench.tokenizer.decode(list(rollout.trajectory.trace.ids))
        messages = rollout.trajectory.messages
        last = max(i for i, m in enumerate(messages) if m.role == "assistant")
        for result in (m for m in messages[:last] if m.role == "tool"):
            assert f"<|tool|>{result.text}" in shown


def test_generated_ids_are_kept_even_when_the_tokenizer_would_write_them_otherwise(bench):
    """A model that is made to spell a call letter by letter must find its letters in the trace."""
    spelt = [
        bench.tokenizer.convert_tokens_to_ids(letter)
        for letter in '<tool_call>{"name":"done","arguments":{}}</tool_call>'
    ]
    spelt.append(bench.tokenizer.eos_token_id)
    speller: Any = Speller(bench.model, spelt)
    roller = Roller(speller, bench.tokenizer, bench.world)
    roller.max_turn_tokens = len(spelt) + 1
    task = bench.world.tasks("test")[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("telejudge_training.tiny.rollout.FastLlama", SpellingCache)
        rollout = roller.run([Play(task, 0, 0)], temperature=0.0, seed=0)[0]
    assert rollout.trajectory.stop == "agent_stop"
    trace = trace_of(rollout)
    assert [i for i, m in zip(trace.ids, trace.mask, strict=True) if m] == spelt
    assert bench.tokenizer.encode(bench.tokenizer.decode(spelt)) != spelt


def test_the_same_seed_gives_the_same_rollouts(bench, played):
    plays = [Play(task, n, n) for task in bench.world.tasks("test")[::5] for n in range(3)]
    roller = Roller(bench.model, bench.tokenizer, bench.world)
    again = roller.run(plays, temperature=1.0, seed=3)
    other = roller.run(plays, temperature=1.0, seed=4)
    assert [r.trajectory.trace for r in again] == [r.trajectory.trace for r in played]
    assert [r.trajectory.trace for r in other] != [r.trajectory.trace for r in played]


def test_greedy_does_not_depend_on_company(bench):
    tasks = bench.world.tasks("test")[::7]
    roller = Roller(bench.model, bench.tokenizer, bench.world)
    together = roller.run([Play(t, 0, 0) for t in tasks], temperature=0.0, seed=0)
    alone = [roller.run([Play(t, 0, 0)], temperature=0.0, seed=0)[0] for t in tasks]
    assert [trace_of(r).ids for r in together] == [trace_of(r).ids for r in alone]


@pytest.mark.slow
def test_the_saved_folder_acts_the_same_as_a_local_agent(bench, tmp_path):
    """The template that any transformers agent renders gives the very tokens of our rollouts."""
    tasks = bench.world.tasks("test")[::8]
    roller = Roller(bench.model, bench.tokenizer, bench.world)
    ours = roller.run([Play(t, 0, 0) for t in tasks], temperature=0.0, seed=0)
    save(bench.model, bench.tokenizer, tmp_path / "model")
    agents = LocalAgents.load(tmp_path / "model", sampling=Sampling(temperature=0.0))
    theirs = run(bench.world, tasks, agents, concurrency=4)
    played = {r.trajectory.task_id: trace_of(r) for r in theirs}
    for rollout in ours:
        theirs_now = played[rollout.trajectory.task_id]
        assert trace_of(rollout).ids[: len(theirs_now.ids)] == theirs_now.ids
        assert sum(trace_of(rollout).mask) == sum(theirs_now.mask)


def test_outcomes_are_the_replayed_ones(bench, played):
    for rollout in played:
        task = bench.world.task(rollout.task.id)
        replayed = bench.world.replay(task, rollout.trajectory)
        assert replayed.outcome() == rollout.outcome
        assert replayed.ledger == rollout.trajectory.changes


def test_an_episode_without_room_ends_as_the_agents_fault(bench):
    task = bench.world.tasks("test")[0]
    roller = Roller(bench.model, bench.tokenizer, bench.world, max_tokens=40)
    rollout = roller.run([Play(task, 0, 0)], temperature=1.0, seed=0)[0]
    assert rollout.trajectory.stop in ("agent_error", "agent_stop")
    assert len(trace_of(rollout).ids) <= 40 + roller.max_turn_tokens
    with pytest.raises(UsageError, match="raise max_tokens"):
        Roller(bench.model, bench.tokenizer, bench.world, max_tokens=3).run(
            [Play(task, 0, 0)], temperature=1.0, seed=0
        )


def test_a_cache_without_finished_rows_goes_on_as_before(bench):
    torch.manual_seed(0)
    tokens = torch.randint(5, 200, (4, 60))
    cache = FastLlama(bench.model, 4)
    with torch.no_grad():
        cache.feed(tokens[:, :40], torch.zeros(4, dtype=torch.long), torch.full((4,), 39))
        cache.keep([1, 3])
        logits = cache.feed(tokens[[1, 3], 40:], torch.full((2,), 40), torch.full((2,), 19))
        fresh = bench.model(input_ids=tokens[[1, 3]]).logits[:, -1]
    assert (logits - fresh).abs().max() < 1e-4


class Speller:
    """Carries the ids that SpellingCache shall pick."""

    def __init__(self, model, spelt):
        self.config, self.spelt = model.config, spelt


class SpellingCache:
    """Gives the next wanted id all the probability."""

    def __init__(self, model, rows):
        self.wanted, self.vocabulary = list(model.spelt), model.config.vocab_size

    def feed(self, tokens, start, last, rows=None):
        logits = torch.zeros(1, self.vocabulary)
        logits[0, self.wanted.pop(0)] = 50.0
        return logits


def trace_of(rollout: Rollout) -> TokenTrace:
    assert rollout.trajectory.trace is not None
    return rollout.trajectory.trace


def agent_turns(trace) -> list[list[int]]:
    turns: list[list[int]] = []
    for i, own in enumerate(trace.mask):
        if own and not trace.mask[i - 1]:
            turns.append([])
        if own:
            turns[-1].append(trace.ids[i])
    return turns


def same_words(said: Message, kept: Message) -> bool:
    return render_reply(said) == render_reply(kept)
