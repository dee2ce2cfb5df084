"""Our worlds as TRL's environments: what TRL sees of them, what is recorded, and a few steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from trl_harness import check_groups, tiny_trainer, train

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.chat_format import to_openai
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier
from telejudge_training.trl_environment import GroupJudge, environment_of, rows_of
from telejudge_training.trl_episode import CLOSED
from telejudge_training.trl_tools import docstring_of, hint_of

GROUP, GROUPS, STEPS = 4, 2, 2
SLOTS = [(r"\b[A-Z]\d{3}\b", "SITE{}", 0)]
"""The first letter and number of a site: `K042` reads `SITE0`."""


def said_by(rollout: Rollout) -> list[dict[str, Any]]:
    """A rollout's conversation as TRL would write it, with a last word after the case."""
    told = [m for m in rollout.trajectory.messages if m.role in ("assistant", "tool")]
    completion = to_openai(told)
    for said, message in zip(completion, told, strict=True):
        if message.tool_calls:
            said["tool_calls"] = [
                {"type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for c in message.tool_calls
            ]
    return [*completion, {"role": "assistant", "content": "Done."}]


def called(environment: Any, completion: Sequence[dict[str, Any]]) -> list[str]:
    """What TRL does with it."""
    return [
        getattr(environment, call["function"]["name"])(**call["function"]["arguments"])
        for said in completion
        for call in said.get("tool_calls") or ()
    ]


@pytest.mark.parametrize("name", ["base-station", "tau2-telecom"])
def test_what_an_expert_does_through_the_methods_is_what_he_does_in_the_world(name: str):
    world = open_world(name)
    split = {"tau2-telecom": "extra"}.get(name, "train")
    tasks = world.tasks(split)[:4]
    make = environment_of(world, split=split)
    for played in run(world, tasks, scripted("expert", world), rollouts=1, seed=0):
        environment, completion = make(), said_by(played)
        ticket = environment.reset(task_id=played.task.id, prompt=[])
        assert ticket == played.trajectory.messages[1].text
        answers = called(environment, completion)
        assert environment.episode is not None
        again = environment.episode.rollout(completion)
        assert [a for a in answers if a != CLOSED] == [
            m.text for m in played.trajectory.messages if m.role == "tool"
        ]
        assert again.trajectory.stop == played.trajectory.stop == "agent_stop"
        assert [m.text for m in again.trajectory.messages] == [
            m.text for m in played.trajectory.messages
        ], "what is said after the case is no part of it"
        assert len(again.trajectory.changes) == len(played.trajectory.changes)
        assert again.outcome is not None
        assert played.outcome is not None
        assert again.outcome.checks == played.outcome.checks


def test_calls_that_only_trl_has_seen_are_recorded_and_so_is_silence():
    world = open_world("base-station")
    environment = environment_of(world)()
    environment.reset(task_id=world.tasks("train")[0].id)
    assert environment.episode is not None
    answer = called(environment, [_asking("get_topology", object_id="nowhere")])[0]
    completion = [
        _asking("get_topology", "Let me see.", object_id="nowhere"),
        {"role": "tool", "name": "get_topology", "content": answer},
        _asking("phone_home", number=1),
        {"role": "tool", "name": "phone_home", "content": "{'error': 'Tool not found.'}"},
        _asking("get_clock", site_id="nowhere"),
    ]
    trajectory = environment.episode.rollout(completion).trajectory
    _, _, first, result, second, refusal, last = trajectory.messages
    assert (first.text, first.tool_calls[0].name, result.text) == (
        "Let me see.",
        "get_topology",
        answer,
    )
    assert result.tool_call_id == first.tool_calls[0].id
    assert (second.tool_calls[0].name, refusal.error) == ("phone_home", True)
    assert last.tool_calls[0].name == "get_clock", "never answered: the reply was cut there"
    assert len({call.id for m in trajectory.messages for call in m.tool_calls}) == 3
    assert trajectory.stop == "agent_error"
    assert trajectory.failure is not None
    assert "said nothing" in trajectory.failure.detail


def _asking(name: str, words: str = "", **arguments: Any) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": words, "tool_calls": [call]}


def test_a_world_that_breaks_is_not_the_agents_fault(monkeypatch: pytest.MonkeyPatch):
    world = open_world("base-station")
    environment = environment_of(world)()
    environment.reset(task_id=world.tasks("train")[0].id)
    episode = environment.episode
    assert episode is not None

    def broken(message: Message) -> None:
        raise RuntimeError("the simulator crashed")

    monkeypatch.setattr(episode._episode, "step", broken)
    asked = _asking("get_clock", site_id="F211")
    assert called(environment, [asked, asked]) == [CLOSED, CLOSED]
    rollout = episode.rollout([asked, {"role": "assistant", "content": "Hm."}])
    assert rollout.trajectory.stop == "failed"
    assert rollout.outcome is not None
    assert [fault.owner for fault in rollout.outcome.faults] == ["world"]


def test_a_tiny_model_reads_slots_and_the_world_reads_names():
    world = open_world("base-station")
    task = world.tasks("train")[0]
    environment = environment_of(world, SLOTS)()
    ticket = environment.reset(task_id=task.id)
    site = task.view.ticket.split("Site: ")[1].split()[0]
    assert site not in ticket
    assert "SITE0" in ticket
    answer = called(environment, [_asking("get_clock", site_id="SITE0")])[0]
    assert "No " not in answer.split("\n")[0]
    assert environment.episode is not None
    rollout = environment.episode.rollout([_asking("get_clock", site_id="SITE0")])
    assert rollout.trajectory.messages[2].tool_calls[0].arguments == {"site_id": site}
    assert not rollout.trajectory.messages[3].error


@pytest.mark.parametrize("name", ["base-station", "tau2-telecom"])
def test_transformers_reads_every_tool_as_the_world_describes_it(name: str):
    utils = pytest.importorskip("transformers.utils")
    world = open_world(name)
    split = {"tau2-telecom": "extra"}.get(name, "train")
    tools = world.open(world.tasks(split)[0]).tools
    make = environment_of(world, split=split)
    for tool in tools:
        function = utils.get_json_schema(getattr(make(), tool.name))["function"]
        seen, own = function["parameters"], tool.parameters
        assert function["name"] == tool.name
        assert len(function["description"]) >= len(tool.description.strip())
        assert set(seen["properties"]) == set(own.get("properties", {}))
        assert set(seen.get("required", ())) == set(own.get("required", ()))
        for key, wanted in own.get("properties", {}).items():
            assert seen["properties"][key].get("enum") == wanted.get("enum") or "anyOf" in wanted
            assert seen["properties"][key]["description"] == wanted.get("description", key)
    public = [n for n in dir(make) if not n.startswith("_") and callable(getattr(make, n))]
    assert set(public) - {"reset"} == {tool.name for tool in tools}


def test_hints_say_what_they_can():
    defs = {"$defs": {"Speed": {"enum": ["slow", "fast"], "type": "string"}}}
    nullable = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
    either = {"anyOf": [{"$ref": "#/$defs/Speed"}, {"type": "string"}]}
    assert str(hint_of(nullable, {})) == "list[str] | None"
    assert str(hint_of(either, defs)) == "typing.Literal['slow', 'fast']"
    assert hint_of({"type": ["integer", "string"]}, {}) == int | str
    assert hint_of({}, {}) is Any
    world = open_world("base-station")
    texts = [docstring_of(tool) for tool in world.open(world.tasks("train")[0]).tools]
    assert all(text.count("Returns:") == 1 for text in texts)


def test_what_is_no_group_is_refused():
    world = open_world("base-station")
    tasks = world.tasks("train")[:2]
    make = environment_of(world)
    environments = [make(), make()]
    for environment, task in zip(environments, tasks, strict=True):
        environment.reset(task_id=task.id)
    judge = GroupJudge(Verifier(lambda name: world), 2)
    with pytest.raises(UsageError, match="whole groups of 2"):
        asyncio.run(judge.rewards([[], []], environments))
    with pytest.raises(UsageError, match="user to talk to"):
        rows_of(world, [world.task(tasks[0].id, "dual")])


@pytest.mark.slow
def test_trl_trains_on_it_and_leaves_out_who_was_not_scored(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("trl", reason="TRL is not installed: pip install 'telejudge[trl]'")
    trainer, seen = tiny_trainer(
        bench, tmp_path, "by_environment", monkeypatch, steps=STEPS, group=GROUP, groups=GROUPS
    )
    given: list[dict[str, Any]] = []
    scored = trainer._generate_and_score_completions
    monkeypatch.setattr(
        trainer,
        "_generate_and_score_completions",
        lambda inputs: given.append(scored(inputs)) or given[-1],
    )

    assert train(trainer)
    check_groups(seen, STEPS * GROUPS, GROUP)
    played = [t for group, _, _ in seen for t in group.trajectories]
    assert all(t.messages[0].role == "system" for t in played)
    assert sum(t.usage.calls > 0 for t in played) > STEPS * GROUPS, "the model can call tools"
    for step in given:
        assert step["advantages"].flatten()[GROUP - 1 :: GROUP].tolist() == [0.0] * GROUPS
        _check_masks(step, trainer.processing_class)


def _check_masks(step: dict[str, Any], tokenizer: Any) -> None:
    """What follows the end of a turn, up to the head of the next, is outside the loss; the rest is
    the model's own, even where it wrote such tokens itself."""
    from telejudge_training.tiny.tokenizer import ASSISTANT, END

    end, head = (tokenizer.convert_tokens_to_ids(token) for token in (END, ASSISTANT))
    masked = 0
    for ids, mask, length in zip(
        step["completion_ids"].tolist(),
        step["tool_mask"].tolist(),
        step["completion_mask"].sum(1).tolist(),
        strict=True,
    ):
        speaking, expected = True, []
        for token in ids[:length]:
            expected.append(int(speaking))
            speaking = token != end if speaking else token == head
        assert mask[:length] == expected
        masked += expected.count(0)
    assert masked > 0
