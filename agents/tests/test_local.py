"""The local transformers agent with a real (tiny, quickly taught) model on real tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from telejudge_agents.batching import BatchedModel, Sampling
from telejudge_agents.local import LocalAgents, fingerprint
from telejudge_agents.runner import run
from telejudge_agents.tokens import ChatCodec, TokenLog
from telejudge_envs.errors import EndpointError, UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Rollout, TokenTrace
from telejudge_envs.protocol import User
from telejudge_envs.tau2_telecom.world import Tau2Telecom

TEMPLATE = """{%- for m in messages if m.role != 'system' -%}
<|im_start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""
SPECIAL = ["<|im_end|>", "<pad>", "<|im_start|>", "<tool_call>", "</tool_call>"]
PLAN = ("check_status_bar", "run_speed_test", "done")


@pytest.fixture(scope="module")
def world() -> Tau2Telecom:
    return Tau2Telecom()


def transcript(world: Tau2Telecom, task: Task) -> tuple[list[tuple[Message, list[Message]]], Any]:
    """The plan's calls with what the world answers."""
    episode, turns = world.open(task), []
    for i, name in enumerate(PLAN):
        turn = Message(role="assistant", tool_calls=(ToolCall(id=f"call_{i}", name=name),))
        turns.append((turn, list(episode.step(turn))))
    return turns, world.open(task).observation


def make_tokenizer(
    texts: Sequence[str], special: Sequence[str] = SPECIAL
) -> PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?[A-Za-z_]+|[0-9]|[^A-Za-z_0-9]+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=480,
            special_tokens=list(special),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=SPECIAL[0], pad_token=SPECIAL[1]
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(vocabulary: int, *, context: int = 2048) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        eos_token_id=0,
        pad_token_id=1,
        bos_token_id=None,
        initializer_range=0.06,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def written(codec: ChatCodec, turns: Any, opening: Any) -> TokenLog:
    """A conversation's tokens, as if a model had said its turns."""
    log = TokenLog()
    log.add_context(codec.opening(opening, []))
    for turn, new in turns:
        name = turn.tool_calls[0].name
        text = f'<tool_call>\n{{"name": "{name}", "arguments": {{}}}}\n</tool_call><|im_end|>'
        ids = codec._encode(text)
        log.add_generated(ids, [0.0] * len(ids))
        if name != "done":
            log.add_context(codec.continuation(log.ids, turn, new, []))
    return log


class Taught:
    """A tokenizer, and a model that has learnt one plan by heart."""

    def __init__(self, world: Tau2Telecom) -> None:
        tasks = world.tasks("small")[:3]
        played = [transcript(world, task) for task in tasks]
        texts = [m.text for turns, opening in played for m in [*opening[1:], *turns[0][1]]]
        texts += [f'<tool_call>{{"name": "{name}", "arguments": {{}}}}' for name in PLAN] * 9
        self.tokenizer = make_tokenizer(texts)
        self.model = make_model(len(self.tokenizer))
        self.tasks = tasks
        codec = ChatCodec(self.tokenizer)
        self.teach([written(codec, turns, opening).trace() for turns, opening in played])

    def teach(self, traces: Sequence[TokenTrace], steps: int = 60) -> None:
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        for step in range(steps):
            trace = traces[step % len(traces)]
            ids, mask = torch.tensor([trace.ids]), torch.tensor([trace.mask])
            loss = self.model(input_ids=ids, labels=ids.masked_fill(mask == 0, -100)).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def agents(self, **sampling: Any) -> LocalAgents:
        return LocalAgents(
            self.model, self.tokenizer, sampling=Sampling(max_new_tokens=40, **sampling)
        )


@pytest.fixture(scope="module")
def taught(world: Tau2Telecom) -> Taught:
    return Taught(world)


def trace_of(rollout: Rollout) -> TokenTrace:
    assert rollout.trajectory.trace is not None
    return rollout.trajectory.trace


def fresh_logprobs(model: Any, ids: Sequence[int], temperature: float = 1.0) -> Any:
    """Of each token given those before it; the first has none."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1] / temperature
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(ids[1:])[:, None]).squeeze(1)


def test_a_taught_model_acts_in_real_episodes(world: Tau2Telecom, taught: Taught) -> None:
    for rollout in run(world, taught.tasks, taught.agents(temperature=0)):
        called = [c.name for m in rollout.trajectory.messages for c in m.tool_calls]
        assert called == list(PLAN)
        assert rollout.trajectory.stop == "agent_stop"
        assert rollout.trajectory.usage.requests == 3
        trace = trace_of(rollout)
        assert rollout.trajectory.usage.completion_tokens == sum(trace.mask)


def test_the_mask_covers_exactly_what_was_generated(world: Tau2Telecom, taught: Taught) -> None:
    for rollout in run(world, taught.tasks, taught.agents(temperature=0)):
        trace, decode = trace_of(rollout), taught.tokenizer.decode
        runs: list[tuple[int, list[int]]] = []
        for token, own in zip(trace.ids, trace.mask, strict=True):
            if not runs or runs[-1][0] != own:
                runs.append((own, []))
            runs[-1][1].append(token)
        said = [decode(ids) for own, ids in runs if own]
        assert said == [
            f'<tool_call>\n{{"name": "{name}", "arguments": {{}}}}\n</tool_call><|im_end|>'
            for name in PLAN
        ]
        told = [decode(ids) for own, ids in runs if not own]
        messages = rollout.trajectory.messages
        results = [m.text for m in messages if m.role == "tool"]
        assert told[0] == f"<|im_start|>user\n{messages[1].text}<|im_end|>\n<|im_start|>assistant\n"
        assert told[1:] == [
            f"\n<|im_start|>tool\n{text}<|im_end|>\n<|im_start|>assistant\n"
            for text in results[: len(PLAN) - 1]
        ]
        assert all(lp == 0.0 for lp, own in zip(trace.logprobs, trace.mask, strict=True) if not own)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_logprobs_are_those_of_a_fresh_forward_pass(
    world: Tau2Telecom, taught: Taught, temperature: float
) -> None:
    agents = taught.agents(temperature=temperature)
    rollouts = run(world, taught.tasks, agents, rollouts=3, concurrency=9, seed=1)
    assert max(agents.engine.batch_sizes) > 1
    compared = 0
    for rollout in rollouts:
        trace = trace_of(rollout)
        fresh = fresh_logprobs(taught.model, trace.ids, temperature)
        own = torch.tensor(trace.mask[1:], dtype=torch.bool)
        recorded = torch.tensor(trace.logprobs[1:])
        assert torch.allclose(recorded[own], fresh[own], atol=1e-4)
        compared += int(own.sum())
    assert compared > 100


def test_batches_of_one_and_of_four_give_the_same_tokens() -> None:
    model, prompts = make_model(300), [[5, 6], [7] * 9, [9, 8, 7, 6], [4]]

    async def complete(max_batch: int, temperature: float) -> list[list[int]]:
        engine = BatchedModel(
            model,
            end_ids=[0],
            pad_id=1,
            sampling=Sampling(temperature=temperature, max_new_tokens=30),
            max_batch=max_batch,
        )
        replies = await asyncio.gather(*(engine.complete(p, seed=i) for i, p in enumerate(prompts)))
        assert engine.batch_sizes == ([1] * 4 if max_batch == 1 else [4])
        return [reply.ids for reply in replies]

    for temperature in (0.0, 1.0):
        alone = asyncio.run(complete(1, temperature))
        assert alone == asyncio.run(complete(4, temperature))
        assert len({tuple(ids) for ids in alone}) == 4


def test_sampling_draws_from_the_models_distribution() -> None:
    """2,000 draws of one token against the softmax, with and without top_p."""
    model = make_model(6)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(8)  # a distribution that is neither flat nor sharp
    expected = torch.softmax(model(input_ids=torch.tensor([[2, 3]])).logits[0, -1], -1)

    async def draw(top_p: float) -> Any:
        sampling = Sampling(max_new_tokens=1, top_p=top_p)
        engine = BatchedModel(
            model, end_ids=[0], pad_id=1, sampling=sampling, max_batch=500, window_s=0
        )
        replies = await asyncio.gather(*(engine.complete([2, 3], seed=s) for s in range(2000)))
        drawn = torch.tensor([r.ids[0] for r in replies])
        logprobs = torch.tensor([r.logprobs[0] for r in replies])
        assert torch.allclose(logprobs, expected.log()[drawn], atol=1e-4)
        return torch.bincount(drawn, minlength=6) / 2000

    assert torch.allclose(asyncio.run(draw(1.0)), expected, atol=0.04)
    top = int(expected.argmax())
    assert asyncio.run(draw(0.01))[top] == 1


def test_the_same_seed_gives_the_same_trajectories(world: Tau2Telecom, taught: Taught) -> None:
    def tokens(seed: int, concurrency: int) -> list[tuple[int, ...]]:
        options: Any = {"rollouts": 2, "seed": seed, "concurrency": concurrency}
        return [trace_of(r).ids for r in run(world, taught.tasks, taught.agents(), **options)]

    first = tokens(3, 6)
    assert first == tokens(3, 1)
    assert first != tokens(4, 6)


class Chatty:
    """A user who makes a call of his own and says something, again and again."""

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        if conversation[-1].role == "tool":
            return Message(role="user", text="It says something.")
        call = ToolCall(id="mine", name="check_status_bar")
        return Message(role="user", tool_calls=(call,))


def test_dual_mode_cut_turns_and_what_the_agent_may_not_see(world: Tau2Telecom) -> None:
    """An untaught model babbles to its token limit, so each turn must be closed for it."""
    task = world.task(world.tasks("small")[0].id, "dual")
    task = task.model_copy(update={"view": task.view.model_copy(update={"max_steps": 3})})

    def users(task: Task, seed: int) -> User:
        return Chatty()

    no_calls = SPECIAL[:3]  # so that babbling hardly ever is a call
    tokenizer = make_tokenizer(["It says something. Hi! How can I help you today?"], no_calls)
    model = make_model(len(tokenizer))
    agents = LocalAgents(model, tokenizer, sampling=Sampling(max_new_tokens=5), name="babbler")
    (rollout,) = run(world, [task], agents, users=users)
    assert rollout.trajectory.stop == "max_steps"
    trace = trace_of(rollout)
    assert sum(trace.mask) == 15
    decode = tokenizer.decode
    told = decode([t for t, own in zip(trace.ids, trace.mask, strict=True) if not own])
    turn = "<|im_start|>user\nIt says something.<|im_end|>\n<|im_start|>assistant\n"
    hello = "<|im_start|>assistant\nHi! How can I help you today?<|im_end|>\n"
    assert told == hello + turn + f"<|im_end|>\n{turn}" * 2


def test_a_full_context_is_nobodys_bad_play(world: Tau2Telecom, taught: Taught) -> None:
    small = make_model(len(taught.tokenizer), context=24)
    (rollout,) = run(world, taught.tasks[:1], LocalAgents(small, taught.tokenizer))
    assert rollout.trajectory.failure is not None
    assert rollout.trajectory.failure.cause == "context_overflow"
    assert rollout.outcome is not None
    assert rollout.outcome.faults == (rollout.trajectory.failure,)


def test_a_model_that_breaks_fails_every_waiting_episode(
    world: Tau2Telecom, taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("out of memory")

    agents = taught.agents()
    monkeypatch.setattr(taught.model, "generate", explode)
    for rollout in run(world, taught.tasks, agents):
        failure = rollout.trajectory.failure
        assert failure is not None
        assert (failure.owner, failure.cause) == ("endpoint", "local_model")
        assert "out of memory" in failure.detail


def test_an_abandoned_request_stops_generating() -> None:
    model = make_model(300, context=100_000)

    async def abandon() -> int:
        sampling = Sampling(max_new_tokens=50_000)
        engine = BatchedModel(model, end_ids=[], pad_id=1, sampling=sampling)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.complete([2], seed=0), 0.3)
        with pytest.raises(EndpointError, match="context ends"):
            await engine.complete([2] * 100_000, seed=0)
        assert engine._serving is not None
        await asyncio.wait_for(engine._serving, 20)
        return len(engine.batch_sizes)

    assert asyncio.run(abandon()) == 1


def test_model_folders(taught: Taught, tmp_path: Path, world: Tau2Telecom) -> None:
    folder = tmp_path / "taught"
    taught.model.save_pretrained(folder)
    taught.tokenizer.save_pretrained(folder)
    agents = LocalAgents.load(folder, sampling=Sampling(temperature=0, max_new_tokens=40))
    assert agents.name == "taught"
    assert agents.versions["weights"] == fingerprint(taught.model)
    assert agents.versions["weights"] != fingerprint(make_model(len(taught.tokenizer)))
    (rollout,) = run(world, taught.tasks[:1], agents)
    assert rollout.trajectory.stop == "agent_stop"
    assert rollout.trajectory.versions["weights"] == agents.versions["weights"]
    with pytest.raises(UsageError, match=r"no config\.json"):
        LocalAgents.load(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="cannot load the model"):
        LocalAgents.load(tmp_path)


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_p": 0}, {"max_new_tokens": 0}])
def test_wrong_sampling_says_so(wrong: Any) -> None:
    with pytest.raises(UsageError, match="got"):
        Sampling(**wrong)
